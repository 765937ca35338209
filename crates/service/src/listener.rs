//! The listeners of a service.

use base::bounds::BodyBounds;

/// A listener.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// Its name in the configuration, below `serve`.
    pub name: &'static str,
    /// The port when none is configured.
    pub port: u16,
    /// The keys that say under which URL clients reach the listener. The first one that is set counts.
    pub url_keys: &'static [&'static str],
    pub kind: Kind,
}

/// Who calls a listener, and with what.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Browsers and clients call it over HTTP.
    Public(PublicListener),
    /// Operators and programs call it over HTTP. It stays on loopback unless it is guarded.
    Admin(AdminListener),
    /// Requests to applications behind it: every path and every body belongs to the application.
    Proxy,
    /// Clients call it over gRPC, which needs HTTP/2. Its bodies are streams, and nothing about them is rewritten.
    Grpc,
}

#[derive(Clone, Copy, Debug)]
pub struct PublicListener {
    /// Whether people in a browser get errors as pages.
    pub has_pages: bool,
    /// Whether its root is the page where people begin.
    pub is_start: bool,
    /// Whether a page is one by which a browser begins a visit. It is then redirected to the configured URL.
    pub is_first_page: Option<fn(&str) -> bool>,
    /// Paths that only programs call, and which have rules of their own for other origins.
    pub paths_of_clients: &'static [&'static str],
}

impl PublicListener {
    /// A listener without pages.
    pub const PLAIN: Self = Self { has_pages: false, is_start: false, is_first_page: None, paths_of_clients: &[] };
}

#[derive(Clone, Copy, Debug)]
pub struct AdminListener {
    /// Beginnings of paths that need no token: probes carry none.
    pub open_paths: &'static [&'static str],
    /// Whether a path without `/admin` is one below it.
    pub is_below_admin: bool,
    /// The largest body of a route that does not say otherwise.
    pub usual_body: BodyBounds,
    /// Whether callers act as the administrator.
    pub acts_as_admin: bool,
    /// Whether `/health/config` answers the revision of the configuration.
    pub answers_revision: bool,
}

impl AdminListener {
    /// Paths without a token below `/admin`.
    pub const OPEN_PATHS: &[&str] = &["/health/", "/admin/health/", "/version", "/admin/version"];

    /// An admin API below `/admin`.
    pub const API: Self = Self {
        open_paths: Self::OPEN_PATHS,
        is_below_admin: true,
        usual_body: base::bounds::DOCUMENT,
        acts_as_admin: true,
        answers_revision: false,
    };
}

impl Listener {
    pub const fn is_admin(&self) -> bool {
        matches!(self.kind, Kind::Admin(_))
    }
}

/// The form of errors that are not answered by a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorFormat {
    /// `{"error": {code, status, reason, message}}`.
    Rest,
    /// `{"error", "error_description"}` (RFC 6749 section 5.2).
    OAuth,
}
