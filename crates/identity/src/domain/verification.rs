//! The decisions of a verification, as values.
//!
//! [`act_on`] decides what happens to a submission, [`open`] what happens when the mail of a code is opened, [`decide`] what
//! a right code or link leads to, and [`next`] where the client goes on once that is written. Invariants:
//! - A code verifies an address of the user it was sent for, once. An address that moved to somebody else stays unverified.
//! - What waits for the end of a flow, a login or a new account, waits in the browser that started the flow. No other browser
//!   is signed in.
//! - A login is accepted only for a session that the flow knows and that belongs to the owner of the address.
//! - Opening a mail redeems nothing, so a link scanner does no harm.

use super::client_kind::{FlowType, Wants};

/// How a submission carries its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Form,
    /// A link from a message. `is_cross_site` when a page of another origin made the browser open it.
    Link {
        is_cross_site: bool,
    },
}

/// The input of [`act_on`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    pub carrier: Carrier,
    pub is_expired: bool,
    /// Whether the flow has verified its address.
    pub is_completed: bool,
    /// Whether the anti-CSRF checks pass.
    pub is_genuine: bool,
}

/// What happens to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A new flow replaces the expired one.
    RestartExpired,
    /// A new flow replaces the completed one.
    RestartCompleted,
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
    match submitted.carrier {
        Carrier::Link { is_cross_site: true } => Action::ConfirmLink,
        // The link itself is the proof. Whether its flow is over shows when the link is redeemed.
        Carrier::Link { is_cross_site: false } => Action::RedeemLink,
        Carrier::Form if submitted.is_expired => Action::RestartExpired,
        Carrier::Form if !submitted.is_genuine => Action::Forged,
        Carrier::Form if submitted.is_completed => Action::RestartCompleted,
        Carrier::Form => Action::Process,
    }
}

/// The input of [`open`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    pub flow_type: FlowType,
    /// Whether the flow has sent a code and waits for it.
    pub awaits_code: bool,
    /// Whether a login or a new account waits for the end of the flow.
    pub is_awaited: bool,
    /// Whether the request comes from the browser that started the flow.
    pub is_same_browser: bool,
}

/// What happens when the mail of a code is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The page shows the form as it is.
    ShowPage,
    /// The code is filled in, and the flow belongs to this browser from now on. The session that the flow knows stays with
    /// the browser it was issued to.
    FillIn { keeps_session: bool },
}

/// Decides whether the code of a mail is filled into the form.
pub const fn open(opened: &Opened) -> Opening {
    let is_browser = matches!(opened.flow_type, FlowType::Browser);
    // When something waits for the end of the flow, a stranger's mail would sign this browser in as somebody else. The
    // browser that waits must not see a code that was never sent to it either.
    let may_fill_in = is_browser && (opened.is_same_browser || !opened.is_awaited);
    if opened.awaits_code && may_fill_in {
        Opening::FillIn { keeps_session: opened.is_same_browser }
    } else {
        Opening::ShowPage
    }
}

/// Whether a flow that is continued by a link keeps what waits for its end. A link is opened wherever the mail is read.
pub const fn keeps_waiting(flow_type: FlowType, is_same_browser: bool) -> bool {
    matches!(flow_type, FlowType::Browser) && is_same_browser
}

/// The account whose address is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// It is created by this verification. `is_own` when the code was sent to the registrant at one of their addresses.
    Registrant { is_own: bool },
    /// It exists. `is_own` when the address still belongs to the user that the code was sent for.
    Stored { is_own: bool, is_verified: bool },
}

/// The input of [`decide`], read under the locks of the transaction that carries the decision out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Proved {
    pub flow_type: FlowType,
    pub account: Account,
    /// Whether the flow is not completed yet.
    pub is_open: bool,
    /// Whether the code was redeemed by this request.
    pub is_redeemed: bool,
    /// Whether a login of the authorization server waits for the end of the flow.
    pub has_login: bool,
    /// Whether the flow knows the session that started it.
    pub has_flow_session: bool,
    /// Whether the session of the request belongs to the owner of the address.
    pub has_own_session: bool,
    /// Whether the configuration revokes the sessions that were issued before an address was proved.
    pub revokes_sessions: bool,
}

/// The decision of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The proof counts as a wrong code. Nothing is written.
    Refused,
    /// A login waits, but no session started the flow. Nothing is written.
    NoSession,
    CreateAccount {
        /// Whether a session is issued to the browser that registered.
        signs_in: bool,
    },
    VerifyAddress {
        /// Whether the sessions of the owner are revoked, and which one is kept.
        revokes_sessions_except: Option<Kept>,
    },
}

/// The session that is kept when others are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    SessionOfRequest,
    /// The session that started the flow, if any.
    SessionOfFlow,
}

