//! Metrics of the relation tuples in memory, of all tenants together.

use std::sync::Arc;

use telemetry::metrics::encoding::{DescriptorEncoder, EncodeMetric};
use telemetry::metrics::{Collector, ConstGauge};

use crate::Permissions;

#[derive(Debug)]
pub(super) struct GraphMetrics(pub(super) Arc<Permissions>);

impl Collector for GraphMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let graphs = self.0.graph_statistics();
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let ready = graphs.iter().filter(|it| it.is_ready).count() as u64;
        let whole = [
            ("permissions_graphs_ready", "Tenants whose relation tuples are in memory and current", number(ready)),
            (
                "permissions_graphs_too_large",
                "Tenants whose relation tuples do not fit in memory; `warnings` of /health/ready says why",
                number(self.0.graphs.misfits().len() as u64),
            ),
            ("permissions_graph_tuples", "Relation tuples in memory", number(graphs.iter().map(|it| it.tuples).sum())),
            (
                "permissions_graph_bytes",
                "Memory of the relation tuples",
                number(graphs.iter().map(|it| it.bytes).sum()),
            ),
            (
                "permissions_graph_watermark",
                "Sequence in the event log up to which changes are in memory",
                graphs.iter().map(|it| it.watermark).max().unwrap_or_default(),
            ),
        ];
        for (name, help, value) in whole {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let longest = |of: fn(&crate::GraphStatistics) -> std::time::Duration| graphs.iter().map(of).max();
        let times = [
            ("permissions_graph_load_seconds", "Duration of the last load into memory", longest(|it| it.load)),
            (
                "permissions_graph_lag_seconds",
                "Time since the event log was asked for the state in memory",
                longest(|it| it.lag),
            ),
        ];
        for (name, help, value) in times {
            let gauge = ConstGauge::new(value.unwrap_or_default().as_secs_f64());
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
