//! `selfservice.flows`: pages, lifespans, and the hooks and return URLs of each flow.

use std::collections::BTreeMap;

use base::GoDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::RequiredAal;

const HOUR: GoDuration = GoDuration::from_seconds(3600);

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Flows {
    pub login: LoginFlow,
    pub registration: RegistrationFlow,
    pub settings: SettingsFlow,
    pub recovery: RecoveryFlow,
    pub verification: VerificationFlow,
    pub logout: LogoutFlow,
    pub error: ErrorFlow,
}

/// The supported hooks. Others are valid in the configuration but are not run.
const HOOKS: [&str; 5] =
    ["session", "revoke_active_sessions", "require_verified_address", "show_verification_ui", "verification"];

impl Flows {
    /// Configured hooks that are not supported, with the path of each.
    pub fn unperformed_hooks(&self) -> Vec<String> {
        let flows = [
            ("login", &self.login.before, &self.login.after),
            ("registration", &self.registration.before, &self.registration.after),
            ("settings", &self.settings.before, &self.settings.after),
            ("recovery", &self.recovery.before, &self.recovery.after),
            ("verification", &self.verification.before, &self.verification.after),
        ];
        let mut found = Vec::new();
        for (flow, before, after) in flows {
            // No hook runs before a flow.
            list(&mut found, &format!("{flow}.before"), &before.hooks, &[]);
            list(&mut found, &format!("{flow}.after"), &after.hooks, &HOOKS);
            for (method, settings) in &after.methods {
                list(&mut found, &format!("{flow}.after.{method}"), &settings.hooks, &HOOKS);
            }
        }
        found
    }
}

