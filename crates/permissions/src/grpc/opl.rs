//! The service of Keto that checks a text of the Ory Permission Language.

use std::sync::Arc;

use permission_language::Position;
use web::rpc::Status;

use super::messages::opl;
use super::protocol::{Call, Procedure, Services};
use crate::Permissions;
use crate::operations::check_syntax::SyntaxError;

pub(super) fn check(services: Services<Arc<Permissions>>) -> Services<Arc<Permissions>> {
    services.unary(Procedure::at("/ory.keto.opl.v1alpha1.SyntaxService/Check"), syntax)
}

async fn syntax(
    permissions: Arc<Permissions>,
    _: Call,
    request: opl::CheckRequest,
) -> Result<opl::CheckResponse, Status> {
    let not_utf8 = |_| Status::invalid_argument("content: is not UTF-8").with_field("content");
    let text = String::from_utf8(request.content).map_err(not_utf8)?;
    let parse_errors = permissions.check_syntax(text).await.into_iter().map(message).collect();
    Ok(opl::CheckResponse { parse_errors })
}

fn message(error: SyntaxError) -> opl::ParseError {
    let SyntaxError { message, help: _, start, end } = error;
    opl::ParseError { message, start: Some(position(start)), end: Some(position(end)) }
}

fn position(Position { line, column }: Position) -> opl::SourcePosition {
    // Texts are far smaller than 4 GiB.
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    opl::SourcePosition { line: number(line), column: number(column) }
}
