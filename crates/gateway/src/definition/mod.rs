//! The definition of this service for `server`.
//!
//! Invariant: `server` uses only the keys and listeners that are defined here.

mod missing;

use std::sync::Arc;

use async_trait::async_trait;
use base::causes::chain;
use jose::{Algorithm, Jwk, JwkSet};
use serde_json::Value;
use service::configuration::schema_of;
use service::{
    AdminListener, Building, Built, Check, Configuration, Defaults, Definition, Diagnosing, ErrorFormat, Kind,
    Listener, Parts, Remote, RemoteApi, RemoteKey, Replaced, Report, Secrets,
};

use crate::{Config, Gateway, LocalServices};

pub const DEFINITION: Definition = Definition {
    name: "gateway",
    replaced: Some(Replaced {
        program: "oathkeeper",
        default_file: None,
        environment_prefix: "OATHKEEPER_",
        keys: &["access_rules", "authenticators", "authorizers", "mutators", "errors"],
        listeners: &["proxy", "api"],
        recognizes: |_| false,
    }),
    configuration: Configuration {
        defaults,
        without_effect: missing::WITHOUT_EFFECT,
        unsupported: missing::UNSUPPORTED,
        ..Configuration::new(include_str!("../config.schema.json"), schema_of::<Config>)
    },
    // It signs with the keys that its rules name.
    secrets: Secrets::NONE,
    // Rules are in files, and sessions in the other services.
    migrations: None,
    retention: &[],
    listeners: &[
        Listener { name: "proxy", port: 4455, url_keys: &[], kind: Kind::Proxy },
        Listener {
            name: "api",
            port: 4456,
            url_keys: &[],
            kind: Kind::Admin(AdminListener {
                // Proxies that ask for decisions send the credentials of the original request.
                open_paths: &["/health/", "/version", "/decisions", "/.well-known/"],
                is_below_admin: false,
                // Bodies of decision requests are passed on without decoding.
                usual_body: base::bounds::LIST,
                // A decision depends on the request that it is about.
                acts_as_admin: false,
                answers_revision: false,
                repeats_request_id: &[],
            }),
        },
    ],
    remotes: &[Remote {
        service: "permissions",
        api: RemoteApi::Permissions,
        url: RemoteKey {
            path: "permissions.url",
            description: "The URL of the read API of the permission service, when it runs in another process.",
        },
        public_url: None,
        headers: RemoteKey {
            path: "permissions.headers",
            description: "Headers of requests to the permission service, by name.",
        },
    }],
    error_format: ErrorFormat::Rest,
    text_names: Vec::new,
    build: |parts, report| -> Building<'_> { Box::pin(build(parts, report)) },
    diagnose: |_| -> Diagnosing<'_> { Box::pin(async { Vec::new() }) },
};

/// The trusted proxies when the section lists none: the global list, or the loopback addresses.
fn defaults(known: &Defaults<'_>) -> Vec<(&'static str, Value)> {
    if known.trusted_proxies.as_array().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    let keys = ["serve.proxy.trusted_proxies", "serve.api.trusted_proxies"];
    keys.map(|key| (key, known.trusted_proxies.clone())).into()
}

async fn build(parts: Parts, report: &mut Report) -> Option<Built> {
    let config = parts.read_section::<Config>(report);
    let generated_keys = generated_keys(&parts).map_err(|error| report.fault("", chain(error.as_ref()))).ok();
    let gateway = Gateway::new(crate::Parts {
        config: config?,
        rng: parts.rng,
        http: parts.http,
        sessions: parts.links.sessions,
        introspection: parts.links.introspection,
        permissions: parts.links.permissions,
        local: LocalServices {
            identity: parts.directory.urls("identity", &["public", "admin"]),
            oauth: parts.directory.urls("oauth", &["public", "admin"]),
        },
        generated_keys: generated_keys?,
        keeps_generated_keys: parts.files.is_some(),
    });
    let gateway = gateway.map_err(|error| report.error(&error)).ok()?;
    // Without its rules the gateway reports that it is not ready and keeps retrying; an invalid rule lets no request
    // through.
    let _ = gateway.load_rules().await;
    for fault in gateway.rule_faults().await {
        report.fail("access_rules.repositories", fault);
    }
    let mut built = Built {
        routers: vec![("proxy", gateway.public_router()), ("api", gateway.admin_router())],
        checks: vec![Arc::new(RulesLoaded(gateway.clone()))],
        ..Built::default()
    };
    built.beside(move |stopped| async move {
        gateway.watch_rules(stopped).await;
        gateway.close_tunnels().await;
    });
    Some(built)
}

/// The gateway has at least one rule.
struct RulesLoaded(Arc<Gateway>);

#[async_trait]
impl Check for RulesLoaded {
    fn name(&self) -> &'static str {
        "rules_loaded"
    }

    async fn run(&self) -> Result<(), String> {
        self.0.readiness().fault().map_or(Ok(()), |(_, reason)| Err(reason.to_owned()))
    }
}

/// The default signing keys: stored with the other generated secrets, or generated for this process only.
fn generated_keys(parts: &Parts) -> Result<JwkSet, Box<dyn std::error::Error + Send + Sync>> {
    const FILE: &str = "gateway-keys.json";
    let key = Jwk::generate(Algorithm::ES256, parts.rng.uuid().to_string())?;
    let fresh = JwkSet { keys: vec![key] };
    let Some(files) = &parts.files else { return Ok(fresh) };
    let kept = files.kept(FILE, &|kept| JwkSet::parse(kept).is_ok(), &|| fresh.to_private_value())?;
    Ok(JwkSet::parse(&kept)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use service::Directory;

    use super::*;

    #[test]
    fn the_gateway_trusts_the_listed_proxies_or_by_default_the_local_machine() {
        let directory = Directory::default();
        let listed = |proxies: Value| {
            defaults(&Defaults { section: &json!({}), trusted_proxies: &proxies, directory: &directory })
        };
        assert_eq!(listed(json!([])), []);
        let proxies = json!(["10.0.0.0/8"]);
        let wanted = ["serve.proxy.trusted_proxies", "serve.api.trusted_proxies"].map(|key| (key, proxies.clone()));
        assert_eq!(listed(proxies), wanted);
        let config = Config::default();
        assert!(config.serve.proxy.trusted_proxies.contains("127.0.0.1".parse().unwrap()));
        assert!(config.serve.api.trusted_proxies.contains("127.0.0.1".parse().unwrap()));
    }
}
