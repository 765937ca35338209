//! The text format that preceded `OpenMetrics`, version 0.0.4 of Prometheus. Every scraper reads it.
//!
//! Its samples are the same. A family has the name of its samples, which for a counter ends in `_total`; there are no units, and
//! no mark of the end.

/// `OpenMetrics` text without exemplars in the older format.
pub(super) fn of(text: &str) -> String {
    let mut older = String::with_capacity(text.len() + text.len() / 16);
    let mut push = |parts: &[&str]| {
        for part in parts {
            older.push_str(part);
        }
        older.push('\n');
    };
    let mut help = None;
    for line in text.lines() {
        let comment = line.strip_prefix("# ").and_then(|rest| rest.split_once(' '));
        match comment.and_then(|(word, rest)| Some((word, rest.split_once(' ')?))) {
            // Its name depends on the type, which follows.
            Some(("HELP", (_, what))) => help = Some(what),
            Some(("TYPE", (name, kind))) => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", kind),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    _ => ("", kind),
                };
                if let Some(help) = help.take() {
                    push(&["# HELP ", name, suffix, " ", help]);
                }
                push(&["# TYPE ", name, suffix, " ", kind]);
            }
            _ if line.starts_with('#') => {}
            _ => push(&[line]),
        }
    }
    older
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_older_format_names_a_counter_with_its_suffix_and_has_no_units() {
        let text = "# HELP requests Requests.\n# TYPE requests counter\nrequests_total{app=\"a # b\"} 1\n\
                    # HELP size_bytes Size.\n# TYPE size_bytes gauge\n# UNIT size_bytes bytes\nsize_bytes 2\n\
                    # TYPE other unknown\nother 3\n# EOF\n";
        let older = "# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{app=\"a # b\"} 1\n\
                     # HELP size_bytes Size.\n# TYPE size_bytes gauge\nsize_bytes 2\n# TYPE other untyped\nother 3\n";
        assert_eq!(super::of(text), older);
    }
}
