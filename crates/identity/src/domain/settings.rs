//! The decisions of a change of settings, as values.
//!
//! [`start`] decides whether a flow starts, [`act_on`] what happens to a submission, [`permission`] whether the session may make
//! a change, [`on_refresh`] what happens when it first needs a new proof, and [`next`] where the client goes on after a change.
//! Invariants:
//! - A flow belongs to one user. No other user sees or submits it.
//! - A change of what gives access to the account needs a recent sign-in. A change of second factors needs the second factor
//!   that the user has, whatever level the settings require.
//! - A submission is saved at most once while the user signs in again: one that was resumed is not saved again.

use super::client_kind::{FlowType, Wants};
use super::{Aal, CredentialType, RequiredAal};

/// The input of [`start`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requested {
    pub flow_type: FlowType,
    /// The format that the client strictly accepts.
    pub wants: Wants,
    pub has_session: bool,
    /// Whether the session reaches the level that the settings require.
    pub is_sufficient: bool,
}

/// What happens to a request for a new flow. A browser that navigates is redirected, other clients get an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Flow,
    /// Nobody is signed in.
    SignIn {
        redirects: bool,
    },
    /// The user must prove a second factor first.
    SecondFactor {
        redirects: bool,
    },
}

/// Decides whether a flow starts.
pub const fn start(requested: &Requested) -> Start {
    let redirects = matches!((requested.flow_type, requested.wants), (FlowType::Browser, Wants::Html));
    match (requested.has_session, requested.is_sufficient) {
        (false, _) => Start::SignIn { redirects },
        (true, false) => Start::SecondFactor { redirects },
        (true, true) => Start::Flow,
    }
}

/// The relation of a request's session to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    /// It belongs to another user than the flow.
    Other,
    /// It belongs to the user of the flow. `is_sufficient` when it reaches the level that the settings require.
    Owner { is_sufficient: bool },
}

/// Why a session has no access to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    WrongOwner,
    /// The user must prove a second factor first.
    SecondFactor,
}

/// Whether a session may see and submit a flow.
pub const fn denial(requester: Requester) -> Option<Denial> {
    match requester {
        Requester::Other => Some(Denial::WrongOwner),
        Requester::Owner { is_sufficient: false } => Some(Denial::SecondFactor),
        Requester::Owner { is_sufficient: true } => None,
    }
}

/// The input of [`act_on`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    pub flow_type: FlowType,
    pub wants: Wants,
    /// `None` when nobody is signed in.
    pub requester: Option<Requester>,
    pub is_expired: bool,
    /// Whether the request has no body: the client opened the URL of the form.
    pub is_empty: bool,
}

/// What happens to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nobody is signed in. A browser that navigates is redirected to the login page, other clients get an error.
    SignIn {
        redirects: bool,
    },
    Denied(Denial),
    /// A new flow replaces the expired one.
    Renew,
    /// A saved submission is resumed. If there is none, the client is redirected to the page of the form, or its empty
    /// request is processed.
    Resume {
        otherwise_redirects: bool,
    },
    /// The submission is processed.
    Process,
}

/// Decides what happens to a submission.
pub const fn act_on(submitted: &Submitted) -> Action {
    let is_browser = matches!(submitted.flow_type, FlowType::Browser);
    let navigates = is_browser && matches!(submitted.wants, Wants::Html);
    let Some(requester) = submitted.requester else { return Action::SignIn { redirects: navigates } };
    match denial(requester) {
        Some(denial) => Action::Denied(denial),
        None if submitted.is_expired => Action::Renew,
        None if submitted.is_empty && is_browser => Action::Resume { otherwise_redirects: navigates },
        None => Action::Process,
    }
}

/// What a change affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affected {
    /// Traits that are neither identifiers nor addresses.
    Profile,
    /// How the user signs in, is reached, or recovers the account.
    Access,
    SecondFactors,
}

/// The input of [`permission`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub affected: Affected,
    /// Whether the last proof of the session is recent enough for privileged changes.
    pub is_privileged: bool,
    /// The level of the session.
    pub reached: Aal,
    /// The level that the user can reach.
    pub available: Aal,
    /// The level that the settings require.
    pub required: RequiredAal,
}

/// Whether a session may make a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Granted,
    /// The user must sign in again first.
    RefreshFirst,
    /// The user must prove a second factor first.
    SecondFactorFirst,
}

/// Decides whether a session may make a change.
pub fn permission(change: &Change) -> Permission {
    let (needs_privilege, required) = match change.affected {
        Affected::Profile => (false, change.required),
        Affected::Access => (true, change.required),
        // A stolen password alone would otherwise replace the second factors.
        Affected::SecondFactors => (true, RequiredAal::HighestAvailable),
    };
    if needs_privilege && !change.is_privileged {
        return Permission::RefreshFirst;
    }
    if required.is_met(change.reached, change.available) { Permission::Granted } else { Permission::SecondFactorFirst }
}

