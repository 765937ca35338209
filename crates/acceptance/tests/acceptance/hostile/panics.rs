//! Records the panics of the process. A task that panics closes only its own connection, so a hook records the location of each
//! panic; panics of the tests themselves are not counted.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};

use anyhow::{Result, ensure};

static INSTALL: Once = Once::new();
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Records every panic of the product from now on. The previous hook is still called.
pub(crate) fn watch() {
    INSTALL.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            note(panic);
            before(panic);
        }));
    });
}

fn note(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    if !place.contains("crates/acceptance/") {
        SEEN.lock().unwrap_or_else(PoisonError::into_inner).push(place);
    }
}

/// Checks that nothing has panicked so far.
pub(crate) fn none() -> Result<()> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    ensure!(seen.is_empty(), "the product panicked at {seen:?}");
    Ok(())
}

#[test]
fn a_panic_is_recorded_even_if_its_task_swallows_it() {
    watch();
    let before = SEEN.lock().unwrap_or_else(PoisonError::into_inner).len();
    // The location of this panic is in the standard library: `slice` is indexed inside of it.
    let swallowed = std::thread::spawn(|| [0_u8; 1].as_slice().split_at(2).0.len()).join();
    assert!(swallowed.is_err());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    // `split_at` reports its caller's location, which is in a test and does not count.
    assert_eq!(seen.len(), before);
    let place = "crates/identity/src/lib.rs:1:1".to_owned();
    seen.push(place);
    drop(seen);
    assert!(none().is_err());
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).pop();
}
