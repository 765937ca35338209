//! Bounds of the inputs of a request. Every layer uses these numbers: the routers for bodies and targets, the extractors for
//! JSON and forms, `oauth-types` for parameters. `docs/bounds.md` lists them for operators.
//!
//! Invariant: parsing a request within these bounds takes time and memory proportional to its size.

/// Bounds of one request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyBounds {
    pub bytes: usize,
    /// Values and member names of a JSON document, counted together: `{"a":[1,2]}` has five.
    pub json_values: usize,
}

/// Endpoints that anyone can call: self-service flows, token, authorization, revocation, userinfo, logout, the pages, and
/// introspection. The number of bytes is configurable (`bounds.submission_bytes`).
pub const SUBMISSION: BodyBounds = BodyBounds { bytes: 128 * 1024, json_values: 8 * 1024 };

/// Endpoints of an admin API that take one document: an identity, a client, an answer to a login request.
pub const DOCUMENT: BodyBounds = BodyBounds { bytes: 1024 * 1024, json_values: 32 * 1024 };

/// Endpoints of an admin API that take a list of documents, such as the import of identities.
pub const LIST: BodyBounds = BodyBounds { bytes: 5 * 1024 * 1024, json_values: 256 * 1024 };

/// Requests to [`LIST`] endpoints that are parsed and executed at the same time, besides those of a [`SMALL_LIST`]; others wait.
pub const LISTS_AT_ONCE: usize = 4;
/// The largest list that needs little memory when it is parsed.
pub const SMALL_LIST: BodyBounds = BodyBounds { bytes: 16 * 1024, json_values: 2048 };

/// The memory of a listener for requests that wait for their body, have waited for it, or have a body longer than
/// [`SMALL_BODY_BYTES`], until they are answered.
pub const WAITING_BODIES_BYTES: usize = 64 * 1024 * 1024;
/// The longest body that does not count if its request need not wait for it.
pub const SMALL_BODY_BYTES: usize = 16 * 1024;
/// What a request takes besides its head and its body, about.
pub const WAITING_REQUEST_BYTES: usize = 8 * 1024;
/// What a piece of a body takes besides its bytes, about.
pub const FRAME_BYTES: usize = 64;

/// The path and the query of a request together. Challenges and verifiers are part of it, with parameters of the application.
pub const TARGET_BYTES: usize = 32 * 1024;

/// Parameters of a query, or fields of a form: each of them, and both together where an endpoint reads both.
pub const PARAMETERS: usize = 256;

/// The name of a parameter or a form field.
pub const PARAMETER_NAME_BYTES: usize = 256;

/// One text of a form or a JSON document that a flow may store, for instance a trait.
pub const TEXT_BYTES: usize = 16 * 1024;

/// A text that finds an account: an identifier, an address, a code.
pub const IDENTIFIER_BYTES: usize = 1024;

/// A password.
pub const PASSWORD_BYTES: usize = 4 * 1024;

/// An authorization request as a query. It becomes part of the login challenge, so it must be smaller than [`TARGET_BYTES`].
pub const AUTHORIZATION_REQUEST_BYTES: usize = 8 * 1024;

/// Bounds of one parameter with all its repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterBounds {
    pub bytes: usize,
    /// Words between spaces.
    pub words: usize,
}

/// The bounds of a parameter of OAuth 2.0 or OpenID Connect. Tokens, assertions and request objects are only bounded by the
/// body.
pub fn of_parameter(name: &str) -> ParameterBounds {
    let (bytes, words) = match name {
        "scope" | "audience" | "resource" | "grant_scope" | "grant_audience" => (8 * 1024, 256),
        "acr_values" | "ui_locales" | "claims_locales" | "prompt" | "response_type" | "response_mode" | "display" => {
            (1024, 32)
        }
        "client_id"
        | "client_secret"
        | "login_hint"
        | "grant_type"
        | "code_verifier"
        | "code_challenge"
        | "code_challenge_method"
        | "max_age"
        | "username"
        | "nonce" => (IDENTIFIER_BYTES, usize::MAX),
        "password" => (PASSWORD_BYTES, usize::MAX),
        "redirect_uri" | "post_logout_redirect_uri" | "state" => (4 * 1024, usize::MAX),
        _ => (usize::MAX, usize::MAX),
    };
    ParameterBounds { bytes, words }
}
