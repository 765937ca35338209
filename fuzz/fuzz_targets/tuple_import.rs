//! Files of relation tuples that the command line imports: reading never panics, a tuple has the members of the API, and what was
//! read can be written as lines and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use server::cli::relation_tuples_of_file;

const MEMBERS: [&str; 7] = ["namespace", "object", "relation", "subject_id", "subject_set", "condition", "expires_at"];

fuzz_target!(|text: &str| {
    let Ok(tuples) = relation_tuples_of_file(text) else { return };
    let mut lines = String::new();
    for tuple in &tuples {
        let members = tuple.as_object().expect("a tuple is an object");
        assert!(members.keys().all(|name| MEMBERS.contains(&name.as_str())), "{tuple}");
        lines.push_str(&tuple.to_string());
        lines.push('\n');
    }
    assert_eq!(relation_tuples_of_file(&lines).expect(&lines).len(), tuples.len(), "{lines}");
});
