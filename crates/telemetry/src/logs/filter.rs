//! Which lines are logged at each level.

use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::LogLevel;
use crate::traces::TARGET;

impl LogLevel {
    /// Our own crates at the configured level, libraries at warnings or above, because their details would drown ours.
    pub(crate) fn filter(self) -> Targets {
        let level = match self {
            Self::Panic | Self::Fatal | Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        };
        let libraries = if self == Self::Trace { LevelFilter::DEBUG } else { level.min(LevelFilter::WARN) };
        let mut filter = Targets::new().with_default(level);
        for library in ["h2", "hyper", "hyper_util", "rustls", "tokio_postgres", "opentelemetry", "opentelemetry_sdk"] {
            filter = filter.with_target(library, libraries);
        }
        filter.with_target(TARGET, LevelFilter::OFF)
    }
}
