//! The server can start with the configuration in the guide to access rules.

use anyhow::{Context as _, Result, ensure};
use server::config::{Config, Sources};

const GUIDE: &str = include_str!("../../../../../docs/guides/write-an-access-rule.md");

#[test]
fn the_guides_configuration_has_no_fault_and_no_key_without_effect() -> Result<()> {
    let (_, example) = GUIDE.split_once("```yaml\n# kleis.yml\n").context("an example")?;
    let (example, _) = example.split_once("```").context("its end")?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("kleis.yml");
    std::fs::write(&file, example)?;
    let config = Config::load(&Sources { files: vec![file], ..Sources::default() });
    let config = config.map_err(|faults| anyhow::anyhow!("{faults}"))?;
    ensure!(config.notices.is_empty(), "{:?}", config.notices);
    Ok(())
}
