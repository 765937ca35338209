//! Black-box tests against a real server. The folders mirror the services; each test starts a server of its own on both
//! databases unless it says otherwise. `nodes` runs two servers on one PostgreSQL database; `apart` runs services in
//! processes of their own.

mod apart;
mod demo;
mod gateway;
mod health;
mod hostile;
mod identity;
mod nodes;
mod oauth;
mod private_authority;
mod redaction;
mod this_machine;