/// Decides the result of a right code or link.
pub const fn decide(proved: &Proved) -> Decision {
    if !(proved.is_open && proved.is_redeemed) {
        return Decision::Refused;
    }
    match proved.account {
        Account::Registrant { is_own: false } | Account::Stored { is_own: false, .. } => Decision::Refused,
        Account::Registrant { is_own: true } => {
            Decision::CreateAccount { signs_in: matches!(proved.flow_type, FlowType::Browser) }
        }
        Account::Stored { .. } if proved.has_login && !proved.has_flow_session => Decision::NoSession,
        // Only the first proof of an address says that earlier sessions may be those of somebody else.
        Account::Stored { is_verified, .. } if is_verified || !proved.revokes_sessions => {
            Decision::VerifyAddress { revokes_sessions_except: None }
        }
        Account::Stored { .. } => {
            let kept = if proved.has_own_session { Kept::SessionOfRequest } else { Kept::SessionOfFlow };
            Decision::VerifyAddress { revokes_sessions_except: Some(kept) }
        }
    }
}

/// The input of [`next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Reached {
    pub flow_type: FlowType,
    pub wants: Wants,
    pub is_link: bool,
    /// Whether the account was created by this verification.
    pub is_new: bool,
    /// Whether there is a session to continue with: that of the new account, or the one that started the flow.
    pub has_session: bool,
    /// Whether a login of the authorization server waits for the end of the flow.
    pub has_login: bool,
}

/// The next step of a verification once it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The response shows the completed form.
    ShowForm,
    /// Every client is redirected to the page of the completed flow.
    ShowPage,
    /// The session that started the flow has ended, so the login cannot continue.
    NoSession,
    /// A browser that navigates is redirected. Other clients get the completed form with the URL.
    GoOn { to: Target, redirects: bool },
}

/// Where the client goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The authorization server continues.
    Login,
    ReturnUrl,
}

