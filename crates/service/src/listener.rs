//! The listeners of a service.

use base::bounds::BodyBounds;

/// A listener.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// Its name in the configuration, below `serve`.
    pub name: &'static str,
    /// The port when none is configured.
    pub port: u16,
    /// The keys of the URL under which clients reach the listener. The first one that is set is used.
    pub url_keys: &'static [&'static str],
    pub kind: Kind,
}

/// The clients of a listener, and its protocol.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Browsers and clients call it over HTTP.
    Public(PublicListener),
    /// Operators and programs call it over HTTP. It binds loopback unless it requires authentication.
    Admin(AdminListener),
    /// Requests to the applications behind it: the applications define paths and bodies.
    Proxy,
    /// Clients call it over gRPC, which requires HTTP/2. Its bodies are streams, which are not rewritten.
    Grpc,
}

#[derive(Clone, Copy, Debug)]
pub struct PublicListener {
    /// Whether people in a browser get errors as pages.
    pub has_pages: bool,
    /// Whether its root is the page where people begin.
    pub is_start: bool,
    /// Whether a page is one that begins a visit. It redirects to the configured URL.
    pub is_first_page: Option<fn(&str) -> bool>,
    /// Paths that only programs call, and that have CORS rules of their own.
    pub paths_of_clients: &'static [&'static str],
}

impl PublicListener {
    /// A listener without pages.
    pub const PLAIN: Self = Self { has_pages: false, is_start: false, is_first_page: None, paths_of_clients: &[] };
}

#[derive(Clone, Copy, Debug)]
pub struct AdminListener {
    /// Prefixes of paths that need no token, because probes have none.
    pub open_paths: &'static [&'static str],
    /// Whether a path without `/admin` is treated as one below it.
    pub is_below_admin: bool,
    /// The largest body of a route without a bound of its own.
    pub usual_body: BodyBounds,
    /// Whether callers act as the administrator.
    pub acts_as_admin: bool,
    /// Whether `/health/config` shows the revision of the configuration.
    pub answers_revision: bool,
    /// Prefixes of paths whose answers have the `X-Request-ID` of the request.
    pub repeats_request_id: &'static [&'static str],
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
        repeats_request_id: &[],
    };
}

impl Listener {
    pub const fn is_admin(&self) -> bool {
        matches!(self.kind, Kind::Admin(_))
    }
}

/// The format of errors that no handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorFormat {
    /// `{"error": {code, status, reason, message}}`.
    Rest,
    /// `{"error", "error_description"}` (RFC 6749 section 5.2).
    OAuth,
}
