//! `kleis permissions list-objects`, `list-subjects` and `list-relations`: reverse questions to a running service.
//!
//! Invariant: memory does not grow with the number of results: a page is read and written.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::super::output::{self, Format};
use super::documents;
use super::remote::{Remote, Remotes};

/// The results of one page.
const PAGE: &str = "1000";

/// What every list is asked with.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// How deep subject sets and traversals are followed; the limit of the service when omitted
    #[arg(short = 'd', long, value_name = "NUMBER")]
    max_depth: Option<u32>,
    /// The attributes that conditions read: a JSON object, or @FILE
    #[arg(long, value_name = "JSON")]
    context: Option<String>,
    #[command(flatten)]
    remotes: Remotes,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kleis permissions list-objects User:ada view Doc
  kleis permissions list-objects ada owner Doc          a subject id

All pages are read, and the results are sorted by name. The exit code is 1 if the list is not
complete, because a limit was reached or a condition lacks an attribute; the reason is shown.")]
pub(in crate::cli) struct ObjectsArguments {
    /// NAMESPACE:OBJECT, NAMESPACE:OBJECT#RELATION or a subject id
    subject: String,
    /// The relation or permission
    relation: String,
    /// The namespace of the objects
    namespace: String,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kleis permissions list-subjects view Doc:plan                                ids and every namespace
  kleis permissions list-subjects view Doc:plan --subject-type User
  kleis permissions list-subjects viewers Doc:plan --subject-type Group#members

All pages are read, and the results are sorted by name. The exit code is 1 if the list is not
complete, because a limit was reached or a condition lacks an attribute; the reason is shown.")]
pub(in crate::cli) struct SubjectsArguments {
    /// The relation or permission
    relation: String,
    /// NAMESPACE:OBJECT
    object: String,
    /// NAMESPACE, NAMESPACE#RELATION or "" for subject ids; ids and every NAMESPACE when omitted
    #[arg(long, value_name = "TYPE")]
    subject_type: Option<String>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  kleis permissions list-relations User:ada Doc:plan

The exit code is 1 if the list is not complete, because a condition lacks an attribute, for example;
the reason is shown.")]
pub(in crate::cli) struct RelationsArguments {
    /// NAMESPACE:OBJECT, NAMESPACE:OBJECT#RELATION or a subject id
    subject: String,
    /// NAMESPACE:OBJECT
    object: String,
    #[command(flatten)]
    options: Options,
}

pub(super) async fn objects(arguments: ObjectsArguments) -> anyhow::Result<ExitCode> {
    let ObjectsArguments { subject, relation, namespace, options } = arguments;
    let mut question = json!({ "namespace": namespace, "relation": relation });
    documents::set_subject(&mut question, &subject);
    list("objects", &options.remotes.read()?, vec![question], &options).await
}

pub(super) async fn subjects(arguments: SubjectsArguments) -> anyhow::Result<ExitCode> {
    let SubjectsArguments { relation, object, subject_type, options } = arguments;
    let (namespace, object) = documents::object(&[object])?;
    let question = json!({ "namespace": namespace, "object": object, "relation": relation });
    let of_type = |kind: &str| {
        let mut question = question.clone();
        if !kind.is_empty() {
            let (namespace, relation) = kind.split_once('#').unwrap_or((kind, ""));
            question["subject_namespace"] = namespace.into();
            question["subject_relation"] = relation.into();
        }
        question
    };
    let remote = options.remotes.read()?;
    let kinds = match subject_type {
        Some(kind) => vec![kind],
        None => [String::new()].into_iter().chain(namespaces(&remote).await?).collect(),
    };
    list("subjects", &remote, kinds.iter().map(|kind| of_type(kind)).collect(), &options).await
}

/// The namespaces of the service.
async fn namespaces(remote: &Remote) -> anyhow::Result<Vec<String>> {
    let answer = remote.call(Method::GET, &["namespaces"], &[], None).await?;
    let Some(namespaces) = answer["namespaces"].as_array() else {
        bail!("the answer is not a list of namespaces: is this a permission service?");
    };
    Ok(namespaces.iter().filter_map(|it| it["name"].as_str()).map(str::to_owned).collect())
}

pub(super) async fn relations(arguments: RelationsArguments) -> anyhow::Result<ExitCode> {
    let RelationsArguments { subject, object, options } = arguments;
    let (namespace, object) = documents::object(&[object])?;
    let mut question = json!({ "namespace": namespace, "object": object });
    documents::set_subject(&mut question, &subject);
    list("relations", &options.remotes.read()?, vec![question], &options).await
}

/// The answers to all questions as one list. The lists of the API have the names of their results.
async fn list(results: &str, remote: &Remote, questions: Vec<Value>, options: &Options) -> anyhow::Result<ExitCode> {
    let context = options.context.as_deref().map(documents::context).transpose()?;
    let mut writer = Writer { results, format: options.format, has_begun: false, count: 0, incomplete: [None, None] };
    for mut question in questions {
        if let Some(context) = &context {
            question["context"] = context.clone();
        }
        let mut token = String::new();
        loop {
            let page = match page(remote, results, &question, (options.max_depth, &token)).await {
                Ok(page) => page,
                Err(error) => {
                    writer.close()?;
                    return Err(error);
                }
            };
            writer.write(&page)?;
            page["next_page_token"].as_str().unwrap_or_default().clone_into(&mut token);
            if token.is_empty() {
                break;
            }
        }
    }
    writer.end()
}

async fn page(
    remote: &Remote,
    results: &str,
    question: &Value,
    (max_depth, token): (Option<u32>, &str),
) -> anyhow::Result<Value> {
    let mut query = vec![("page_size", PAGE.to_owned())];
    query.extend(max_depth.map(|depth| ("max-depth", depth.to_string())));
    if !token.is_empty() {
        query.push(("page_token", token.to_owned()));
    }
    let page = remote.call(Method::POST, &["relation-tuples", results], &query, Some(question)).await?;
    if !page[results].is_array() {
        bail!("the answer is not a list of {results}: is this a permission service of Kleis?");
    }
    Ok(page)
}

/// Why a list is not complete: members of a page.
const REASONS: [&str; 2] = ["truncated", "unresolved"];

/// Writes the pages as one list.
struct Writer<'a> {
    results: &'a str,
    format: Format,
    /// Whether the document of JSON has begun, which it does with the first page.
    has_begun: bool,
    count: usize,
    /// The values of [`REASONS`] on the last page that had them.
    incomplete: [Option<String>; 2],
}

impl Writer<'_> {
    fn write(&mut self, page: &Value) -> anyhow::Result<()> {
        let mut text = String::new();
        if self.format == Format::Json && !self.has_begun {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{{\n  \"{}\": [", self.results);
            self.has_begun = true;
        }
        for item in page[self.results].as_array().map(Vec::as_slice).unwrap_or_default() {
            match self.format {
                Format::Table => {
                    text.push_str(&output::visible(&name_of(item)));
                    text.push('\n');
                }
                Format::Json => {
                    text.push_str(if self.count == 0 { "\n    " } else { ",\n    " });
                    text.push_str(&item.to_string());
                }
            }
            self.count += 1;
        }
        for (kept, name) in self.incomplete.iter_mut().zip(REASONS) {
            if let Some(reason) = page[name].as_str() {
                *kept = Some(reason.to_owned());
            }
        }
        output::raw(text.as_bytes())
    }

    /// Ends a document of JSON, if one has begun.
    fn close(&self) -> anyhow::Result<()> {
        if !self.has_begun {
            return Ok(());
        }
        let mut text = if self.count == 0 { "]".to_owned() } else { "\n  ]".to_owned() };
        for (name, reason) in REASONS.into_iter().zip(&self.incomplete) {
            if let Some(reason) = reason {
                // Writing to a `String` cannot fail.
                let _ = write!(text, ",\n  \"{name}\": {}", Value::from(reason.as_str()));
            }
        }
        output::line(&format!("{text}\n}}"))
    }

    /// The exit code is that of an answer, or of a check without one.
    fn end(self) -> anyhow::Result<ExitCode> {
        self.close()?;
        if self.format == Format::Table && self.count == 0 {
            eprintln!("there are none");
        }
        for (name, reason) in REASONS.into_iter().zip(&self.incomplete) {
            if let Some(reason) = reason {
                eprintln!("the list is not complete ({name}): {}", output::visible(reason));
            }
        }
        let is_complete = self.incomplete.iter().all(Option::is_none);
        Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// An object or a relation has a name; a subject is written as in a relation tuple.
fn name_of(item: &Value) -> String {
    match item {
        Value::String(name) => name.clone(),
        subject => documents::subject_text(subject).unwrap_or_default(),
    }
}
