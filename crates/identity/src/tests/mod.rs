//! The service over its routers, on both engines.

mod admin;
mod journey;
mod self_service;
