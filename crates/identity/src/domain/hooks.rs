//! The configured hooks at the end of a flow, by name.

/// The built-in hooks that are configured for the end of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a name that the configuration can list")]
pub struct Hooks {
    pub session: bool,
    pub revoke_active_sessions: bool,
    pub require_verified_address: bool,
    pub show_verification_ui: bool,
    pub verification: bool,
}

impl Hooks {
    /// Reads a list of hook names. Unknown names are reported at start, not here.
    pub fn named<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut hooks = Self::default();
        for name in names {
            match name {
                "session" => hooks.session = true,
                "revoke_active_sessions" => hooks.revoke_active_sessions = true,
                "require_verified_address" => hooks.require_verified_address = true,
                "show_verification_ui" => hooks.show_verification_ui = true,
                "verification" => hooks.verification = true,
                _ => {}
            }
        }
        hooks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_parsed_by_name() {
        let hooks = Hooks::named(["session", "web_hook", "show_verification_ui"].into_iter());
        assert_eq!(hooks, Hooks { session: true, show_verification_ui: true, ..Hooks::default() });
    }
}