fn list(found: &mut Vec<String>, place: &str, hooks: &[Hook], performed: &[&str]) {
    let unknown = hooks.iter().enumerate().filter(|(_, hook)| !performed.contains(&hook.hook.as_str()));
    found.extend(unknown.map(|(index, hook)| format!("selfservice.flows.{place}.hooks.{index}: {}", hook.hook)));
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LoginFlow {
    /// The page that shows this flow. Unset, it is the built-in page.
    pub ui_url: Option<String>,
    /// How long the flow can be completed.
    pub lifespan: GoDuration,
    /// Whether the login form asks for all fields at once (`unified`) or for the identifier first.
    pub style: LoginStyle,
    // No hook runs before a flow.
    #[schemars(skip)]
    pub before: Before,
    pub after: After,
}

impl Default for LoginFlow {
    fn default() -> Self {
        Self {
            ui_url: None,
            lifespan: HOUR,
            style: LoginStyle::default(),
            before: Before::default(),
            after: After::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoginStyle {
    #[default]
    Unified,
    IdentifierFirst,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the configuration file")]
pub struct RegistrationFlow {
    /// Whether users can sign up.
    pub enabled: bool,
    /// Whether a registration with a taken identifier shows how its owner signs in. This reveals which accounts exist.
    pub login_hints: bool,
    /// The page that shows this flow. Unset, it is the built-in page.
    pub ui_url: Option<String>,
    /// How long the flow can be completed.
    pub lifespan: GoDuration,
    /// Whether the registration form asks for the profile first, or for all fields at once (`unified`).
    pub style: RegistrationStyle,
    /// Whether the form asks for all fields at once, as in older versions of Kratos.
    pub enable_legacy_one_step: bool,
    /// Whether an account is created only when its address is confirmed. The browser that signed up is then signed in. On by
    /// default without a configuration file of Kratos.
    pub confirm_address_first: bool,
    // No hook runs before a flow.
    #[schemars(skip)]
    pub before: Before,
    pub after: After,
}

impl Default for RegistrationFlow {
    fn default() -> Self {
        Self {
            enabled: true,
            login_hints: false,
            ui_url: None,
            lifespan: HOUR,
            style: RegistrationStyle::default(),
            enable_legacy_one_step: false,
            confirm_address_first: false,
            before: Before::default(),
            after: After::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationStyle {
    #[default]
    ProfileFirst,
    Unified,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SettingsFlow {
    /// The page that shows this flow. Unset, it is the built-in page.
    pub ui_url: Option<String>,
    /// How long the flow can be completed.
    pub lifespan: GoDuration,
    /// How old a sign-in may be when a user changes credentials. After that, they sign in again.
    pub privileged_session_max_age: GoDuration,
    /// The assurance level that the settings demand: `aal1`, or `highest_available` for the second factor of every
    /// user who has one.
    #[schemars(with = "String")]
    pub required_aal: RequiredAal,
    // No hook runs before a flow.
    #[schemars(skip)]
    pub before: Before,
    pub after: After,
}

impl Default for SettingsFlow {
    fn default() -> Self {
        Self {
            ui_url: None,
            lifespan: HOUR,
            privileged_session_max_age: HOUR,
            required_aal: RequiredAal::default(),
            before: Before::default(),
            after: After::default(),
        }
    }
}

/// How a user proves that they own an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FlowUse {
    #[default]
    Code,
    Link,
}

macro_rules! address_flow {
    ($name:ident) => {
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct $name {
            /// Whether the flow is offered. On by default without a configuration file of Kratos.
            pub enabled: bool,
            /// The page that shows this flow. Unset, it is the built-in page.
            pub ui_url: Option<String>,
            /// How long the flow can be completed.
            pub lifespan: GoDuration,
            /// Whether the message carries a code or a link.
            #[serde(rename = "use")]
            pub used: FlowUse,
            /// Whether an address without an account receives a notice.
            pub notify_unknown_recipients: bool,
            // No hook runs before a flow.
            #[schemars(skip)]
            pub before: Before,
            pub after: After,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    enabled: false,
                    ui_url: None,
                    lifespan: HOUR,
                    used: FlowUse::default(),
                    notify_unknown_recipients: false,
                    before: Before::default(),
                    after: After::default(),
                }
            }
        }
    };
}

address_flow!(RecoveryFlow);
address_flow!(VerificationFlow);

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogoutFlow {
    /// Whether logout deletes the cookies and the storage of the site in the browser (`Clear-Site-Data`).
    pub clear_browser_data: bool,
    pub after: LogoutAfter,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogoutAfter {
    /// Where a browser goes after logout. Unset, it is `selfservice.default_browser_return_url`.
    pub default_browser_return_url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ErrorFlow {
    /// The page that shows this flow. Unset, it is the built-in page.
    pub ui_url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Before {
    pub hooks: Vec<Hook>,
}

/// The configuration that applies after a flow, for all methods and by method.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct After {
    /// Where a browser goes after the flow. Unset, it is `selfservice.default_browser_return_url`.
    pub default_browser_return_url: Option<String>,
    pub hooks: Vec<Hook>,
    #[serde(flatten)]
    pub methods: BTreeMap<String, MethodAfter>,
}

impl After {
    /// The hooks of a method. The hooks of the flow apply only when the method has none.
    pub fn hooks_of(&self, method: &str) -> &[Hook] {
        match self.methods.get(method) {
            Some(after) if !after.hooks.is_empty() => &after.hooks,
            _ => &self.hooks,
        }
    }

    /// Where a browser goes, unless it requested another URL.
    pub fn return_url_of(&self, method: &str) -> Option<&str> {
        let own = self.methods.get(method).and_then(|after| after.default_browser_return_url.as_deref());
        own.or(self.default_browser_return_url.as_deref())
    }
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MethodAfter {
    /// Where a browser goes after the flow by this method. Unset, it is the URL of the flow.
    pub default_browser_return_url: Option<String>,
    pub hooks: Vec<Hook>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Hook {
    /// The name of the hook: `session`, `revoke_active_sessions`, `require_verified_address`, `show_verification_ui` or
    /// `verification`. Other hooks are reported at the start.
    pub hook: String,
}
