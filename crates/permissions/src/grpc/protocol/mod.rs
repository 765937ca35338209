//! The protocols of calls: reads the messages of a request, and writes those of an answer.
//!
//! Specifications: gRPC over HTTP/2 (`PROTOCOL-HTTP2`), gRPC-Web (`PROTOCOL-WEB`), the Connect protocol. The handlers of the methods
//! see only messages. Invariants:
//! - A message has a bound, which holds before and after decompression, and for the number of its fields. A body is not read
//!   beyond its bound.
//! - Whatever a client sends, the status is never `INTERNAL`.
//! - A call ends with its deadline, if it has one. The time for its body is bounded by the listener.
//! - A stream computes its next message when the client has taken the one before, so a slow client costs a message or two.
//!   It ends with its deadline and when its client leaves; the listener disconnects a client that does not read.
//! - Answers are not compressed.

mod body;
mod deadline;
mod encoding;
mod fields;
mod frames;
mod services;

pub(super) use body::Messages;
pub(super) use encoding::Unknown;
pub(super) use frames::Requests;
pub(super) use services::{Call, Procedure, Services};

#[cfg(test)]
mod tests;