pub const fn next(reached: &Reached) -> Next {
    let redirects = matches!((reached.flow_type, reached.wants), (FlowType::Browser, Wants::Html));
    match (reached.is_new, reached.has_session, reached.has_login) {
        (_, true, true) => Next::GoOn { to: Target::Login, redirects },
        (true, true, false) => Next::GoOn { to: Target::ReturnUrl, redirects },
        (false, false, true) => Next::NoSession,
        (true, false, _) | (false, _, false) if reached.is_link => Next::ShowPage,
        (true, false, _) | (false, _, false) => Next::ShowForm,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::combinations::{flags, pairs};

    const TYPES: [FlowType; 2] = [FlowType::Browser, FlowType::Api];
    const FORMATS: [Wants; 2] = [Wants::Html, Wants::Json];
    const ACCOUNTS: [Account; 6] = [
        Account::Registrant { is_own: false },
        Account::Registrant { is_own: true },
        Account::Stored { is_own: false, is_verified: false },
        Account::Stored { is_own: false, is_verified: true },
        Account::Stored { is_own: true, is_verified: false },
        Account::Stored { is_own: true, is_verified: true },
    ];

    fn every_proof() -> impl Iterator<Item = Proved> {
        pairs(TYPES, ACCOUNTS).flat_map(|(flow_type, account)| {
            flags().map(move |[open, redeemed, login, flow_session, own_session, revokes]| Proved {
                flow_type,
                account,
                is_open: open,
                is_redeemed: redeemed,
                has_login: login,
                has_flow_session: flow_session,
                has_own_session: own_session,
                revokes_sessions: revokes,
            })
        })
    }

    fn every_end() -> impl Iterator<Item = Reached> {
        pairs(TYPES, FORMATS).flat_map(|(flow_type, wants)| {
            flags().map(move |[is_link, is_new, has_session, has_login]| Reached {
                flow_type,
                wants,
                is_link,
                is_new,
                has_session,
                has_login,
            })
        })
    }

    #[test]
    fn every_submission_is_handled_as_the_table_says() {
        for [is_expired, is_completed, is_genuine] in flags() {
            let action = |carrier| act_on(&Submitted { carrier, is_expired, is_completed, is_genuine });
            assert_eq!(action(Carrier::Link { is_cross_site: true }), Action::ConfirmLink);
            assert_eq!(action(Carrier::Link { is_cross_site: false }), Action::RedeemLink);
            let expected = match [is_expired, is_genuine, is_completed] {
                [true, _, _] => Action::RestartExpired,
                [false, false, _] => Action::Forged,
                [false, true, true] => Action::RestartCompleted,
                [false, true, false] => Action::Process,
            };
            assert_eq!(action(Carrier::Form), expected);
        }
    }

    #[test]
    fn every_opening_of_a_mail_matches_the_table() {
        for [awaits_code, is_awaited, is_same_browser] in flags() {
            let opening = |flow_type| open(&Opened { flow_type, awaits_code, is_awaited, is_same_browser });
            assert_eq!(opening(FlowType::Api), Opening::ShowPage);
            let expected = match [awaits_code, is_awaited, is_same_browser] {
                [false, _, _] | [true, true, false] => Opening::ShowPage,
                [true, _, true] => Opening::FillIn { keeps_session: true },
                [true, false, false] => Opening::FillIn { keeps_session: false },
            };
            assert_eq!(opening(FlowType::Browser), expected);
            let stays = keeps_waiting(FlowType::Browser, is_same_browser);
            assert_eq!([stays, keeps_waiting(FlowType::Api, is_same_browser)], [is_same_browser, false]);
        }
    }

    /// The rules as a table that is read from top to bottom: the first matching row decides.
    fn by_table(proved: Proved) -> Decision {
        type Row = (fn(&Proved) -> bool, Decision);
        let is_own = |it: &Proved| match it.account {
            Account::Registrant { is_own } | Account::Stored { is_own, .. } => is_own,
        };
        let verified = |kept| Decision::VerifyAddress { revokes_sessions_except: kept };
        let table: [Row; 8] = [
            (|it| !it.is_open, Decision::Refused),
            (|it| !it.is_redeemed, Decision::Refused),
            (
                |it| matches!(it.account, Account::Registrant { .. }) && it.flow_type == FlowType::Browser,
                Decision::CreateAccount { signs_in: true },
            ),
            (|it| matches!(it.account, Account::Registrant { .. }), Decision::CreateAccount { signs_in: false }),
            (|it| it.has_login && !it.has_flow_session, Decision::NoSession),
            (|it| matches!(it.account, Account::Stored { is_verified: true, .. }), verified(None)),
            (|it| it.revokes_sessions && it.has_own_session, verified(Some(Kept::SessionOfRequest))),
            (|it| it.revokes_sessions, verified(Some(Kept::SessionOfFlow))),
        ];
        if !is_own(&proved) {
            return Decision::Refused;
        }
        table.into_iter().find(|(fits, _)| fits(&proved)).map_or(verified(None), |(_, decision)| decision)
    }

    #[test]
    fn every_proof_is_decided_as_the_table_says() {
        let mut counted = [0; 4];
        for proved in every_proof() {
            let decision = decide(&proved);
            assert_eq!(decision, by_table(proved), "{proved:?}");
            counted[match decision {
                Decision::Refused => 0,
                Decision::NoSession => 1,
                Decision::CreateAccount { .. } => 2,
                Decision::VerifyAddress { .. } => 3,
            }] += 1;
        }
        assert_eq!(counted.iter().sum::<usize>(), 2 * 6 * 64);
        assert!(counted.iter().all(|count| *count > 0), "{counted:?}");
    }

    #[test]
    fn the_next_step_matches_the_table_for_every_combination() {
        for reached in every_end() {
            let redirects = reached.flow_type == FlowType::Browser && reached.wants == Wants::Html;
            let shown = if reached.is_link { Next::ShowPage } else { Next::ShowForm };
            let expected = match [reached.has_login, reached.is_new, reached.has_session] {
                [true, _, true] => Next::GoOn { to: Target::Login, redirects },
                [true, false, false] => Next::NoSession,
                [false, true, true] => Next::GoOn { to: Target::ReturnUrl, redirects },
                [_, true, false] | [false, false, _] => shown,
            };
            assert_eq!(next(&reached), expected, "{reached:?}");
        }
        assert_eq!(every_end().count(), 2 * 2 * 16);
    }

    proptest! {
        /// An address that moved, a code that was used and a flow that is over verify nothing, whatever else is true.
        #[test]
        fn nothing_is_verified_without_an_own_address_an_open_flow_and_an_unused_code(
            at in 0_usize..768, fault in 0_usize..3,
        ) {
            let mut proved = every_proof().nth(at).unwrap();
            match fault {
                0 => proved.is_open = false,
                1 => proved.is_redeemed = false,
                _ => proved.account = match proved.account {
                    Account::Registrant { .. } => Account::Registrant { is_own: false },
                    Account::Stored { is_verified, .. } => Account::Stored { is_own: false, is_verified },
                },
            }
            prop_assert_eq!(decide(&proved), Decision::Refused);
        }

        /// An account that exists is never created once more, and a registrant's address is never only marked.
        #[test]
        fn only_a_registrant_gets_an_account(at in 0_usize..768) {
            let proved = every_proof().nth(at).unwrap();
            let is_registrant = matches!(proved.account, Account::Registrant { .. });
            match decide(&proved) {
                Decision::CreateAccount { .. } => prop_assert!(is_registrant),
                Decision::VerifyAddress { .. } | Decision::NoSession => prop_assert!(!is_registrant),
                Decision::Refused => {}
            }
        }

        /// Verifying an address again does not sign anybody out.
        #[test]
        fn a_verified_address_revokes_no_session(at in 0_usize..768) {
            let account = Account::Stored { is_own: true, is_verified: true };
            let decision = decide(&Proved { account, ..every_proof().nth(at).unwrap() });
            let revokes = matches!(decision, Decision::VerifyAddress { revokes_sessions_except: Some(_) });
            prop_assert!(!revokes);
        }

        /// Without a session no login of the authorization server is accepted.
        #[test]
        fn a_login_needs_a_session(at in 0_usize..64) {
            let reached = Reached { has_session: false, ..every_end().nth(at).unwrap() };
            let accepts = matches!(next(&reached), Next::GoOn { .. });
            prop_assert!(!accepts);
        }
    }
}
