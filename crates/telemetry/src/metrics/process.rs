//! Metrics of this process from the operating system, read on each request for them. Systems without `/proc` have none.

use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Clock ticks per second in `/proc/self/stat`; the kernel fixes it for programs on all supported platforms.
const TICKS: f64 = 100.0;
/// Columns of `/proc/self/stat`, counted after the program's name.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
const THREADS: usize = 17;

#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        if let Some(bytes) = resident_bytes() {
            gauge(&mut encoder, "process_resident_memory_bytes", "Resident memory", bytes)?;
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            let open = i64::try_from(open.count()).unwrap_or(i64::MAX);
            gauge(&mut encoder, "process_open_fds", "Open file descriptors", open)?;
        }
        let Some(stat) = fs::read_to_string("/proc/self/stat").ok() else { return Ok(()) };
        let columns: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let column = |index: usize| columns.get(index).and_then(|text| text.parse::<u32>().ok());
        if let (Some(user), Some(system)) = (column(USER_TICKS), column(SYSTEM_TICKS)) {
            let cpu = ConstCounter::new((f64::from(user) + f64::from(system)) / TICKS);
            let metric =
                encoder.encode_descriptor("process_cpu_seconds", "Processor time used", None, cpu.metric_type())?;
            cpu.encode(metric)?;
        }
        if let Some(threads) = column(THREADS) {
            gauge(&mut encoder, "process_threads", "Threads", i64::from(threads))?;
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(value);
    let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
    gauge.encode(metric)
}

/// `VmRSS` of `/proc/self/status`, which has a fixed unit, unlike the page counts of `statm`.
fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}
