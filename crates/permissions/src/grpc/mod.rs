//! The services of gRPC, gRPC-Web and Connect on each listener: those of Keto, ours, health and reflection.
//!
//! A handler decodes its request to domain values, calls one operation and returns a message, like one in `http/`. The `.proto`
//! files in `proto/` are the contract: the packages of Keto keep its names and numbers, and what Keto cannot express is in
//! `kleis.permissions.v1`.

mod checks;
mod errors;
mod health;
mod keto;
mod kleis;
mod lists;
pub mod messages;
mod opl;
mod protocol;
mod questions;
mod reflection;
mod reverse_lists;
#[cfg(test)]
mod tests;
mod watch;
mod wire;

use std::sync::Arc;

use axum::Router;

use self::protocol::Services;
use crate::Permissions;

pub(crate) use health::PATH as HEALTH;
pub(crate) use keto::PATH_OF_VERSION as VERSION;

pub(crate) fn read_routes(permissions: Arc<Permissions>) -> Router {
    let services = checks::read(keto::read(Services::new(permissions)));
    complete(reverse_lists::read(questions::read(watch::read(kleis::read(services)))))
}

pub(crate) fn write_routes(permissions: Arc<Permissions>) -> Router {
    complete(kleis::write(keto::write(Services::new(permissions))))
}

pub(crate) fn opl_routes(permissions: Arc<Permissions>) -> Router {
    complete(opl::check(Services::new(permissions)))
}

fn complete(services: Services<Arc<Permissions>>) -> Router {
    reflection::add(health::add(keto::version(services))).into_router()
}
