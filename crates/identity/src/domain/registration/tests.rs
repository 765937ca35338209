//! The decisions of a registration as tables over every combination of facts, and their invariants.

use proptest::prelude::*;

use super::*;
use crate::tests::combinations::{flags, pairs};

const TYPES: [FlowType; 2] = [FlowType::Browser, FlowType::Api];
const FORMATS: [Wants; 2] = [Wants::Html, Wants::Json];
const TRAITS: [Option<Direction>; 3] = [None, Some(Direction::Forward), Some(Direction::Back)];
const NAMES: [TakenName; 5] = [
    TakenName::Identifier { is_address: false },
    TakenName::Identifier { is_address: true },
    TakenName::Address { is_verifiable: false },
    TakenName::Address { is_verifiable: true },
    TakenName::ExternalId,
];

fn clients() -> Vec<(FlowType, Wants)> {
    pairs(TYPES, FORMATS).collect()
}

fn every_submission() -> impl Iterator<Item = Submitted> {
    pairs(TRAITS, clients()).flat_map(|(traits, (flow_type, wants))| {
        flags().map(move |[session, new_account, expired, genuine, two_steps, has_method]| Submitted {
            flow_type,
            wants,
            has_session: session,
            requests_new_account: new_account,
            is_expired: expired,
            is_genuine: genuine,
            has_two_steps: two_steps,
            traits,
            has_method,
        })
    })
}

fn every_registration() -> impl Iterator<Item = Completed> {
    pairs(CredentialType::ALL.iter().copied(), flags::<6>()).map(
        |(method, [address, login, session, shows, verifies, confirms_first])| Completed {
            method,
            has_unverified_address: address,
            has_login: login,
            issues_session: session,
            shows_verification: shows,
            verifies,
            confirms_first,
        },
    )
}

fn every_end() -> impl Iterator<Item = Reached> {
    pairs(clients(), flags::<6>()).map(
        |((flow_type, wants), [session, shows, verification, login, new_account, is_sufficient])| Reached {
            flow_type,
            wants,
            has_session: session,
            shows_session: shows,
            shows_verification: verification,
            has_login: login,
            requests_new_account: new_account,
            is_sufficient,
        },
    )
}

#[test]
fn every_start_is_decided_as_the_table_says() {
    for ((flow_type, wants), [has_session, has_login, is_answered, requests_new_account]) in
        pairs(clients(), flags::<4>())
    {
        let login = has_login.then_some(Login { is_answered, requests_new_account });
        let expected = match [has_session, has_login, requests_new_account, is_answered] {
            [false, ..] | [true, true, true, _] => Start::Flow,
            [true, true, false, true] => Start::AcceptLogin,
            [true, true, false, false] => Start::SignIn,
            [true, false, ..] => {
                Start::SessionExists { redirects: (flow_type, wants) == (FlowType::Browser, Wants::Html) }
            }
        };
        assert_eq!(start(&Requested { flow_type, wants, has_session, login }), expected);
    }
}

#[test]
fn every_submission_is_handled_as_the_table_says() {
    type Row = (fn(&Submitted) -> bool, fn(&Submitted) -> Action);
    let table: [Row; 6] = [
        (
            |it| it.has_session && !it.requests_new_account,
            |it| Action::SessionExists { redirects: it.flow_type == FlowType::Browser && it.wants == Wants::Html },
        ),
        (|it| it.is_expired, |_| Action::Renew),
        (|it| !it.is_genuine, |_| Action::Forged),
        (|it| it.has_two_steps && it.traits == Some(Direction::Forward), |_| Action::Traits(Direction::Forward)),
        (|it| it.has_two_steps && it.traits.is_some(), |_| Action::Traits(Direction::Back)),
        (|it| it.has_method, |_| Action::Credential),
    ];
    let mut count = 0;
    for submitted in every_submission() {
        let row = table.iter().find(|(fits, _)| fits(&submitted));
        let expected = row.map_or(Action::NoMethod, |(_, action)| action(&submitted));
        assert_eq!(act_on(&submitted), expected, "{submitted:?}");
        count += 1;
    }
    assert_eq!(count, 3 * 4 * 64);
}

#[test]
fn every_registration_is_decided_as_the_table_says() {
    let mut counted = [0; 2];
    for completed in every_registration() {
        let Completed { has_unverified_address: address, has_login: login, .. } = completed;
        let waits = completed.method == CredentialType::Password
            && [completed.confirms_first, address, completed.issues_session] == [true, true, false];
        let shows = [completed.shows_verification, completed.confirms_first].contains(&true);
        let (starts_verification, shows_verification) = match [address, completed.verifies] {
            [true, true] => (true, shows),
            [false, _] | [_, false] => (false, false),
        };
        let expected = if waits {
            Decision::AwaitAddress
        } else {
            Decision::CreateAccount(NewAccount {
                issues_session: [completed.issues_session, login].contains(&true),
                starts_verification,
                shows_verification,
                verification_keeps_login: [login, shows_verification] == [true; 2],
            })
        };
        assert_eq!(decide(&completed), expected, "{completed:?}");
        counted[usize::from(waits)] += 1;
    }
    assert_eq!(counted, [CredentialType::ALL.len() * 64 - 8, 8]);
}

