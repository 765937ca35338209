//! The Ory Permission Language: which relations the objects of a namespace have, and which permissions follow from them.
//!
//! Specification: the language of Ory Keto 26.3, a subset of TypeScript, and conditions, which are ours. The README describes
//! the grammar and the differences.
//!
//! ```
//! use permission_language::{SourceFile, format, parse, to_text};
//!
//! let text = "class User implements Namespace {}
//!     class Doc implements Namespace {
//!       related: { owners: User[] }
//!       permits = { edit: (ctx) => this.related.owners.includes(ctx.subject) }
//!     }";
//! let files = [SourceFile { name: "model.ts", text }];
//! let outcome = parse(&files);
//! for problem in &outcome.problems {
//!     eprintln!("{}", problem.render(&files));
//! }
//! let model = outcome.model.expect("no error prevents it");
//! assert_eq!(model.namespaces[1].permits[0].name, "edit");
//! assert!(format(text).is_ok() && to_text(&model).is_ok());
//! ```
//!
//! The way of a text: `lexer`, `parser` (to the tree of `syntax`), `check` and `lint` (with `names`), `lower` (to `model`).

mod check;
mod format;
mod lexer;
mod limits;
mod lint;
mod lower;
mod model;
mod names;
mod parse;
mod parser;
mod positions;
mod print;
mod problem;
mod problems;
mod quoting;
mod source;
mod syntax;

pub use format::{format, format_with};
pub use limits::{Limits, MAX_NESTING, MAX_PROBLEMS};
pub use model::{Condition, Expression, Model, Namespace, Permit, Relation, SubjectType};
pub use parse::{Outcome, parse, parse_with};
pub use positions::{Position, keto_position, position};
pub use print::{Unprintable, to_text};
pub use problem::{Kind, Problem, Severity};
pub use quoting::quote;
pub use source::{Place, SourceFile, Span};

#[cfg(test)]
mod tests;
