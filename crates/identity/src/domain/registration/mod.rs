//! The decisions of a registration, as values.
//!
//! [`start`] decides whether a flow starts, [`act_on`] what happens to a submission, [`decide`] what follows once a credential
//! was accepted, [`wait`] and [`on_conflict`] what happens when a name is taken, and [`next`] where the client goes on.
//! Invariants:
//! - An account that waits for its address gets no session before the address is confirmed.
//! - A login of the authorization server is accepted now or waits for the end of the verification. It is never lost, and its
//!   challenge is used once.
//! - Where accounts are hidden, a taken address is not reported to whoever typed it, but to its owner. This needs a
//!   registration that issues no session: a session cannot be given to somebody who has no account.
//! - The session of another user never remains beside a new account.

use super::CredentialType;
use super::client_kind::{FlowType, Wants};

/// The login of the authorization server that a request for a new flow names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// Whether the session of the request answers it without another sign-in.
    pub is_answered: bool,
    /// Whether its client requests a new account even though a session exists.
    pub requests_new_account: bool,
}

/// The input of [`start`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requested {
    pub flow_type: FlowType,
    /// The format that the client strictly accepts.
    pub wants: Wants,
    pub has_session: bool,
    pub login: Option<Login>,
}

/// What happens to a request for a new flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Flow,
    /// The session of the request answers the login.
    AcceptLogin,
    /// The user must sign in again to answer the login.
    SignIn,
    /// The user is signed in already. A browser that navigates is redirected, other clients get an error.
    SessionExists {
        redirects: bool,
    },
}

/// Decides whether a flow starts.
pub const fn start(requested: &Requested) -> Start {
    let redirects = matches!((requested.flow_type, requested.wants), (FlowType::Browser, Wants::Html));
    match requested.login {
        _ if !requested.has_session => Start::Flow,
        Some(Login { requests_new_account: true, .. }) => Start::Flow,
        Some(Login { is_answered: true, .. }) => Start::AcceptLogin,
        Some(_) => Start::SignIn,
        None => Start::SessionExists { redirects },
    }
}

/// The direction in which a submission that carries the traits alone moves between the two steps of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Back,
}

/// The input of [`act_on`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Submitted {
    pub flow_type: FlowType,
    pub wants: Wants,
    pub has_session: bool,
    /// Whether the client of the authorization server requests a new account even though a session exists.
    pub requests_new_account: bool,
    pub is_expired: bool,
    /// Whether the anti-CSRF checks pass.
    pub is_genuine: bool,
    /// Whether the registration asks for the traits first and for a credential in a second step.
    pub has_two_steps: bool,
    /// Set when the submission is about the traits alone.
    pub traits: Option<Direction>,
    /// Whether a method accepts the submission.
    pub has_method: bool,
}

/// What happens to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The user is signed in already. A browser that navigates is redirected, other clients get an error.
    SessionExists { redirects: bool },
    /// A new flow replaces the expired one.
    Renew,
    /// The anti-CSRF checks fail.
    Forged,
    /// The traits are validated or shown again.
    Traits(Direction),
    /// The method checks the credential, which completes the registration or asks for a code.
    Credential,
    /// No method accepts the submission.
    NoMethod,
}

/// Decides what happens to a submission.
pub const fn act_on(submitted: &Submitted) -> Action {
    let redirects = matches!((submitted.flow_type, submitted.wants), (FlowType::Browser, Wants::Html));
    if submitted.has_session && !submitted.requests_new_account {
        return Action::SessionExists { redirects };
    }
    if submitted.is_expired {
        return Action::Renew;
    }
    if !submitted.is_genuine {
        return Action::Forged;
    }
    match submitted.traits {
        // The button that leads from the code back to the choice of a credential carries the method of the code along.
        Some(direction) if submitted.has_two_steps => Action::Traits(direction),
        Some(_) | None if submitted.has_method => Action::Credential,
        Some(_) | None => Action::NoMethod,
    }
}

/// The input of [`decide`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Completed {
    pub method: CredentialType,
    /// Whether the registrant has an address that is not verified.
    pub has_unverified_address: bool,
    /// Whether the flow answers a login of the authorization server.
    pub has_login: bool,
    /// The hook `session`.
    pub issues_session: bool,
    /// The hook `show_verification_ui`.
    pub shows_verification: bool,
    /// Whether verification is enabled.
    pub verifies: bool,
    /// Whether accounts wait for their address.
    pub confirms_first: bool,
}

/// The decision of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The account is created once its address is confirmed.
    AwaitAddress,
    CreateAccount(NewAccount),
}

/// How the account is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one effect")]
pub struct NewAccount {
    /// Whether a session is issued: for the registrant, or for the login that waits for them.
    pub issues_session: bool,
    /// Whether a verification flow for an address starts.
    pub starts_verification: bool,
    /// Whether the client is shown the verification flow.
    pub shows_verification: bool,
    /// Whether the login waits for the end of the verification flow; otherwise it is accepted now.
    pub verification_keeps_login: bool,
}

