//! Which keys have an effect. A key that a schema knows and no code obeys is reported at the start: nothing is ignored
//! in silence.

/// Whether `path` is covered by one of `patterns`: dotted paths in which `*` stands for one step. A pattern covers what
/// lies beneath it.
pub(super) fn covers(patterns: &[&str], path: &str) -> bool {
    patterns.iter().any(|pattern| {
        let mut steps = path.split('.');
        pattern.split('.').all(|wanted| steps.next().is_some_and(|step| wanted == "*" || wanted == step))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_step_and_a_pattern_covers_what_is_beneath() {
        let patterns = ["serve.public.port", "selfservice.flows.*.lifespan", "courier.smtp"];
        for path in ["serve.public.port", "selfservice.flows.login.lifespan", "courier.smtp.headers.x"] {
            assert!(covers(&patterns, path), "{path}");
        }
        for path in ["serve.public.host", "serve.public", "selfservice.flows.lifespan", "courier"] {
            assert!(!covers(&patterns, path), "{path}");
        }
    }
}