/// What happens to a submission that first needs a new sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// A native client gets an error, and submits again after the sign-in.
    Refused,
    /// The browser goes to the sign-in.
    SignIn { saves_submission: bool },
}

/// Decides what happens to a submission that first needs a new sign-in.
pub const fn on_refresh(flow_type: FlowType, was_resumed: bool) -> Refresh {
    match flow_type {
        FlowType::Api => Refresh::Refused,
        FlowType::Browser => Refresh::SignIn { saves_submission: !was_resumed },
    }
}

/// Whether a change completes the recovery that a login started, so that the login continues.
pub fn continues_login(method: Option<CredentialType>) -> bool {
    method == Some(CredentialType::Password)
}

/// The input of [`next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Reached {
    pub flow_type: FlowType,
    /// The format that the client strictly accepts.
    pub wants: Wants,
    /// Whether a login continues that has not ended meanwhile.
    pub has_login: bool,
    /// Whether the session reaches the level that is required of the user.
    pub is_sufficient: bool,
    /// Whether the flow has a return URL.
    pub has_return_url: bool,
    /// Whether the configuration has a return URL for the method.
    pub has_default_url: bool,
    /// Whether a verification flow started that the client is shown.
    pub shows_verification: bool,
}

/// The next step after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    pub to: Target,
    /// Whether a browser that navigates goes to the verification flow instead.
    pub verifies_first: bool,
    /// Whether the response lists the URL in `continue_with`.
    pub lists_url: bool,
    /// Whether the response renews the session cookie.
    pub renews_cookie: bool,
}

/// Where the client goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The user must prove a second factor before the authorization server continues.
    SecondFactor,
    /// The authorization server continues.
    Login,
    /// The return URL of the flow.
    ReturnUrl,
    /// The return URL of the configuration.
    DefaultUrl,
    /// The page of the settings flow.
    Settings,
}

