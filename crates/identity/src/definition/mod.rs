//! What `server` gets from this service.
//!
//! Invariants: keys, listeners and tables that are not declared here do not exist for `server`.

mod diagnosis;
mod missing;
mod remarks;

use base::causes::chain;
use base::seal::Purpose;
use serde_json::{Value, json};
use service::configuration::schema_of;
use service::{
    AdminListener, Building, Built, Configuration, Defaults, Definition, Diagnosing, ErrorFormat, Kind, Listener,
    Parts, PublicListener, Remote, RemoteApi, RemoteKey, Replaced, Report, Secrets,
};

use crate::{Config, Identity};

pub const DEFINITION: Definition = Definition {
    name: "identity",
    replaced: Some(Replaced {
        program: "kratos",
        default_file: None,
        environment_prefix: "KRATOS_",
        keys: &["selfservice", "courier", "session", "hashers", "ciphers", "oauth2_provider"],
        listeners: &[],
        // `identity` is our section and also a key of the replaced program's file, where it lists the schemas.
        recognizes: |file| {
            let keys = ["schemas", "default_schema_id", "default_schema_url"];
            file.get("identity").is_some_and(|it| keys.iter().any(|key| it.get(*key).is_some()))
        },
    }),
    configuration: Configuration {
        defaults,
        defaults_of_ours,
        without_effect: missing::WITHOUT_EFFECT,
        unsupported: missing::UNSUPPORTED,
        notices: missing::notices,
        missing_protections: missing::protections,
        public_urls: &[
            "serve.public.base_url",
            "selfservice.default_browser_return_url",
            "selfservice.flows.login.ui_url",
            "selfservice.flows.settings.ui_url",
        ],
        has_development_mode: true,
        ..Configuration::new(include_str!("../config.schema.json"), schema_of::<Config>)
    },
    secrets: Secrets {
        required: Some("default"),
        purpose: Purpose("identity secrets.default"),
        sealing: &["cipher", "default"],
        shared: &["cookie", "cipher", "pagination"],
    },
    migrations: Some(crate::MIGRATIONS),
    retention: crate::RETENTION,
    listeners: &[
        Listener {
            name: "public",
            port: 4433,
            url_keys: &["serve.public.base_url"],
            kind: Kind::Public(PublicListener {
                has_pages: true,
                is_start: true,
                is_first_page: Some(is_first_page),
                paths_of_clients: &[],
            }),
        },
        Listener {
            name: "admin",
            port: 4434,
            url_keys: &[],
            kind: Kind::Admin(AdminListener { answers_revision: true, ..AdminListener::API }),
        },
    ],
    remotes: &[Remote {
        service: "oauth",
        api: RemoteApi::OAuth2,
        url: RemoteKey {
            path: "oauth2_provider.url",
            description: "The URL of the admin API of the OAuth2 service, when it runs in another process.",
        },
        public_url: None,
        headers: RemoteKey {
            path: "oauth2_provider.headers",
            description: "Headers of requests to the OAuth2 service, by name.",
        },
    }],
    error_format: ErrorFormat::Rest,
    text_names: crate::components::courier::text_names,
    build: |parts, report| -> Building<'_> { Box::pin(build(parts, report)) },
    diagnose: |examined| -> Diagnosing<'_> { Box::pin(diagnosis::diagnose(examined)) },
};

fn is_first_page(path: &str) -> bool {
    let begins_flow = path.starts_with("/self-service/") && path.ends_with("/browser");
    let is_page = path == "/" || (path.starts_with("/ui/") && !path.starts_with("/ui/static/"));
    begins_flow || is_page || path == "/.well-known/change-password"
}

fn defaults(known: &Defaults<'_>) -> Vec<(&'static str, Value)> {
    let url = |listener| known.directory.base_url("identity", listener).map(Value::from);
    let public = url("public").map(|url| ("serve.public.base_url", url));
    public.into_iter().chain(url("admin").map(|url| ("serve.admin.base_url", url))).collect()
}

/// The defaults of a start without configuration: users can sign up, are signed in once they confirm their address, and can
/// recover their account. A file of the replaced program keeps that program's defaults.
fn defaults_of_ours() -> Value {
    json!({ "selfservice": { "flows": {
        "recovery": { "enabled": true },
        "verification": { "enabled": true },
        "registration": { "confirm_address_first": true },
    } } })
}

async fn build(parts: Parts, report: &mut Report) -> Option<Built> {
    let config: Config = parts.read_section(report)?;
    for adjustment in config.adjustments() {
        report.warn(adjustment.key, adjustment.message);
    }
    let identity = Identity::new(crate::Parts {
        config,
        database: parts.database,
        clock: parts.clock,
        rng: parts.rng,
        sealer: parts.sealer?,
        http: parts.http,
        ui: parts.ui,
        login_requests: parts.links.login_requests,
        subject_observer: parts.links.subject_observer,
        connections: parts.links.connections,
    });
    let identity = match identity {
        Ok(identity) => identity,
        Err(errors) => {
            errors.0.iter().for_each(|error| report.error(error));
            return None;
        }
    };
    if let Err(error) = identity.load_schemas().await {
        // The server of the schemas may still be starting; the next request tries again.
        let message =
            format!("a schema cannot be fetched yet; it is fetched again when it is needed: {}", chain(&error));
        report.warn("identity.schemas", message);
    }
    for remark in identity.remarks() {
        report.warn(remark.key, remark.message);
    }
    let built = Built {
        routers: vec![("public", identity.public_router()), ("admin", identity.admin_router())],
        handlers: identity.handlers(),
        ..Built::default()
    };
    parts.links.sessions.set(identity);
    Some(built)
}
