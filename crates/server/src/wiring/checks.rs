//! What `ready` looks at, and what the metrics show of the database.

use async_trait::async_trait;
use database::Database;
use telemetry::metrics::encoding::{DescriptorEncoder, EncodeMetric};
use telemetry::metrics::{Collector, ConstCounter};

use crate::http::health::Check;

/// The database answers.
pub(super) struct DatabaseAnswers(pub(super) Database);

#[async_trait]
impl Check for DatabaseAnswers {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn run(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| error.to_string())
    }
}

/// The gateway has at least one rule.
pub(super) struct RulesLoaded(pub(super) gateway::Gateway);

#[async_trait]
impl Check for RulesLoaded {
    fn name(&self) -> &'static str {
        "rules_loaded"
    }

    async fn run(&self) -> Result<(), String> {
        self.0.readiness().fault().map_or(Ok(()), |(_, reason)| Err(reason.to_owned()))
    }
}

/// How much work the database was given.
#[derive(Debug)]
pub(super) struct DatabaseUsage(pub(super) Database);

impl Collector for DatabaseUsage {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let usage = self.0.usage();
        for (name, help, value) in [
            ("sql_statements", "Statements that were run", usage.statements),
            ("sql_write_transactions", "Transactions that could write", usage.write_transactions),
        ] {
            let counter = ConstCounter::new(value);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}
