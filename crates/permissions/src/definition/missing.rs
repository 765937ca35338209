//! Settings of Keto that are not supported.

use service::Unsupported;

pub(super) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("$schema", "has no effect: the schema of this version is used"),
    ("namespaces.*.$schema", "has no effect: the schema of this version is used"),
    ("namespaces.*.id", "has no effect: namespaces are known by their names"),
    ("namespaces.*.config", "has no effect: a namespace of this format has no settings"),
    ("limit.batch_check_max_parallelization", "has no effect: the checks of a batch are evaluated together"),
    ("secrets.pagination", "has no effect: tokens of pages are sealed with a secret that is kept in the database"),
    ("serve.*.write_listen_file", "has no effect: the log shows the addresses of the listeners"),
];

pub(super) const UNSUPPORTED: &[Unsupported] = &[];