pub const fn next(reached: &Reached) -> Next {
    let to = match (reached.has_login, reached.has_return_url, reached.has_default_url) {
        (true, _, _) if reached.is_sufficient => Target::Login,
        (true, _, _) => Target::SecondFactor,
        (false, true, _) => Target::ReturnUrl,
        (false, false, true) => Target::DefaultUrl,
        (false, false, false) => Target::Settings,
    };
    let is_browser = matches!(reached.flow_type, FlowType::Browser);
    Next {
        to,
        verifies_first: reached.shows_verification,
        lists_url: is_browser && matches!(reached.wants, Wants::Json),
        renews_cookie: is_browser,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::combinations::{flags, pairs};

    const TYPES: [FlowType; 2] = [FlowType::Browser, FlowType::Api];
    const FORMATS: [Wants; 2] = [Wants::Html, Wants::Json];
    const LEVELS: [Aal; 3] = [Aal::Aal0, Aal::Aal1, Aal::Aal2];
    const REQUESTERS: [Option<Requester>; 4] = [
        None,
        Some(Requester::Other),
        Some(Requester::Owner { is_sufficient: false }),
        Some(Requester::Owner { is_sufficient: true }),
    ];
    const AFFECTED: [Affected; 3] = [Affected::Profile, Affected::Access, Affected::SecondFactors];

    fn clients() -> Vec<(FlowType, Wants)> {
        pairs(TYPES, FORMATS).collect()
    }

    fn every_submission() -> impl Iterator<Item = Submitted> {
        pairs(REQUESTERS, clients()).flat_map(|(requester, (flow_type, wants))| {
            flags().map(move |[is_expired, is_empty]| Submitted { flow_type, wants, requester, is_expired, is_empty })
        })
    }

    fn every_change() -> impl Iterator<Item = Change> {
        let levels = pairs(LEVELS, LEVELS).collect::<Vec<_>>();
        let rules = pairs([RequiredAal::Aal1, RequiredAal::HighestAvailable], [false, true]).collect::<Vec<_>>();
        let facts = pairs(levels, rules).collect::<Vec<_>>();
        pairs(AFFECTED, facts).map(|(affected, ((reached, available), (required, is_privileged)))| Change {
            affected,
            is_privileged,
            reached,
            available,
            required,
        })
    }

    #[test]
    fn a_flow_starts_only_for_a_sufficient_session() {
        for ((flow_type, wants), [has_session, is_sufficient]) in pairs(clients(), flags::<2>()) {
            let redirects = (flow_type, wants) == (FlowType::Browser, Wants::Html);
            let expected = match [has_session, is_sufficient] {
                [true, true] => Start::Flow,
                [true, false] => Start::SecondFactor { redirects },
                [false, _] => Start::SignIn { redirects },
            };
            assert_eq!(start(&Requested { flow_type, wants, has_session, is_sufficient }), expected);
        }
    }

    #[test]
    fn every_submission_is_handled_as_the_table_says() {
        let mut count = 0;
        for submitted in every_submission() {
            let Submitted { flow_type, wants, requester, is_expired, is_empty } = submitted;
            let navigates = (flow_type, wants) == (FlowType::Browser, Wants::Html);
            let expected = match (requester, is_expired, is_empty, flow_type) {
                (None, ..) => Action::SignIn { redirects: navigates },
                (Some(Requester::Other), ..) => Action::Denied(Denial::WrongOwner),
                (Some(Requester::Owner { is_sufficient: false }), ..) => Action::Denied(Denial::SecondFactor),
                (Some(_), true, ..) => Action::Renew,
                (Some(_), false, true, FlowType::Browser) => Action::Resume { otherwise_redirects: navigates },
                (Some(_), false, true, FlowType::Api) | (Some(_), false, false, _) => Action::Process,
            };
            assert_eq!(act_on(&submitted), expected, "{submitted:?}");
            count += 1;
        }
        assert_eq!(count, 4 * 4 * 4);
    }

    #[test]
    fn every_change_is_permitted_as_the_table_says() {
        let mut counted = [0; 3];
        for change in every_change() {
            let has_second_factor = change.available == Aal::Aal2;
            let proved_it = change.reached == Aal::Aal2;
            let requires_it = change.required == RequiredAal::HighestAvailable;
            let expected = match (change.affected, change.is_privileged) {
                (Affected::Access | Affected::SecondFactors, false) => Permission::RefreshFirst,
                (Affected::SecondFactors, true) if has_second_factor && !proved_it => Permission::SecondFactorFirst,
                _ if requires_it && has_second_factor && !proved_it => Permission::SecondFactorFirst,
                _ => Permission::Granted,
            };
            let permission = permission(&change);
            assert_eq!(permission, expected, "{change:?}");
            counted[match permission {
                Permission::Granted => 0,
                Permission::RefreshFirst => 1,
                Permission::SecondFactorFirst => 2,
            }] += 1;
        }
        assert_eq!(counted.iter().sum::<usize>(), 3 * 9 * 4);
        assert!(counted.iter().all(|count| *count > 0), "{counted:?}");
    }

    #[test]
    fn only_a_browser_saves_its_submission_and_only_once() {
        for was_resumed in [false, true] {
            assert_eq!(on_refresh(FlowType::Api, was_resumed), Refresh::Refused);
            let saves_submission = !was_resumed;
            assert_eq!(on_refresh(FlowType::Browser, was_resumed), Refresh::SignIn { saves_submission });
        }
    }

    #[test]
    fn a_login_continues_only_with_a_new_password() {
        for method in CredentialType::ALL.iter().copied().map(Some).chain([None]) {
            assert_eq!(continues_login(method), method == Some(CredentialType::Password), "{method:?}");
        }
    }

    #[test]
    fn the_next_step_matches_the_table_for_every_combination() {
        for ((flow_type, wants), [login, is_sufficient, return_url, default_url, verification]) in
            pairs(clients(), flags::<5>())
        {
            let to = match [login, is_sufficient, return_url, default_url] {
                [true, true, ..] => Target::Login,
                [true, false, ..] => Target::SecondFactor,
                [false, _, true, _] => Target::ReturnUrl,
                [false, _, false, true] => Target::DefaultUrl,
                [false, _, false, false] => Target::Settings,
            };
            let expected = Next {
                to,
                verifies_first: verification,
                lists_url: (flow_type, wants) == (FlowType::Browser, Wants::Json),
                renews_cookie: flow_type == FlowType::Browser,
            };
            let reached = Reached {
                flow_type,
                wants,
                has_login: login,
                is_sufficient,
                has_return_url: return_url,
                has_default_url: default_url,
                shows_verification: verification,
            };
            assert_eq!(next(&reached), expected, "{reached:?}");
        }
    }

    proptest! {
        /// Neither an expired flow nor an empty request gives access to the flow of somebody else.
        #[test]
        fn only_the_owner_with_the_required_level_gets_past_the_first_check(at in 0_usize..64) {
            let submitted = every_submission().nth(at).unwrap();
            let is_open = !matches!(act_on(&submitted), Action::SignIn { .. } | Action::Denied(_));
            prop_assert_eq!(is_open, submitted.requester == Some(Requester::Owner { is_sufficient: true }));
        }

        /// A stolen password, even a fresh one, changes no second factor.
        #[test]
        fn second_factors_change_only_with_the_second_factor(at in 0_usize..108) {
            let change = Change { affected: Affected::SecondFactors, ..every_change().nth(at).unwrap() };
            if permission(&change) == Permission::Granted {
                prop_assert!(change.is_privileged);
                prop_assert!(change.available < Aal::Aal2 || change.reached == Aal::Aal2);
            }
        }

        /// A stricter rule never permits what a weaker one refuses.
        #[test]
        fn a_change_of_access_needs_at_least_what_a_change_of_the_profile_needs(at in 0_usize..108) {
            let change = every_change().nth(at).unwrap();
            let of = |affected| permission(&Change { affected, ..change }) == Permission::Granted;
            prop_assert!(!of(Affected::Access) || of(Affected::Profile));
            prop_assert!(!of(Affected::SecondFactors) || of(Affected::Access));
        }
    }
}
