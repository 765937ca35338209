//! The pages against their snapshots, and the texts of their messages.

mod messages;
mod samples;
