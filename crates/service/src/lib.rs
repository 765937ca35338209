//! What a service crate tells `server` about itself.
//!
//! What always holds: `server` knows the services by what they export here, and keeps no list of its own about them.

pub mod configuration;
