//! `kleis permissions check` and `expand`: questions to a running service.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::output::{self, Format};
use super::documents;
use super::remote::{CallError, Remote, Remotes};
use crate::spelling;

/// The deepest level that is indented.
const DEEPEST_LEVEL: usize = 32;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kleis permissions check User:ada view Doc:plan
  kleis permissions check ada owner Doc:plan          a subject id
  kleis permissions check Group:staff#members view Doc:plan
  kleis permissions check User:ada view Doc:plan --explain

An explanation is the way that grants; for a denial, the condition or the exclusion that denies, or
else that no tuple leads to the subject.
The exit code is 0 for both answers, and 1 when there is none: a limit was reached, or a
namespace or relation does not exist.")]
pub(in crate::cli) struct CheckArguments {
    /// NAMESPACE:OBJECT, NAMESPACE:OBJECT#RELATION or a subject id
    subject: String,
    /// The relation or permission
    relation: String,
    /// NAMESPACE:OBJECT
    #[arg(required = true, num_args = 1..=2, value_name = "OBJECT")]
    object: Vec<String>,
    /// How deep subject sets and traversals are followed; the limit of the service when omitted
    #[arg(short = 'd', long, value_name = "NUMBER")]
    max_depth: Option<u32>,
    /// The attributes that conditions read: a JSON object, or @FILE
    #[arg(long, value_name = "JSON")]
    context: Option<String>,
    /// Show why: the way that grants, or what denies
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    remotes: Remotes,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  kleis permissions expand viewers Doc:plan

A tree follows relations: kleis permissions list-subjects lists the subjects of a permission.
A tree that is not complete, because a limit was reached or a permission is in it, says so: on
standard error, and as JSON with the member `truncated`. The exit code is 1 when a namespace or
relation does not exist.")]
pub(in crate::cli) struct ExpandArguments {
    /// The relation
    relation: String,
    /// NAMESPACE:OBJECT
    #[arg(required = true, num_args = 1..=2, value_name = "OBJECT")]
    object: Vec<String>,
    /// How deep subject sets are expanded; the limit of the service when omitted
    #[arg(short = 'd', long, value_name = "NUMBER")]
    max_depth: Option<u32>,
    #[command(flatten)]
    remotes: Remotes,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

pub(super) async fn check(arguments: CheckArguments) -> anyhow::Result<ExitCode> {
    let (namespace, object) = documents::object(&arguments.object)?;
    let mut body = json!({ "namespace": namespace, "object": object, "relation": arguments.relation });
    documents::set_subject(&mut body, &arguments.subject);
    if let Some(context) = &arguments.context {
        body["context"] = documents::context(context)?;
    }
    let remote = arguments.remotes.read()?;
    let path = ["relation-tuples", "check", "openapi"];
    let mut query = depth(arguments.max_depth);
    if arguments.explain {
        query.push(("explain", "true".to_owned()));
    }
    let answer = match remote.call(Method::POST, &path, &query, Some(&body)).await {
        Err(CallError::Refused { reason, nearest_miss: Some(steps), .. }) => {
            return unanswered(&reason, &steps, arguments.format);
        }
        answer => answer?,
    };
    let Some(allowed) = answer.get("allowed").and_then(Value::as_bool) else {
        bail!("the answer is not that of a check: is this a permission service?");
    };
    if !allowed {
        let subject = body["subject_set"]["namespace"].as_str();
        let namespaces = body["namespace"].as_str().into_iter().chain(subject);
        require_namespaces(&remote, namespaces).await?;
    }
    match (arguments.format, answer.get("explanation")) {
        (Format::Table, explanation) => {
            output::line(if allowed { "Allowed" } else { "Denied" })?;
            show(&explanation.unwrap_or(&Value::Null)[if allowed { "path" } else { "nearest_miss" }])?;
        }
        (Format::Json, None) => output::json(&json!({ "allowed": allowed }))?,
        (Format::Json, Some(explanation)) => {
            output::json(&json!({ "allowed": allowed, "explanation": explanation }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The API denies what it is asked about a namespace that it does not have; a person has misspelt it.
async fn require_namespaces(remote: &Remote, mut asked: impl Iterator<Item = &str>) -> anyhow::Result<()> {
    let found = remote.call(Method::GET, &["namespaces"], &[], None).await?;
    let all = found["namespaces"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(unknown) = asked.find(|namespace| all.iter().all(|it| it["name"] != **namespace)) else {
        return Ok(());
    };
    let nearest = spelling::nearest(all.iter().filter_map(|it| it["name"].as_str()), unknown);
    let hint = nearest.map_or_else(String::new, |name| format!("; did you mean \"{}\"?", output::visible(name)));
    bail!("there is no namespace \"{unknown}\" in the permission model{hint}")
}

/// The API expands a relation that it does not have to a node without children. A check says that there is none.
async fn require_relation(remote: &Remote, set: &Value) -> anyhow::Result<()> {
    let mut body = set.clone();
    body["subject_set"] = set.clone();
    let path = ["relation-tuples", "check", "openapi"];
    match remote.call(Method::POST, &path, &depth(Some(1)), Some(&body)).await {
        Err(CallError::Refused { reason, field: Some(field), .. }) if field == "relation" => bail!(reason),
        Err(unavailable @ CallError::Unavailable(_)) => Err(unavailable.into()),
        Ok(_) | Err(CallError::Refused { .. }) => Ok(()),
    }
}

pub(super) async fn explain(arguments: CheckArguments) -> anyhow::Result<ExitCode> {
    check(CheckArguments { explain: true, ..arguments }).await
}

/// A check without an answer: the reason, and how far it came.
fn unanswered(reason: &str, steps: &Value, format: Format) -> anyhow::Result<ExitCode> {
    match format {
        Format::Table => {
            output::line("No answer")?;
            show(steps)?;
        }
        Format::Json => output::json(&json!({ "error": reason, "explanation": { "nearest_miss": steps } }))?,
    }
    eprintln!("{}", output::visible(reason));
    Ok(ExitCode::FAILURE)
}

/// A line for each step. The operands of an expression are one level deeper than the expression.
fn show(steps: &Value) -> anyhow::Result<()> {
    for step in steps.as_array().map(Vec::as_slice).unwrap_or_default() {
        let level = step["level"].as_u64().and_then(|level| usize::try_from(level).ok()).unwrap_or_default();
        let indent = "  ".repeat(level.min(DEEPEST_LEVEL) + 1);
        output::line(&format!("{indent}{}", output::visible(step["text"].as_str().unwrap_or_default())))?;
    }
    Ok(())
}

pub(super) async fn expand(arguments: ExpandArguments) -> anyhow::Result<ExitCode> {
    let (namespace, object) = documents::object(&arguments.object)?;
    let set = json!({ "namespace": namespace, "object": object, "relation": arguments.relation });
    let mut query = vec![("namespace", namespace), ("object", object), ("relation", arguments.relation)];
    query.extend(depth(arguments.max_depth));
    let remote = arguments.remotes.read()?;
    let answer = match remote.answer(Method::GET, &["relation-tuples", "expand"], &query, None).await {
        Err(refused @ CallError::Refused { status: StatusCode::NOT_FOUND, field: Some(_), .. }) => {
            require_namespaces(&remote, set["namespace"].as_str().into_iter()).await?;
            return Err(refused.into());
        }
        answer => answer?,
    };
    let truncated = answer.headers().get("truncated").map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
    let mut tree = answer.into_body();
    // Without a relation it is the object itself.
    if tree["children"].as_array().is_none_or(Vec::is_empty) && set["relation"] != "" {
        require_relation(&remote, &set).await?;
    }
    match arguments.format {
        Format::Table => {
            let mut text = String::new();
            draw(&tree, "", "", &mut text);
            output::raw(text.as_bytes())?;
        }
        Format::Json => {
            // The member of the answer by remote procedure calls.
            if let (Some(members), Some(reason)) = (tree.as_object_mut(), &truncated) {
                members.insert("truncated".to_owned(), reason.as_str().into());
            }
            output::json(&tree)?;
        }
    }
    if let Some(reason) = truncated {
        eprintln!("the tree is not complete (truncated): {}", output::visible(&reason));
    }
    Ok(ExitCode::SUCCESS)
}

fn depth(max_depth: Option<u32>) -> Vec<(&'static str, String)> {
    max_depth.map(|depth| ("max-depth", depth.to_string())).into_iter().collect()
}

/// One line for each node. The parser of JSON bounds the depth.
fn draw(node: &Value, first: &str, others: &str, text: &mut String) {
    let subject = documents::subject_text(&node["tuple"]);
    let name = match (node["type"].as_str().unwrap_or_default(), subject) {
        ("leaf", Some(subject)) => subject,
        (kind, Some(subject)) => format!("{subject} ({kind})"),
        (kind, None) => format!("({kind})"),
    };
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{first}{}", output::visible(&name));
    let children = node["children"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (index, child) in children.iter().enumerate() {
        let (branch, rest) =
            if index + 1 == children.len() { ("└── ", "    ") } else { ("├── ", "│   ") };
        draw(child, &format!("{others}{branch}"), &format!("{others}{rest}"), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_drawn_with_a_line_for_each_node() {
        let set =
            |object: &str| json!({ "subject_set": { "namespace": "Group", "object": object, "relation": "members" } });
        let leaf = |id: &str| json!({ "type": "leaf", "tuple": { "subject_id": id } });
        let tree = json!({ "type": "union", "tuple": set("a"), "children": [
            { "type": "union", "tuple": set("b"), "children": [leaf("bob")] },
            { "type": "exclusion", "tuple": {}, "children": [leaf("e\u{1b}ve")] },
        ] });
        let mut text = String::new();
        draw(&tree, "", "", &mut text);
        assert_eq!(
            text,
            "Group:a#members (union)
├── Group:b#members (union)
│   └── bob
└── (exclusion)
    └── e\u{fffd}ve
"
        );
    }
}
