//! Durations and times in configuration and bodies: parsing never panics, and a parsed value can be written and parsed again.
#![no_main]

use base::{GoDuration, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(duration) = text.parse::<GoDuration>() {
        let again: GoDuration = duration.to_string().parse().expect("written values can be parsed");
        // Fractions of a nanosecond are ignored, and long durations are computed in floating point.
        assert!(again.get().abs_diff(duration.get()).as_secs_f64() <= duration.get().as_secs_f64() * 1e-9 + 1e-6);
        let _ = Timestamp::EPOCH.plus(duration.get()).to_string();
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        assert_eq!(at.to_string().parse(), Ok(at));
    }
});
