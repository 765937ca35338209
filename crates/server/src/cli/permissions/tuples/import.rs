//! `import`: sends the relation tuples of a file to a running service, in batches.
//!
//! Invariants:
//! - Memory does not grow with the file: a line and a batch are bounded.
//! - A batch that is refused is divided until each refused line is known; all others are imported.
//! - An interrupted run continues at the batch that was not acknowledged, if the file is the same up to there. A batch that is sent
//!   twice changes nothing.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::super::output;
use super::super::documents;
use super::super::remote::{CallError, Remote, Remotes, Retries, of_change};
use super::progress::{Reporter, StateFile};

/// The most relation tuples of a batch, and the most bytes of their lines.
const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// Longer than any relation tuple that the service accepts.
const LINE_BYTES: u64 = 64 * 1024;
/// So many refused lines are listed.
const LISTED: u64 = 100;

#[derive(Debug, Args)]
#[command(after_help = "\
Each line has a relation tuple, as JSON or as text; blank lines and lines that begin with // are skipped:
  {\"namespace\":\"Doc\",\"object\":\"plan\",\"relation\":\"viewers\",\"subject_id\":\"ada\"}
  Doc:plan#viewers@Group:staff#members

A run that was interrupted continues where it stopped when the command is run again: it keeps its place in
FILE.import-progress. Refused lines are listed, and the others are imported. The exit code is 1 if a line
was refused.")]
pub(in crate::cli) struct Arguments {
    /// A file; - is standard input, which cannot be continued
    file: PathBuf,
    /// Begin at the first line, whatever an earlier run did
    #[arg(long)]
    restart: bool,
    #[command(flatten)]
    retries: Retries,
    #[command(flatten)]
    remotes: Remotes,
}

/// How far an import has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// The service that the tuples are for.
    endpoint: String,
    /// The digest of the file up to here.
    digest: String,
    bytes: u64,
    lines: u64,
    imported: u64,
    refused: u64,
}

/// A line of a batch.
struct Line {
    number: u64,
    tuple: Value,
}