/// Decides what follows once a credential was accepted.
pub fn decide(completed: &Completed) -> Decision {
    // With a code the registrant has just confirmed an address, and a session cannot wait.
    if completed.confirms_first
        && !completed.issues_session
        && completed.method == CredentialType::Password
        && completed.has_unverified_address
    {
        return Decision::AwaitAddress;
    }
    let starts_verification = completed.verifies && completed.has_unverified_address;
    let shows_verification = starts_verification && (completed.shows_verification || completed.confirms_first);
    Decision::CreateAccount(NewAccount {
        issues_session: completed.issues_session || completed.has_login,
        starts_verification,
        shows_verification,
        verification_keeps_login: shows_verification && completed.has_login,
    })
}

/// The names of a registrant who waits for their address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    Free,
    /// `is_reachable` when each taken name is an address of the registrant, so that a message reaches its owner.
    Taken {
        is_reachable: bool,
    },
}

/// How a registration waits for its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The code goes to the registrant.
    Registrant,
    /// The response is that of a sent code; the owners of the identifiers get a message instead.
    Owners,
    /// The form reports that a name is taken.
    Refused,
}

/// Decides how a registration waits for its address.
pub const fn wait(names: Names) -> Waiting {
    match names {
        Names::Free => Waiting::Registrant,
        Names::Taken { is_reachable: true } => Waiting::Owners,
        // No message can reach the owner, so the registrant would never get a code.
        Names::Taken { is_reachable: false } => Waiting::Refused,
    }
}

/// The name that somebody else has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenName {
    /// An identifier. `is_address` when it is also a verifiable address of the registrant.
    Identifier {
        is_address: bool,
    },
    /// An address. `is_verifiable` when it is a verifiable address of the registrant.
    Address {
        is_verifiable: bool,
    },
    ExternalId,
}

/// The input of [`on_conflict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub name: TakenName,
    /// Whether the registration issues a session.
    pub issues_session: bool,
    /// Whether responses hide which accounts exist.
    pub hides_accounts: bool,
    /// Whether responses say how the owner of an identifier signs in.
    pub gives_hints: bool,
}

/// What happens when a name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The response is that of a registration, and the owner of the address gets a message. No account is created.
    Pretend,
    /// The form reports the taken name, with the ways in which its owner signs in if `has_hints`.
    Report { has_hints: bool },
}

/// Decides what happens when a name is taken.
pub const fn on_conflict(conflict: &Conflict) -> Resolution {
    let (is_reachable, is_identifier) = match conflict.name {
        TakenName::Identifier { is_address } => (is_address, true),
        TakenName::Address { is_verifiable } => (is_verifiable, false),
        TakenName::ExternalId => (false, false),
    };
    if conflict.hides_accounts && is_reachable && !conflict.issues_session {
        return Resolution::Pretend;
    }
    Resolution::Report { has_hints: is_identifier && conflict.gives_hints }
}

/// The input of [`next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Reached {
    pub flow_type: FlowType,
    /// The format that the client strictly accepts.
    pub wants: Wants,
    /// Whether a session was issued.
    pub has_session: bool,
    /// The hook `session`.
    pub shows_session: bool,
    /// Whether a verification flow started that the client is shown.
    pub shows_verification: bool,
    /// Whether the flow answers a login of the authorization server.
    pub has_login: bool,
    /// Whether the client of the authorization server requests a new account even though a session exists.
    pub requests_new_account: bool,
    /// Whether the session reaches the level that is required of the user.
    pub is_sufficient: bool,
}

/// The next step of a registration once it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    pub to: Target,
    pub response: Response,
    pub session: Delivery,
}

/// Where the client goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Verification,
    /// The user must prove a second factor before the authorization server continues.
    SecondFactor,
    /// The authorization server continues.
    Login,
    ReturnUrl,
}

/// How the client learns where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// By an error with the URL.
    Elsewhere,
    /// By a redirect, or by the account as JSON.
    Done,
}

/// How the session reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It does not. Cookies stay as they are.
    Absent,
    Token,
    Cookie,
    /// It does not, and the cookie of another user's session is deleted.
    CookieDeleted,
}

pub const fn next(reached: &Reached) -> Next {
    let is_shown = reached.has_session && reached.shows_session;
    if matches!(reached.flow_type, FlowType::Api) {
        let session = if is_shown { Delivery::Token } else { Delivery::Absent };
        return Next { to: Target::ReturnUrl, response: Response::Done, session };
    }
    let continues_login = reached.has_login && reached.has_session;
    let to = match (reached.shows_verification, continues_login, reached.is_sufficient) {
        (true, _, _) => Target::Verification,
        (false, true, false) => Target::SecondFactor,
        (false, true, true) => Target::Login,
        (false, false, _) => Target::ReturnUrl,
    };
    let leaves = matches!(to, Target::SecondFactor | Target::Login) && !reached.shows_session;
    let response = match reached.wants {
        Wants::Json if leaves => Response::Elsewhere,
        Wants::Json | Wants::Html => Response::Done,
    };
    let session = match (reached.shows_session, reached.has_session, reached.requests_new_account) {
        (true, true, _) => Delivery::Cookie,
        (true, false, _) | (false, _, false) => Delivery::Absent,
        (false, _, true) => Delivery::CookieDeleted,
    };
    Next { to, response, session }
}

#[cfg(test)]
mod tests;
