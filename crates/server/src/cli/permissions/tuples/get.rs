//! `get` and `delete-all`: the relation tuples that match.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use http::Method;
use permissions::domain::relation_tuple::{Subject, SubjectSet};
use serde_json::{Value, json};

use super::super::super::output::{self, counted};
use super::super::remote::Remotes;
use super::write::{Presentation, show};

/// Which relation tuples; all when nothing is named.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Filter {
    #[arg(long)]
    pub(super) namespace: Option<String>,
    #[arg(long)]
    object: Option<String>,
    #[arg(long)]
    relation: Option<String>,
    #[arg(long, conflicts_with = "subject_set")]
    subject_id: Option<String>,
    /// NAMESPACE:OBJECT or NAMESPACE:OBJECT#RELATION
    #[arg(long)]
    subject_set: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    filter: Filter,
    /// Relation tuples on a page
    #[arg(long, default_value_t = 100)]
    page_size: u32,
    /// Token of the next page, as printed below the last one
    #[arg(long)]
    page_token: Option<String>,
    #[command(flatten)]
    remotes: Remotes,
    #[command(flatten)]
    presentation: Presentation,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DeleteArguments {
    #[command(flatten)]
    filter: Filter,
    /// Without it the first 100 are listed and nothing is deleted
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    remotes: Remotes,
    #[command(flatten)]
    presentation: Presentation,
}

impl Filter {
    /// The parameters of the query.
    pub(super) fn query(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let parts = [("namespace", &self.namespace), ("object", &self.object), ("relation", &self.relation)];
        let mut query: Vec<(&'static str, String)> =
            parts.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
        query.extend(self.subject_id.clone().map(|id| ("subject_id", id)));
        if let Some(text) = &self.subject_set {
            let Subject::Set(SubjectSet { namespace, object, relation }) = Subject::from_text(text) else {
                bail!("--subject-set: \"{text}\" lacks a \":\": write NAMESPACE:OBJECT#RELATION");
            };
            query.push(("subject_set.namespace", namespace));
            query.push(("subject_set.object", object));
            query.push(("subject_set.relation", relation));
        }
        Ok(query)
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut query = arguments.filter.query()?;
    query.push(("page_size", arguments.page_size.to_string()));
    query.extend(arguments.page_token.map(|token| ("page_token", token)));
    let page = arguments.remotes.read()?.call(Method::GET, &["relation-tuples"], &query, None).await?;
    let token = page["next_page_token"].as_str().unwrap_or_default();
    if arguments.presentation.is_json() {
        let tuples = &page["relation_tuples"];
        output::json(&json!({ "relation_tuples": tuples, "next_page_token": token }))?;
        return Ok(ExitCode::SUCCESS);
    }
    show(arguments.presentation, tuples_of(&page))?;
    if !token.is_empty() {
        eprintln!("next page: --page-token {token}");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn delete_all(arguments: DeleteArguments) -> anyhow::Result<ExitCode> {
    if arguments.filter.namespace.is_none() {
        bail!("--namespace is required: relation tuples of all namespaces are not deleted by one command");
    }
    let mut query = arguments.filter.query()?;
    if arguments.force {
        let remote = arguments.remotes.write()?;
        let answer = remote.answer(Method::DELETE, &["admin", "relation-tuples"], &query, None).await?;
        // Keto does not say how many.
        let count = answer.headers().get("deleted").and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
        if arguments.presentation.is_json() {
            output::json(&json!({ "deleted": count }))?;
        } else {
            let tuples = count.map_or_else(
                || "relation tuples".to_owned(),
                |count| counted(count, "relation tuple", "relation tuples"),
            );
            output::line(&format!("{tuples} deleted"))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    query.push(("page_size", "100".to_owned()));
    let page = arguments.remotes.read()?.call(Method::GET, &["relation-tuples"], &query, None).await?;
    show(arguments.presentation, tuples_of(&page))?;
    let has_more = page["next_page_token"].as_str().is_some_and(|token| !token.is_empty());
    let more = if has_more { " and others" } else { "" };
    eprintln!("nothing was deleted: --force deletes these{more}");
    Ok(ExitCode::SUCCESS)
}

pub(super) fn tuples_of(page: &Value) -> &[Value] {
    page["relation_tuples"].as_array().map(Vec::as_slice).unwrap_or_default()
}