struct Import {
    remote: Remote,
    retries: Retries,
    state: State,
    /// Of the bytes that were read.
    digest: Sha256,
    file: Option<StateFile>,
    /// The length of the file.
    length: Option<u64>,
    reporter: Reporter,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let remote = arguments.remotes.write()?;
    let (mut import, mut input) = open(&arguments, remote)?;
    let outcome = import.run(&mut input).await;
    let State { imported, refused, lines, .. } = import.state;
    if let Err(error) = outcome {
        let again = if import.file.is_some() { "; run the command again to continue" } else { "" };
        return Err(
            error.context(format!("stopped after line {lines} with {imported} relation tuples imported{again}"))
        );
    }
    if let Some(file) = &import.file {
        file.remove();
    }
    eprintln!("{imported} imported, {refused} refused, {}", import.reporter.rate(imported));
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn open(arguments: &Arguments, remote: Remote) -> anyhow::Result<(Import, Box<dyn BufRead>)> {
    let path = &arguments.file;
    if path == Path::new("-") {
        let import = Import {
            remote,
            retries: arguments.retries,
            state: State::default(),
            digest: Sha256::new(),
            file: None,
            length: None,
            reporter: Reporter::new("imported", 0),
        };
        return Ok((import, Box::new(BufReader::new(std::io::stdin()))));
    }
    let unreadable = || format!("{} cannot be read", path.display());
    let mut file = File::open(path).with_context(unreadable)?;
    let length = file.metadata().with_context(unreadable)?.len();
    let state_file = StateFile::beside(path, "import");
    let kept = state_file.read::<State>().filter(|kept| kept.endpoint == remote.endpoint() && !arguments.restart);
    let (mut state, mut digest) = (State { endpoint: remote.endpoint(), ..State::default() }, Sha256::new());
    if let Some(kept) = kept {
        let until = digest_until(&mut file, kept.bytes).with_context(unreadable)?;
        if text_of(&until) == kept.digest {
            eprintln!("continuing after line {}", kept.lines);
            (state, digest) = (kept, until);
        } else {
            eprintln!("beginning at the first line: the file has changed");
        }
    }
    file.seek(SeekFrom::Start(state.bytes)).with_context(unreadable)?;
    let reporter = Reporter::new("imported", state.imported);
    let retries = arguments.retries;
    let import = Import { remote, retries, state, digest, file: Some(state_file), length: Some(length), reporter };
    Ok((import, Box::new(BufReader::with_capacity(1 << 20, file))))
}

fn digest_until(file: &mut File, bytes: u64) -> std::io::Result<Sha256> {
    let (mut digest, mut input) = (Sha256::new(), BufReader::with_capacity(1 << 20, file.take(bytes)));
    loop {
        let part = input.fill_buf()?;
        if part.is_empty() {
            return Ok(digest);
        }
        digest.update(part);
        let count = part.len();
        input.consume(count);
    }
}

fn text_of(digest: &Sha256) -> String {
    STANDARD.encode(digest.clone().finalize())
}

/// A part of the file.
struct Batch {
    lines: Vec<Line>,
    /// Lines that are no relation tuples, and why.
    refused: Vec<(u64, String)>,
    is_last: bool,
}

impl Import {
    async fn run(&mut self, input: &mut dyn BufRead) -> anyhow::Result<()> {
        loop {
            let mut next = self.state.clone();
            let Batch { lines, refused, is_last } = next_batch(input, &mut next, &mut self.digest)?;
            for (line, reason) in &refused {
                next.refused += 1;
                list_refused(next.refused, *line, reason);
            }
            self.send(lines, &mut next).await?;
            self.state = next;
            if is_last {
                return Ok(());
            }
            if let Some(file) = &self.file {
                self.state.digest = text_of(&self.digest);
                file.write(&self.state)?;
            }
            #[expect(clippy::cast_precision_loss, reason = "a share for people")]
            let share = self.length.map(|length| self.state.bytes as f64 / length.max(1) as f64);
            self.reporter.report(self.state.imported, share);
        }
    }

    /// Sends a batch. One that is refused is divided; the parts wait in a list, the first of them at its end.
    async fn send(&self, lines: Vec<Line>, state: &mut State) -> anyhow::Result<()> {
        let mut waiting = vec![lines];
        while let Some(mut lines) = waiting.pop() {
            if lines.is_empty() {
                continue;
            }
            match self.send_batch(&lines).await? {
                None => state.imported += lines.len() as u64,
                Some(reason) if lines.len() == 1 => {
                    state.refused += 1;
                    list_refused(state.refused, lines[0].number, &reason);
                }
                Some(_) => {
                    let rest = lines.split_off(lines.len() / 2);
                    waiting.push(rest);
                    waiting.push(lines);
                }
            }
        }
        Ok(())
    }

