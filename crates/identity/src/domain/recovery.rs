//! The decisions of a recovery, as values.
//!
//! [`start`] decides whether a flow starts, [`act_on`] what happens to a submission before any proof is examined, [`decide`] what a
//! right code or link leads to, and [`next`] where the client goes on once the session is written. Invariants:
//! - Nobody who has a session recovers an account: they would sign in as somebody else without noticing.
//! - A code counts once, for a user who is active. A code that was sent to an address counts only while the address
//!   recovers the account.
//! - A code that an administrator handed out proves no address. It marks none verified and removes no credential.
//! - A login continues only in the browser that started it, and only with the second factor that its user has.

use super::client_kind::{FlowType, Wants};

/// What happens to a request for a new flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Flow,
    /// The user is signed in already. A browser that navigates is redirected, other clients get an error.
    SessionExists {
        redirects: bool,
    },
}

/// Decides whether a flow starts for a client that strictly accepts the format `wants`.
pub const fn start(flow_type: FlowType, wants: Wants, has_session: bool) -> Start {
    if has_session {
        Start::SessionExists { redirects: matches!((flow_type, wants), (FlowType::Browser, Wants::Html)) }
    } else {
        Start::Flow
    }
}

/// How a submission carries its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A form. `is_empty` when the client only opened the URL of the form.
    Form { is_empty: bool },
    /// A link from a message. `is_cross_site` when a page of another origin made the browser open it.
    Link { is_cross_site: bool },
}

/// The input of [`act_on`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Submitted {
    pub carrier: Carrier,
    pub flow_type: FlowType,
    pub wants: Wants,
    pub has_session: bool,
    pub is_expired: bool,
    /// Whether the flow has recovered its account.
    pub is_completed: bool,
    /// Whether the anti-CSRF checks pass, or the flow needs none.
    pub is_genuine: bool,
}

/// What happens to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The user is signed in already. A browser that navigates is redirected, other clients get an error.
    SessionExists {
        redirects: bool,
    },
    /// A new flow replaces the expired one.
    RestartExpired,
    /// A new flow replaces the completed one.
    RestartCompleted,
    ShowForm,
    /// The browser shows a page where the user confirms that they opened the link.
    ConfirmLink,
    /// The anti-CSRF checks fail.
    Forged,
    /// The form is processed: a code is sent, or one is checked.
    Process,
    /// The token of the link is redeemed.
    RedeemLink,
}

/// Decides what happens to a submission.
pub const fn act_on(submitted: &Submitted) -> Action {
    let navigates = matches!((submitted.flow_type, submitted.wants), (FlowType::Browser, Wants::Html));
    match submitted.carrier {
        Carrier::Link { .. } if submitted.has_session => Action::SessionExists { redirects: true },
        Carrier::Link { is_cross_site: true } => Action::ConfirmLink,
        // The link itself is the proof. Whether its flow is over shows when the link is redeemed.
        Carrier::Link { is_cross_site: false } => Action::RedeemLink,
        Carrier::Form { .. } if submitted.has_session => Action::SessionExists { redirects: navigates },
        Carrier::Form { .. } if submitted.is_expired => Action::RestartExpired,
        Carrier::Form { .. } if submitted.is_completed => Action::RestartCompleted,
        Carrier::Form { is_empty: true } if navigates => Action::ShowForm,
        Carrier::Form { .. } if !submitted.is_genuine => Action::Forged,
        Carrier::Form { .. } => Action::Process,
    }
}

/// Where a right code or link comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An administrator handed it out.
    Administrator,
    /// It was sent to an address of the user.
    Address {
        /// Whether the address still recovers the account.
        recovers: bool,
        /// Whether it is also a verifiable address of the user.
        is_verifiable: bool,
    },
}

/// The input of [`decide`], read under the locks of the transaction that carries the decision out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Proved {
    pub flow_type: FlowType,
    pub origin: Origin,
    /// Whether the proof is a link. A link completes in the browser that opens it.
    pub is_link: bool,
    /// Whether the flow is not completed yet.
    pub is_open: bool,
    /// Whether the code was redeemed by this request.
    pub is_redeemed: bool,
    /// Whether the user exists and is not disabled.
    pub is_active: bool,
    /// Whether the user ever proved to own an address of the account. Changing an address proves nothing, so this
    /// cannot be derived from the current addresses.
    pub has_proved_address: bool,
    /// Whether the recovery started within a login of the authorization server.
    pub has_login: bool,
    /// Whether the request comes from the browser that started the flow.
    pub is_same_browser: bool,
    /// Whether the flow ends without the settings.
    pub skips_settings: bool,
    /// Whether the configuration revokes what was set up before an address was proved.
    pub revokes_unproved: bool,
    /// Whether the hook revokes the other sessions of the user.
    pub revokes_sessions: bool,
}

