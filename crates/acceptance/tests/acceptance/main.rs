//! Black-box tests against a real server. The folders correspond to the services; each test starts its own server on both
//! databases unless noted otherwise. `nodes` runs two servers on one PostgreSQL database; `apart` runs services in separate
//! processes; `fuzz_targets` compiles and runs those.

// The fuzz targets name the crate of their macro.
extern crate self as libfuzzer_sys;

mod apart;
mod demo;
mod fuzz_targets;
mod gateway;
mod health;
mod hostile;
mod identity;
mod nodes;
mod oauth;
mod permission_questions;
mod permissions;
mod private_authority;
mod redaction;
mod this_machine;

use fuzz_targets::fuzz_target;