#[test]
fn every_conflict_is_resolved_as_the_table_says() {
    for (name, [issues_session, hides_accounts, gives_hints]) in pairs(NAMES, flags::<3>()) {
        let reported = Resolution::Report { has_hints: false };
        let expected = match (name, [hides_accounts, issues_session]) {
            (
                TakenName::Identifier { is_address: true } | TakenName::Address { is_verifiable: true },
                [true, false],
            ) => Resolution::Pretend,
            (TakenName::Identifier { .. }, _) => Resolution::Report { has_hints: gives_hints },
            (TakenName::Address { .. } | TakenName::ExternalId, _) => reported,
        };
        assert_eq!(on_conflict(&Conflict { name, issues_session, hides_accounts, gives_hints }), expected);
    }
    let waiting = [Names::Free, Names::Taken { is_reachable: true }, Names::Taken { is_reachable: false }].map(wait);
    assert_eq!(waiting, [Waiting::Registrant, Waiting::Owners, Waiting::Refused]);
}

#[test]
fn the_next_step_matches_the_table_for_every_combination() {
    for reached in every_end() {
        let next = next(&reached);
        let to = match [reached.shows_verification, reached.has_login, reached.has_session, reached.is_sufficient] {
            _ if reached.flow_type == FlowType::Api => Target::ReturnUrl,
            [true, ..] => Target::Verification,
            [false, true, true, true] => Target::Login,
            [false, true, true, false] => Target::SecondFactor,
            [false, false, ..] | [false, true, false, _] => Target::ReturnUrl,
        };
        let session = match [reached.shows_session, reached.has_session, reached.requests_new_account] {
            [true, true, _] if reached.flow_type == FlowType::Api => Delivery::Token,
            [true, true, _] => Delivery::Cookie,
            [false, _, true] if reached.flow_type == FlowType::Browser => Delivery::CookieDeleted,
            [true, false, _] | [false, ..] => Delivery::Absent,
        };
        let leaves = matches!(to, Target::Login | Target::SecondFactor);
        let response = match (leaves, reached.wants, reached.shows_session) {
            (true, Wants::Json, false) => Response::Elsewhere,
            _ => Response::Done,
        };
        assert_eq!(next, Next { to, response, session }, "{reached:?}");
    }
    assert_eq!(every_end().count(), 4 * 64);
}

/// The end of a registration in a browser, whose login is neither lost nor accepted twice.
fn end_of(completed: Completed, new: NewAccount) -> Target {
    next(&Reached {
        flow_type: FlowType::Browser,
        wants: Wants::Html,
        has_session: new.issues_session,
        shows_session: completed.issues_session,
        shows_verification: new.shows_verification,
        has_login: completed.has_login,
        requests_new_account: false,
        is_sufficient: true,
    })
    .to
}

proptest! {
    /// A registration that waits would give a session to somebody who may not own the address.
    #[test]
    fn a_registration_that_waits_issues_no_session(at in 0_usize..CredentialType::ALL.len() * 64) {
        let completed = every_registration().nth(at).unwrap();
        if decide(&completed) == Decision::AwaitAddress {
            prop_assert!(!completed.issues_session && completed.has_unverified_address);
        }
    }

    #[test]
    fn a_login_is_accepted_now_or_kept_by_the_verification(at in 0_usize..CredentialType::ALL.len() * 64) {
        let completed = Completed { has_login: true, ..every_registration().nth(at).unwrap() };
        if let Decision::CreateAccount(new) = decide(&completed) {
            let is_accepted = end_of(completed, new) == Target::Login;
            prop_assert!(is_accepted != new.verification_keeps_login);
        }
    }

    /// Where accounts are hidden, the response depends on nothing but the registrant's own addresses.
    #[test]
    fn a_hidden_address_is_never_reported(at in 0_usize..5, issues_session: bool, gives_hints: bool) {
        let conflict = Conflict { name: NAMES[at], issues_session, hides_accounts: true, gives_hints };
        let is_own = matches!(
            conflict.name,
            TakenName::Identifier { is_address: true } | TakenName::Address { is_verifiable: true }
        );
        prop_assert_eq!(on_conflict(&conflict) == Resolution::Pretend, is_own && !issues_session);
    }

    /// A client gets no session that was not issued, and none that only the authorization server needs.
    #[test]
    fn a_session_is_delivered_only_where_the_hook_asks_for_it(at in 0_usize..256) {
        let reached = every_end().nth(at).unwrap();
        let is_delivered = matches!(next(&reached).session, Delivery::Token | Delivery::Cookie);
        prop_assert_eq!(is_delivered, reached.has_session && reached.shows_session);
    }
}
