//! `export`: writes the relation tuples that match, one in each line.
//!
//! Invariants:
//! - Memory does not grow with the number of relation tuples: a page is read and written.
//! - A run that was interrupted continues after the last page that is complete in the file.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::remote::{Remotes, Retries};
use super::get::{Filter, tuples_of};
use super::progress::{Reporter, StateFile};

/// The largest page of the service.
const PAGE: &str = "500";

#[derive(Debug, Args)]
#[command(after_help = "\
Each line is a relation tuple as JSON, which kleis permissions tuples import reads. Pages are not one snapshot:
a relation tuple that is written during the export may be missing.

A run with --output that was interrupted continues where it stopped when the command is run again: it keeps
its place in FILE.export-progress.")]
pub(in crate::cli) struct Arguments {
    /// The file to write; standard output when omitted
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Begin with the first relation tuple, whatever an earlier run did
    #[arg(long)]
    restart: bool,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    retries: Retries,
    #[command(flatten)]
    remotes: Remotes,
}

/// How far an export has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// The service that the tuples are from.
    endpoint: String,
    query: Vec<(String, String)>,
    /// The length of the file.
    bytes: u64,
    exported: u64,
    page_token: String,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let remote = arguments.remotes.read()?;
    let filter = arguments.filter.query()?;
    let query = filter.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut state = State { endpoint: remote.endpoint(), query, ..State::default() };
    let (mut output, state_file): (Box<dyn Write>, Option<StateFile>) = match &arguments.output {
        None => (Box::new(std::io::stdout().lock()), None),
        Some(path) => {
            let state_file = StateFile::beside(path, "export");
            let kept = state_file.read::<State>().filter(|kept| {
                let is_same = kept.endpoint == state.endpoint && kept.query == state.query;
                is_same && !arguments.restart
            });
            let length = std::fs::metadata(path).map_or(0, |it| it.len());
            if let Some(kept) = kept.filter(|kept| kept.bytes <= length) {
                eprintln!("continuing after {} relation tuples", kept.exported);
                state = kept;
            } else if length > 0 && !arguments.restart {
                bail!("{} exists: name another file, or replace it with --restart", path.display());
            }
            let file = continued(path, state.bytes).with_context(|| format!("{} cannot be written", path.display()))?;
            (Box::new(file), Some(state_file))
        }
    };
    let mut reporter = Reporter::new("exported", state.exported);
    loop {
        let mut query = filter.clone();
        query.push(("page_size", PAGE.to_owned()));
        if !state.page_token.is_empty() {
            query.push(("page_token", state.page_token.clone()));
        }
        let page = remote.call_again(arguments.retries, &Method::GET, &["relation-tuples"], &query, None).await?;
        let text = lines_of(&page)?;
        if let Err(error) = output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            // The reader closed the pipe (`| head`), which is not an error.
            let is_closed = error.kind() == std::io::ErrorKind::BrokenPipe;
            return if is_closed { Ok(ExitCode::SUCCESS) } else { Err(error).context("the output cannot be written") };
        }
        state.bytes += text.len() as u64;
        state.exported += tuples_of(&page).len() as u64;
        page["next_page_token"].as_str().unwrap_or_default().clone_into(&mut state.page_token);
        if state.page_token.is_empty() {
            break;
        }
        if let Some(file) = &state_file {
            file.write(&state)?;
        }
        reporter.report(state.exported, None);
    }
    if let Some(file) = state_file {
        file.remove();
    }
    eprintln!("{} exported, {}", state.exported, reporter.rate(state.exported));
    Ok(ExitCode::SUCCESS)
}

/// The file, with its first bytes only.
fn continued(path: &std::path::Path, bytes: u64) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.set_len(bytes)?;
    file.seek(SeekFrom::Start(bytes))?;
    Ok(file)
}

fn lines_of(page: &Value) -> anyhow::Result<String> {
    let Some(tuples) = page["relation_tuples"].as_array() else {
        bail!("the answer is not a page of relation tuples: is this a permission service?");
    };
    let mut lines = String::new();
    for tuple in tuples {
        // Writing to a `String` cannot fail.
        let _ = writeln!(lines, "{tuple}");
    }
    Ok(lines)
}