    /// Why the batch was refused.
    async fn send_batch(&self, lines: &[Line]) -> anyhow::Result<Option<String>> {
        let changes = lines.iter().map(|it| json!({ "action": "insert", "relation_tuple": it.tuple }));
        let changes: Value = changes.collect();
        let path = ["admin", "relation-tuples"];
        match self.remote.call_again(self.retries, &Method::PATCH, &path, &[], Some(&changes)).await {
            Ok(_) => Ok(None),
            Err(CallError::Refused { status, reason, field, .. }) if is_about_the_tuples(status, field.as_deref()) => {
                let reason = of_change(&reason).map_or(reason.as_str(), |(_, reason)| reason).to_owned();
                Ok(Some(reason))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Another refusal, for instance for lack of a token, is the same for every tuple. An unknown namespace is 404 and names its field;
/// a service that has no such API names none.
fn is_about_the_tuples(status: StatusCode, field: Option<&str>) -> bool {
    match status {
        StatusCode::NOT_FOUND => field.is_some(),
        status => matches!(status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE),
    }
}

/// Reads the next lines and counts them.
fn next_batch(input: &mut dyn BufRead, state: &mut State, digest: &mut Sha256) -> anyhow::Result<Batch> {
    let mut batch = Batch { lines: Vec::new(), refused: Vec::new(), is_last: false };
    let (mut line, mut bytes) = (Vec::new(), 0);
    while batch.lines.len() < BATCH && bytes < BATCH_BYTES {
        line.clear();
        let count = (&mut *input).take(LINE_BYTES).read_until(b'\n', &mut line).context("the file cannot be read")?;
        if count == 0 {
            batch.is_last = true;
            break;
        }
        if count as u64 == LINE_BYTES && line.last() != Some(&b'\n') {
            bail!("line {} has more than {LINE_BYTES} bytes: a line has one relation tuple", state.lines + 1);
        }
        bytes += count;
        digest.update(&line);
        state.bytes += count as u64;
        state.lines += 1;
        match tuple_of(&line, state.lines == 1) {
            Ok(None) => {}
            Ok(Some(tuple)) => batch.lines.push(Line { number: state.lines, tuple }),
            Err(error) => batch.refused.push((state.lines, format!("{error:#}"))),
        }
    }
    Ok(batch)
}

/// The relation tuple of a line, if it has one.
fn tuple_of(line: &[u8], is_first: bool) -> anyhow::Result<Option<Value>> {
    let line = std::str::from_utf8(line).context("this is not UTF-8")?;
    let line = if is_first { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
    documents::is_tuple(line).then(|| documents::of_line(line.trim())).transpose()
}

fn list_refused(count: u64, line: u64, reason: &str) {
    if count <= LISTED {
        eprintln!("line {line}: {}", output::visible(reason));
    } else if count == LISTED + 1 {
        eprintln!("further refused lines are counted, and not listed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_is_not_the_right_one_refuses_no_tuple() {
        assert!(is_about_the_tuples(StatusCode::NOT_FOUND, Some("namespace")));
        assert!(!is_about_the_tuples(StatusCode::NOT_FOUND, None));
        assert!(is_about_the_tuples(StatusCode::BAD_REQUEST, None));
        assert!(!is_about_the_tuples(StatusCode::UNAUTHORIZED, None));
    }

    #[test]
    fn a_batch_is_bounded_and_counts_its_lines() {
        let text = "// tuples\nDoc:a#viewers@ada\n\nDoc:a\nDoc:b#viewers@ada".to_owned();
        let mut state = State::default();
        let batch = next_batch(&mut text.as_bytes(), &mut state, &mut Sha256::new()).unwrap();
        assert_eq!(batch.lines.iter().map(|it| it.number).collect::<Vec<_>>(), [2, 5]);
        assert!(batch.is_last && batch.refused.len() == 1 && batch.refused[0].0 == 4);
        assert_eq!((state.bytes, state.lines), (text.len() as u64, 5));

        let many = "Doc:a#viewers@ada\n".repeat(BATCH + 1);
        let (mut input, mut state) = (many.as_bytes(), State::default());
        let first = next_batch(&mut input, &mut state, &mut Sha256::new()).unwrap();
        assert_eq!((first.lines.len(), first.is_last, state.lines), (BATCH, false, 1_000));
        let second = next_batch(&mut input, &mut state, &mut Sha256::new()).unwrap();
        assert_eq!((second.lines.len(), second.is_last, second.lines[0].number), (1, true, 1_001));

        let long = format!("Doc:{}#viewers@ada\n", "a".repeat(60_000)).repeat(100);
        let batch = next_batch(&mut long.as_bytes(), &mut State::default(), &mut Sha256::new()).unwrap();
        assert!(batch.lines.len() < 40 && !batch.is_last);
    }

    #[test]
    fn a_line_without_an_end_is_an_error() {
        let endless = "x".repeat(100_000);
        let error = next_batch(&mut endless.as_bytes(), &mut State::default(), &mut Sha256::new()).err().unwrap();
        assert_eq!(error.to_string(), "line 1 has more than 65536 bytes: a line has one relation tuple");
    }
}
