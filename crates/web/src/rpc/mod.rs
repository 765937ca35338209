//! Remote procedure calls on a listener that also has a REST API: gRPC, gRPC-Web and Connect.
//!
//! Specifications: gRPC over HTTP/2 (`PROTOCOL-HTTP2`), gRPC-Web (`PROTOCOL-WEB`), the Connect protocol. This module has what every
//! layer needs: the [protocol](Form) of a request, and the [`Status`] of a failed call in that protocol. The services have the
//! rest.
//!
//! Invariants:
//! - A call is answered in its own protocol, also when a layer before the service refuses it ([`answer_refusals`]).
//! - A page of another origin cannot send a call without a preflight request: every [form](Form) has a media type that a page may
//!   not set by itself (Fetch standard, section 2.2.2), and other media types are refused.

mod code;
mod form;
mod refusals;
mod status;

pub use code::Code;
pub use form::{Encoding, Form, Protocol, is_procedure};
pub use refusals::answer_refusals;
pub use status::{Answered, Status, trailer_frame};
