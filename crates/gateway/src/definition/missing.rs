//! Settings of Oathkeeper that are not supported.

use service::Unsupported;

pub(super) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("serve.prometheus", "has no effect: metrics are at /metrics/prometheus of the listener serve.api"),
    (
        "security.decision.x_forwarded_headers",
        "has no effect: X-Forwarded-* of decision requests is accepted from serve.api.trusted_proxies, the loopback addresses by \
         default",
    ),
];

pub(super) const UNSUPPORTED: &[Unsupported] = &[
    Unsupported {
        text: "the authenticator oauth2_client_credentials is not supported yet: rules that name it are refused",
        keys: &["authenticators.oauth2_client_credentials"],
        switch: Some("authenticators.oauth2_client_credentials.enabled"),
    },
    Unsupported {
        text: "the mutator cookie is not supported yet: rules that name it are refused",
        keys: &["mutators.cookie"],
        switch: Some("mutators.cookie.enabled"),
    },
    Unsupported {
        text: "the mutator hydrator is not supported yet: rules that name it are refused",
        keys: &["mutators.hydrator"],
        switch: Some("mutators.hydrator.enabled"),
    },
];
