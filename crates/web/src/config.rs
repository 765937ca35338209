//! Configuration values that several services share.

/// A flag in every spelling of Go's `strconv.ParseBool`, which the replaced programs read flags with.
pub fn parse_go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
