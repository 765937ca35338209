//! The service through its routers, as browsers, clients, operators and the operator's applications see it.

mod authorization;
mod token;