/// The decision of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The proof counts as a wrong code. Nothing is written.
    Refused,
    SignedIn(SignIn),
}

/// How the user is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one effect")]
pub struct SignIn {
    /// The kind of client that holds the session.
    pub holder: FlowType,
    /// Whether the address of the code becomes verified.
    pub verifies_address: bool,
    /// Whether the password and the second factors are removed. Whoever set them up may have registered with an address of
    /// somebody else, and would lock its owner out.
    pub removes_unproved: bool,
    pub revokes_sessions: bool,
    /// Whether a settings flow starts, to set a new password.
    pub starts_settings: bool,
    /// Whether the login continues: at the end of the settings flow when one starts, otherwise now.
    pub keeps_login: bool,
}

/// Decides the result of a right code or link.
pub const fn decide(proved: &Proved) -> Decision {
    let Proved { is_open, is_redeemed, is_active, .. } = *proved;
    let (counts, is_verifiable) = match proved.origin {
        Origin::Administrator => (true, false),
        Origin::Address { recovers, is_verifiable } => (recovers, is_verifiable),
    };
    if !(is_open && is_redeemed && is_active && counts) {
        return Decision::Refused;
    }
    Decision::SignedIn(SignIn {
        holder: if proved.is_link { FlowType::Browser } else { proved.flow_type },
        verifies_address: is_verifiable,
        removes_unproved: is_verifiable && !proved.has_proved_address && proved.revokes_unproved,
        revokes_sessions: proved.revokes_sessions,
        starts_settings: !proved.skips_settings,
        // A link is opened wherever the mail is read; the login waits in the browser that started it.
        keeps_login: proved.has_login && proved.is_same_browser && matches!(proved.flow_type, FlowType::Browser),
    })
}

/// The input of [`next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Reached {
    /// The kind of client that holds the session.
    pub holder: FlowType,
    pub is_link: bool,
    pub has_settings: bool,
    /// Whether a login continues that has not ended meanwhile.
    pub has_login: bool,
    /// Whether the session reaches the level that is required of the user.
    pub is_sufficient: bool,
    /// The feature flag `use_continue_with_transitions`.
    pub uses_transitions: bool,
}

/// The next step of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    pub to: Target,
    pub response: Response,
}

/// Where the client goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Settings,
    /// The user must prove a second factor before the authorization server continues.
    SecondFactor,
    /// The authorization server continues.
    Login,
    ReturnUrl,
}

/// How the client learns where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// By a redirect, whatever it accepts.
    Redirect,
    /// By a redirect, or by an error with the URL when it expects JSON.
    Elsewhere,
    /// By the flow, with items of `continue_with`.
    Flow { has_token: bool, has_settings: bool },
}

