//! Configuration documents and the environment: loading never panics, and a fault names its key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use server::config::{Config, Sources};

fuzz_target!(|input: (&str, Vec<(&str, &str)>)| {
    let (document, environment) = input;
    if let Ok(tree) = serde_json::from_str(document)
        && let Err(faults) = Config::from_value(&[], tree)
    {
        assert!(!faults.to_string().is_empty());
    }
    let environment = environment.into_iter().map(|(name, value)| (format!("KLEIS_{name}"), value.to_owned()));
    let _ = Config::load(&Sources { environment: environment.collect(), ..Sources::default() });
});
