//! The definition of this service for `server`.
//!
//! Invariant: `server` uses only the keys, listeners and tables that are defined here.

mod diagnosis;
mod missing;

use base::seal::Purpose;
use base::{Context, RequestId, TenantId};
use serde_json::Value;
use service::configuration::{schema_of, values};
use service::{
    AdminListener, Building, Built, Configuration, Defaults, Definition, Diagnosing, ErrorFormat, Kind, Listener,
    Parts, PublicListener, Remote, RemoteApi, RemoteKey, Replaced, Report, Secrets,
};

use crate::{Config, OAuth, PATHS_OF_CLIENTS};

pub const DEFINITION: Definition = Definition {
    name: "oauth",
    replaced: Some(Replaced {
        program: "hydra",
        default_file: None,
        environment_prefix: "HYDRA_",
        keys: &["urls", "oauth2", "oidc", "strategies", "ttl", "webfinger", "hsm"],
        listeners: &["public", "admin"],
        recognizes: |_| false,
    }),
    configuration: Configuration {
        defaults,
        without_effect: missing::WITHOUT_EFFECT,
        unsupported: missing::UNSUPPORTED,
        notices: missing::notices,
        missing_protections: missing::protections,
        public_urls: &["urls.self.issuer", "urls.self.public", "urls.login", "urls.consent", "urls.logout"],
        has_development_mode: true,
        ..Configuration::new(include_str!("../config.schema.json"), schema_of::<Config>)
    },
    secrets: Secrets {
        required: Some("system"),
        purpose: Purpose("oauth secrets.system"),
        sealing: &["system"],
        shared: &["cookie", "pagination"],
    },
    migrations: Some(crate::MIGRATIONS),
    retention: crate::RETENTION,
    listeners: &[
        Listener {
            name: "public",
            port: 4444,
            url_keys: &["urls.self.public", "urls.self.issuer"],
            kind: Kind::Public(PublicListener {
                has_pages: true,
                is_start: false,
                is_first_page: Some(|path| ["/oauth2/auth", "/oauth2/sessions/logout"].contains(&path)),
                paths_of_clients: PATHS_OF_CLIENTS,
            }),
        },
        Listener { name: "admin", port: 4445, url_keys: &["urls.self.admin"], kind: Kind::Admin(AdminListener::API) },
    ],
    remotes: &[Remote {
        service: "identity",
        api: RemoteApi::Sessions,
        url: RemoteKey {
            path: "urls.identity_provider.url",
            description: "The URL of the admin API of the identity service, when it runs in another process.",
        },
        public_url: Some(RemoteKey {
            path: "urls.identity_provider.publicUrl",
            description: "The URL of the public API of the identity service, when it runs in another process.",
        }),
        headers: RemoteKey {
            path: "urls.identity_provider.headers",
            description: "Headers of requests to the identity service, by name.",
        },
    }],
    error_format: ErrorFormat::OAuth,
    text_names: crate::pages::texts::Texts::names,
    build: |parts, report| -> Building<'_> { Box::pin(async move { build(parts, report) }) },
    diagnose: |examined| -> Diagnosing<'_> { Box::pin(async move { diagnosis::diagnose(&examined) }) },
};

fn defaults(known: &Defaults<'_>) -> Vec<(&'static str, Value)> {
    let mut defaults = Vec::new();
    let remote = values::text(known.section, "urls.identity_provider.publicUrl");
    if let Some(identity) = known.directory.base_url("identity", "public").or(remote) {
        let identity = identity.trim_end_matches('/');
        defaults.push(("urls.login", format!("{identity}/self-service/login/browser").into()));
        defaults.push(("urls.registration", format!("{identity}/self-service/registration/browser").into()));
    }
    if let Some(public) = known.directory.base_url("oauth", "public") {
        // OpenID Connect Discovery section 4.1 removes the trailing slash anyway; without it, comparing issuers is simpler.
        defaults.push(("urls.self.issuer", public.trim_end_matches('/').into()));
    }
    defaults.extend(known.directory.base_url("oauth", "admin").map(|admin| ("urls.self.admin", admin.into())));
    defaults
}

fn build(parts: Parts, report: &mut Report) -> Option<Built> {
    let config: Config = parts.read_section(report)?;
    let (now, request_id) = (parts.clock.now(), RequestId(parts.rng.uuid()));
    let oauth = OAuth::new(crate::Parts {
        config,
        database: parts.database,
        clock: parts.clock,
        rng: parts.rng,
        sealer: parts.sealer?,
        http: parts.http,
        sessions: parts.links.sessions,
        ui: parts.ui,
    });
    let oauth = oauth.map_err(|error| report.error(&error)).ok()?;
    let mut built = Built {
        routers: vec![("public", oauth.public_router()), ("admin", oauth.admin_router())],
        handlers: oauth.handlers(),
        ..Built::default()
    };
    let cx = Context::for_background(now, TenantId::DEFAULT, request_id);
    built.beside({
        let oauth = oauth.clone();
        // Generate keys in advance, concurrently with the first requests: an RSA key takes longer than the rest of the
        // start.
        move |mut stopped| async move {
            if let Err(error) = Box::pin(oauth.key_sets.published(&cx)).await {
                tracing::warn!(error = &error as &(dyn std::error::Error + 'static), "signing keys are not ready yet");
            }
            drop(stopped.wait_for(|stopped| *stopped).await);
        }
    });
    parts.links.introspection.set(oauth.clone());
    parts.links.login_requests.set(oauth.clone());
    parts.links.connections.set(oauth.clone());
    parts.links.subject_observer.set(oauth);
    Some(built)
}
