//! Which lines are logged at each level.

use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::LogLevel;
use crate::traces::TARGET;

impl LogLevel {
    /// Our own crates at the configured level, libraries at warnings or above, because their details would drown ours. `h2` warns about
    /// what clients do, as often as they do it, so only its errors are logged.
    pub(crate) fn filter(self) -> Targets {
        let level = match self {
            Self::Panic | Self::Fatal | Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        };
        let libraries = if self == Self::Trace { LevelFilter::DEBUG } else { level.min(LevelFilter::WARN) };
        let of_h2 = if self == Self::Trace { LevelFilter::DEBUG } else { LevelFilter::ERROR };
        let mut filter = Targets::new().with_default(level).with_target("h2", of_h2);
        for library in ["hyper", "hyper_util", "rustls", "tokio_postgres", "opentelemetry", "opentelemetry_sdk"] {
            filter = filter.with_target(library, libraries);
        }
        filter.with_target(TARGET, LevelFilter::OFF)
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn clients_cannot_fill_the_log_with_warnings_of_h2() {
        let h2 = "h2::proto::streams::recv";
        for level in [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug] {
            let filter = level.filter();
            assert!(filter.would_enable(h2, &Level::ERROR) && !filter.would_enable(h2, &Level::WARN), "{level:?}");
        }
        assert!(LogLevel::Trace.filter().would_enable(h2, &Level::DEBUG));
        let filter = LogLevel::Info.filter();
        for library in ["hyper::proto", "rustls", "tokio_postgres::connection"] {
            assert!(
                filter.would_enable(library, &Level::WARN) && !filter.would_enable(library, &Level::INFO),
                "{library}"
            );
        }
        assert!(filter.would_enable("web::listener", &Level::INFO));
    }
}
