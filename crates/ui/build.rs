//! Lists the files of `locales/`, so that adding or removing a file is enough to add or remove a language.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "Cargo passes the output directory to a build script in the environment")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("locales");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        files.push(entry?.path());
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let tag = file.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
        let is_language = tag.len() == 2 && tag.bytes().all(|byte| byte.is_ascii_lowercase());
        if !is_language || file.extension().is_none_or(|it| it != "ftl") {
            let problem = "a file of texts is named by the two letters of its language, such as `fr.ftl`";
            return Err(format!("{}: {problem}", file.display()).into());
        }
        writeln!(list, "    ({tag:?}, include_str!({:?})),", file.display().to_string())?;
    }
    list.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("locales.rs"), list)?;
    Ok(())
}
