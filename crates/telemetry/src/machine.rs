//! The memory that this process may use: that of the machine, or of the container if it has less. Systems without `/proc` have
//! no answer.

use std::fs;

/// The limit of the control group, in both versions of its interface.
const LIMITS: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// In bytes.
pub fn memory_bytes() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let total = read("/proc/meminfo").and_then(|text| total_of(&text));
    let limits = LIMITS.iter().filter_map(|path| limit_of(&read(path)?));
    total.into_iter().chain(limits).min()
}

/// `MemTotal` of `/proc/meminfo`.
fn total_of(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The limit of a control group; `max` is no limit.
fn limit_of(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_that_of_the_machine_or_less() {
        assert_eq!(total_of("MemTotal:       24684544 kB\nMemFree: 1 kB\n"), Some(24_684_544 * 1024));
        assert_eq!(total_of("MemFree: 1 kB\n"), None);
        assert_eq!((limit_of("max\n"), limit_of("536870912\n")), (None, Some(512 << 20)));
        assert!(memory_bytes().is_none_or(|bytes| bytes > 64 << 20));
    }
}
