//! `kleis permissions migrate-subjects`: gives plain subject ids a type.
//!
//! Invariant: each page is one transaction of the service, so an interrupted run leaves no tuple without its subject, and running
//! the command again continues.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::super::super::output::{self, Format, counted};
use super::super::documents;
use super::super::remote::{Remotes, Retries};
use super::progress::Reporter;

/// Tuples that were left are shown up to this number.
const MOST_SHOWN: usize = 100;

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  kleis permissions migrate-subjects --map 'user_*=User' --map 'svc_*=Service' --dry-run

Each subject id that matches, user_7, becomes the subject set User:user_7 without a relation. The
condition and the expiry of its relation tuple are kept. Change the clients to ask about subject
sets as well; until they do, their checks of the id are denied.

A relation tuple is left as it is when the model does not accept its new subject, or when the new
one exists already with another condition or expiry; the reason is shown, and the exit code is 1.
The command may be run again.")]
pub(in crate::cli) struct Arguments {
    /// PATTERN=NAMESPACE, where * stands for any number of characters; the first that matches counts
    #[arg(long = "map", required = true, value_name = "PATTERN=NAMESPACE")]
    maps: Vec<String>,
    /// Change nothing, and show what would be changed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    retries: Retries,
    #[command(flatten)]
    remotes: Remotes,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

/// What became of all pages.
#[derive(Default)]
struct Total {
    read: u64,
    migrated: u64,
    left: u64,
    /// The first of those that were left, with their reasons.
    shown: Vec<Value>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { maps, dry_run, retries, remotes, format } = arguments;
    let maps: Vec<Value> = maps.iter().map(|text| map(text)).collect::<anyhow::Result<_>>()?;
    let remote = remotes.write()?;
    let mut reporter = Reporter::new("read", 0);
    let mut total = Total::default();
    let mut token = String::new();
    loop {
        let body = json!({ "map": maps, "dry_run": dry_run, "page_token": token });
        let path = ["admin", "relation-tuples", "migrate-subjects"];
        let page = remote.call_again(retries, &Method::POST, &path, &[], Some(&body)).await?;
        total.add(&page)?;
        page["next_page_token"].as_str().unwrap_or_default().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
        reporter.report(total.read, None);
    }
    total.show(dry_run, format)?;
    Ok(if total.left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn map(text: &str) -> anyhow::Result<Value> {
    let parts = text.rsplit_once('=').filter(|(_, namespace)| !namespace.is_empty());
    let (pattern, namespace) = parts.with_context(|| format!("--map: write \"{text}\" as PATTERN=NAMESPACE"))?;
    Ok(json!({ "pattern": pattern, "namespace": namespace }))
}

impl Total {
    fn add(&mut self, page: &Value) -> anyhow::Result<()> {
        let number = |name: &str| page[name].as_u64();
        let (Some(read), Some(migrated), Some(left)) = (number("read"), number("migrated"), page["left"].as_array())
        else {
            bail!("the answer is not that of a migration: is this a permission service of Kleis?");
        };
        self.read += read;
        self.migrated += migrated;
        self.left += left.len() as u64;
        self.shown.extend(left.iter().take(MOST_SHOWN.saturating_sub(self.shown.len())).cloned());
        Ok(())
    }

    fn show(&self, is_dry_run: bool, format: Format) -> anyhow::Result<()> {
        let Self { read, migrated, left, shown } = self;
        if format == Format::Json {
            let counts =
                json!({ "dry_run": is_dry_run, "read": read, "migrated": migrated, "left": left, "reasons": shown });
            return output::json(&counts);
        }
        for it in shown {
            let reason = it["reason"].as_str().unwrap_or_default();
            output::line(&output::visible(&format!("left {}: {reason}", tuple_text(&it["relation_tuple"]))))?;
        }
        let tuples = counted(usize::try_from(*migrated).unwrap_or(usize::MAX), "relation tuple", "relation tuples");
        let verb = if is_dry_run { "would be migrated" } else { "migrated" };
        output::line(&format!("{tuples} {verb}, {left} left, {read} read"))
    }
}

fn tuple_text(tuple: &Value) -> String {
    let member = |name: &str| tuple[name].as_str().unwrap_or_default();
    let subject = documents::subject_text(tuple).unwrap_or_default();
    format!("{}:{}#{}@{subject}", member("namespace"), member("object"), member("relation"))
}