pub const fn next(reached: &Reached) -> Next {
    let is_native = matches!(reached.holder, FlowType::Api);
    let to = match (reached.has_settings, reached.has_login, reached.is_sufficient) {
        (true, _, _) => Target::Settings,
        (false, true, false) => Target::SecondFactor,
        (false, true, true) => Target::Login,
        (false, false, _) => Target::ReturnUrl,
    };
    let response = match reached.has_settings {
        _ if reached.is_link => Response::Redirect,
        // A native client cannot follow a redirect, so it always gets its token.
        true if !is_native && !reached.uses_transitions => Response::Elsewhere,
        has_settings => Response::Flow { has_token: is_native, has_settings },
    };
    Next { to, response }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::combinations::{flags, pairs};

    const TYPES: [FlowType; 2] = [FlowType::Browser, FlowType::Api];
    const FORMATS: [Wants; 2] = [Wants::Html, Wants::Json];
    const CARRIERS: [Carrier; 4] = [
        Carrier::Form { is_empty: false },
        Carrier::Form { is_empty: true },
        Carrier::Link { is_cross_site: false },
        Carrier::Link { is_cross_site: true },
    ];
    const ORIGINS: [Origin; 5] = [
        Origin::Administrator,
        Origin::Address { recovers: false, is_verifiable: false },
        Origin::Address { recovers: false, is_verifiable: true },
        Origin::Address { recovers: true, is_verifiable: false },
        Origin::Address { recovers: true, is_verifiable: true },
    ];

    fn every_submission() -> impl Iterator<Item = Submitted> {
        let clients = pairs(TYPES, FORMATS).collect::<Vec<_>>();
        pairs(CARRIERS, clients).flat_map(|(carrier, (flow_type, wants))| {
            flags().map(move |[has_session, is_expired, is_completed, is_genuine]| Submitted {
                carrier,
                flow_type,
                wants,
                has_session,
                is_expired,
                is_completed,
                is_genuine,
            })
        })
    }

    fn every_proof() -> impl Iterator<Item = Proved> {
        pairs(TYPES, ORIGINS).flat_map(|(flow_type, origin)| {
            flags().map(move |[link, open, redeemed, active, verified, login, same, skips, unproved, sessions]| {
                Proved {
                    flow_type,
                    origin,
                    is_link: link,
                    is_open: open,
                    is_redeemed: redeemed,
                    is_active: active,
                    has_proved_address: verified,
                    has_login: login,
                    is_same_browser: same,
                    skips_settings: skips,
                    revokes_unproved: unproved,
                    revokes_sessions: sessions,
                }
            })
        })
    }

    fn signed_in(proved: &Proved) -> Option<SignIn> {
        match decide(proved) {
            Decision::Refused => None,
            Decision::SignedIn(sign_in) => Some(sign_in),
        }
    }

    /// The actions as a table that is read from top to bottom: the first matching row decides.
    fn action_by_table(submitted: Submitted) -> Action {
        type Row = (fn(&Submitted) -> bool, Action);
        let is_link = |it: &Submitted| matches!(it.carrier, Carrier::Link { .. });
        let is_page = submitted.flow_type == FlowType::Browser && submitted.wants == Wants::Html;
        let table: [Row; 8] = [
            (|it| it.has_session, Action::SessionExists { redirects: is_page || is_link(&submitted) }),
            (|it| it.carrier == Carrier::Link { is_cross_site: true }, Action::ConfirmLink),
            (|it| it.carrier == Carrier::Link { is_cross_site: false }, Action::RedeemLink),
            (|it| it.is_expired, Action::RestartExpired),
            (|it| it.is_completed, Action::RestartCompleted),
            (
                |it| {
                    let is_page = it.flow_type == FlowType::Browser && it.wants == Wants::Html;
                    is_page && it.carrier == Carrier::Form { is_empty: true }
                },
                Action::ShowForm,
            ),
            (|it| !it.is_genuine, Action::Forged),
            (|_| true, Action::Process),
        ];
        table.into_iter().find(|(fits, _)| fits(&submitted)).unwrap().1
    }

    #[test]
    fn a_flow_starts_only_for_somebody_who_is_not_signed_in() {
        for (flow_type, wants) in pairs(TYPES, FORMATS) {
            let redirects = (flow_type, wants) == (FlowType::Browser, Wants::Html);
            assert_eq!(start(flow_type, wants, true), Start::SessionExists { redirects });
            assert_eq!(start(flow_type, wants, false), Start::Flow);
        }
    }

    #[test]
    fn every_submission_is_handled_as_the_table_says() {
        let mut count = 0;
        for submitted in every_submission() {
            assert_eq!(act_on(&submitted), action_by_table(submitted), "{submitted:?}");
            count += 1;
        }
        assert_eq!(count, 4 * 2 * 2 * 16);
    }

    #[test]
    fn every_proof_is_decided_as_the_table_says() {
        let mut counted = [0; 2];
        for proved in every_proof() {
            let refusals = [
                !proved.is_open,
                !proved.is_redeemed,
                !proved.is_active,
                matches!(proved.origin, Origin::Address { recovers: false, .. }),
            ];
            let is_proof_of_address = proved.origin == Origin::Address { recovers: true, is_verifiable: true };
            let holder = match (proved.is_link, proved.flow_type) {
                (true, _) | (false, FlowType::Browser) => FlowType::Browser,
                (false, FlowType::Api) => FlowType::Api,
            };
            let expected = if refusals.contains(&true) {
                Decision::Refused
            } else {
                Decision::SignedIn(SignIn {
                    holder,
                    verifies_address: is_proof_of_address,
                    removes_unproved: [is_proof_of_address, !proved.has_proved_address, proved.revokes_unproved]
                        == [true; 3],
                    revokes_sessions: proved.revokes_sessions,
                    starts_settings: !proved.skips_settings,
                    keeps_login: proved.flow_type == FlowType::Browser && proved.is_same_browser && proved.has_login,
                })
            };
            assert_eq!(decide(&proved), expected, "{proved:?}");
            counted[usize::from(expected == Decision::Refused)] += 1;
        }
        // Of five origins three count, and of eight combinations of flow, code and user one.
        assert_eq!(counted, [2 * 3 * 1024 / 8, 2 * 5 * 1024 - 2 * 3 * 1024 / 8]);
    }

    #[test]
    fn the_next_step_matches_the_table_for_every_combination() {
        let response = |is_native: bool, has_settings: bool, uses_transitions: bool| match (is_native, has_settings) {
            (true, has_settings) => Response::Flow { has_token: true, has_settings },
            (false, true) if !uses_transitions => Response::Elsewhere,
            (false, has_settings) => Response::Flow { has_token: false, has_settings },
        };
        for [is_native, is_link, has_settings, has_login, is_sufficient, uses_transitions] in flags() {
            let holder = if is_native { FlowType::Api } else { FlowType::Browser };
            let next = next(&Reached { holder, is_link, has_settings, has_login, is_sufficient, uses_transitions });
            let to = match [has_settings, has_login, is_sufficient] {
                [true, _, _] => Target::Settings,
                [false, false, _] => Target::ReturnUrl,
                [false, true, true] => Target::Login,
                [false, true, false] => Target::SecondFactor,
            };
            assert_eq!(next.to, to);
            let expected =
                if is_link { Response::Redirect } else { response(is_native, has_settings, uses_transitions) };
            assert_eq!(next.response, expected);
        }
    }

    proptest! {
        /// The proof of an address is the only thing that verifies an address or removes a credential.
        #[test]
        fn the_code_of_an_administrator_changes_no_credential_and_no_address(at in 0_usize..10_240) {
            let handed_out = Proved { origin: Origin::Administrator, ..every_proof().nth(at).unwrap() };
            if let Some(sign_in) = signed_in(&handed_out) {
                prop_assert!(!sign_in.verifies_address && !sign_in.removes_unproved);
            }
        }

        /// After an address was proved, the credentials belong to its owner and are kept.
        #[test]
        fn credentials_are_removed_only_with_the_first_proof_of_an_address(at in 0_usize..10_240) {
            let proved = every_proof().nth(at).unwrap();
            if signed_in(&proved).is_some_and(|it| it.removes_unproved) {
                prop_assert!(!proved.has_proved_address && signed_in(&proved).unwrap().verifies_address);
            }
        }

        /// A code that was used, a flow that is over or a disabled user never lead to a session, whatever else is true.
        #[test]
        fn a_sign_in_needs_an_open_flow_an_unused_code_and_an_active_person(at in 0_usize..10_240, flag in 0_usize..3) {
            let mut proved = every_proof().nth(at).unwrap();
            *[&mut proved.is_open, &mut proved.is_redeemed, &mut proved.is_active][flag] = false;
            prop_assert_eq!(decide(&proved), Decision::Refused);
        }

        /// A login that another browser started would sign that browser's user in as somebody else.
        #[test]
        fn a_login_continues_only_in_the_browser_that_started_it(at in 0_usize..10_240) {
            let elsewhere = Proved { is_same_browser: false, ..every_proof().nth(at).unwrap() };
            prop_assert!(signed_in(&elsewhere).is_none_or(|it| !it.keeps_login));
        }

        /// A user who is signed in never recovers an account, by a form or by a link.
        #[test]
        fn a_session_stops_every_submission(at in 0_usize..256) {
            let submitted = Submitted { has_session: true, ..every_submission().nth(at).unwrap() };
            let is_stopped = matches!(act_on(&submitted), Action::SessionExists { .. });
            prop_assert!(is_stopped);
        }
    }
}
