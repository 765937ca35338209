//! Templates of rules: never a panic, never without an end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (template, subject, extra) = input;
    let extra = serde_json::from_str(extra).unwrap_or_default();
    let _ = gateway::testing::find_in_json(template, &extra);
    let _ = gateway::testing::render(template, subject, extra);
});
