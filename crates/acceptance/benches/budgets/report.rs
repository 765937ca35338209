//! The table of budgets: what was measured, what it is compared with, and whether the budget is met.

use std::fmt::Write as _;
use std::time::Duration;

use crate::load::Outcome;

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    what: String,
    measured: String,
    against: String,
    budget: String,
    is_kept: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
    absent: Vec<String>,
}

impl Report {
    /// A rate and its limit from the same run.
    pub(crate) fn ratio(&mut self, what: &str, rate: f64, limit_name: &str, limit: f64, at_least: f64) {
        let ratio = rate / limit;
        self.push(Line {
            what: what.to_owned(),
            measured: format!("{:.0} % ({rate:.0}/s)", ratio * 100.0),
            against: format!("{limit_name} ({limit:.0}/s)"),
            budget: format!(">= {:.0} %", at_least * 100.0),
            is_kept: ratio >= at_least,
        });
    }

    /// A figure with an absolute bound.
    pub(crate) fn at_most(&mut self, what: &str, figure: f64, unit: &str, bound: f64) {
        self.push(Line {
            what: what.to_owned(),
            measured: format!("{figure:.1} {unit}"),
            against: "-".to_owned(),
            budget: format!("<= {bound:.0} {unit}"),
            is_kept: figure <= bound,
        });
    }

    /// A latency at its 99th percentile with an absolute bound, and the same latency when nothing else runs.
    pub(crate) fn p99(&mut self, what: &str, outcome: &Outcome, alone: &Outcome, bound: Duration) {
        let (p50, p99) = (outcome.percentile(0.5), outcome.percentile(0.99));
        self.push(Line {
            what: what.to_owned(),
            measured: format!("p99 {p99:.1?} (p50 {p50:.1?}, {:.0}/s)", outcome.per_second()),
            against: format!("alone p99 {:.1?} ({:.0}/s)", alone.percentile(0.99), alone.per_second()),
            budget: format!("<= {bound:?}"),
            is_kept: p99 <= bound,
        });
    }

    /// The rate and the latencies of a load, beside a limit of the same run. Some have a budget, a part of the limit.
    pub(crate) fn rate(&mut self, what: &str, outcome: &Outcome, rate: f64, limit: (&str, f64), at_least: Option<f64>) {
        let (p50, p99) = (outcome.percentile(0.5), outcome.percentile(0.99));
        let (limit_name, limit) = limit;
        let ratio = rate / limit;
        self.push(Line {
            what: what.to_owned(),
            measured: format!("{:.0} % ({rate:.0}/s, p50 {p50:.1?}, p99 {p99:.1?})", ratio * 100.0),
            against: format!("{limit_name} ({limit:.0}/s)"),
            budget: at_least.map_or_else(|| "-".to_owned(), |bound| format!(">= {:.0} %", bound * 100.0)),
            is_kept: at_least.is_none_or(|bound| ratio >= bound),
        });
    }

    /// CPU time of a request in microseconds, which is also that of a thousand in milliseconds. Some have an absolute budget.
    pub(crate) fn processor(&mut self, what: &str, cost: f64, limit_name: &str, limit: f64, at_most: Option<f64>) {
        self.push(Line {
            what: format!("processor time of 1 000 requests, {what}"),
            measured: format!("{cost:.1} ms"),
            against: format!("{limit_name} ({limit:.1} ms)"),
            budget: at_most.map_or_else(|| "-".to_owned(), |bound| format!("<= {bound:.0} ms")),
            is_kept: at_most.is_none_or(|bound| cost <= bound),
        });
    }

    /// Latencies of one request after the other. Some have a bound at the 99th percentile.
    pub(crate) fn latency(&mut self, what: &str, outcome: &Outcome, bound: Option<Duration>) {
        let (p50, p99) = (outcome.percentile(0.5), outcome.percentile(0.99));
        self.push(Line {
            what: what.to_owned(),
            measured: format!("p99 {p99:.1?} (p50 {p50:.1?})"),
            against: "-".to_owned(),
            budget: bound.map_or_else(|| "-".to_owned(), |bound| format!("<= {bound:?}")),
            is_kept: bound.is_none_or(|bound| p99 <= bound),
        });
    }

    /// A cost as a multiple of another one, in microseconds of CPU time; some have a budget.
    pub(crate) fn cost(&mut self, what: &str, cost: f64, limit_name: &str, limit: f64, at_most: Option<f64>) {
        let times = cost / limit;
        self.push(Line {
            what: what.to_owned(),
            measured: format!("{times:.2} x ({cost:.0} µs)"),
            against: format!("{limit_name} ({limit:.0} µs)"),
            budget: at_most.map_or_else(|| "-".to_owned(), |bound| format!("<= {bound} x")),
            is_kept: at_most.is_none_or(|bound| times <= bound),
        });
    }

    /// A figure without a budget, for comparisons between versions of the program.
    pub(crate) fn figure(&mut self, what: &str, figure: &str) {
        self.push(Line {
            what: what.to_owned(),
            measured: figure.to_owned(),
            against: "-".to_owned(),
            budget: "-".to_owned(),
            is_kept: true,
        });
    }

    /// How many times slower something is than its comparison.
    pub(crate) fn at_most_times(&mut self, what: &str, slow: Duration, quick_name: &str, quick: Duration, bound: f64) {
        let times = slow.as_secs_f64() / quick.as_secs_f64();
        self.push(Line {
            what: what.to_owned(),
            measured: format!("{times:.2} x ({slow:.0?})"),
            against: format!("{quick_name} ({quick:.0?})"),
            budget: format!("<= {bound} x"),
            is_kept: times <= bound,
        });
    }

    /// A budget that was not measured, and the reason, so that it does not count as met.
    pub(crate) fn absent(&mut self, what: &str, why: &str) {
        eprintln!("    not measured: {what}: {why}");
        self.absent.push(format!("{what}: {why}"));
    }

    /// Reports a failed measurement as a line of the report and continues.
    pub(crate) fn note<T>(&mut self, what: &str, outcome: &anyhow::Result<T>) {
        if let Err(error) = outcome {
            self.absent(what, &format!("{error:#}"));
        }
    }

    fn push(&mut self, line: Line) {
        eprintln!("    {}: {} against {}", line.what, line.measured, line.against);
        self.lines.push(line);
    }

    pub(crate) fn all_kept(&self) -> bool {
        self.lines.iter().all(|line| line.is_kept)
    }

    /// The table as Markdown.
    pub(crate) fn table(&self) -> String {
        let mut table =
            String::from("| What | Measured | Against | Budget | Kept |\n| --- | --- | --- | --- | --- |\n");
        for line in &self.lines {
            let kept = if line.is_kept { "yes" } else { "NO" };
            let Line { what, measured, against, budget, .. } = line;
            let _ = writeln!(table, "| {what} | {measured} | {against} | {budget} | {kept} |");
        }
        for absent in &self.absent {
            let _ = writeln!(table, "\nNot measured: {absent}");
        }
        table
    }
}
