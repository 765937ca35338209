//! Durations and times in configuration and bodies: never a panic, and what was read can be written and read again.
#![no_main]

use base::Timestamp;
use libfuzzer_sys::fuzz_target;
use web::config::GoDuration;

fuzz_target!(|text: &str| {
    if let Ok(duration) = text.parse::<GoDuration>() {
        let again: GoDuration = duration.to_string().parse().expect("what we write we can read");
        // Fractions of a nanosecond are nobody's business, and long durations are floating point inside.
        assert!(again.get().abs_diff(duration.get()).as_secs_f64() <= duration.get().as_secs_f64() * 1e-9 + 1e-6);
        let _ = Timestamp::EPOCH.plus(duration.get()).to_string();
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        assert_eq!(at.to_string().parse(), Ok(at));
    }
});
