//! The table of budgets: what was measured, what it is measured against, and whether it is kept.

use std::fmt::Write as _;
use std::time::Duration;

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
    /// A rate beside its limit from the same run.
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

    /// How many times slower something is than beside it.
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

    /// A budget that was not measured, and why: silence would read as kept.
    pub(crate) fn absent(&mut self, what: &str, why: &str) {
        eprintln!("    not measured: {what}: {why}");
        self.absent.push(format!("{what}: {why}"));
    }

    /// A measurement that could not be made is a line of the report, not the end of it.
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
