//! The decisions of a login after a proof of identity, as values.
//!
//! [`decide`] runs before anything is written, [`next`] once the session exists. Invariants:
//! - A disabled user is rejected, whatever they proved.
//! - Where a verified address is required, a user without one is not signed in.
//! - A browser whose session lacks the required second factor does not complete a login: it proves the second factor next. A
//!   native client gets such a session, without the identity.
//! - A new sign-in gets a new anti-CSRF secret.

use super::client_kind::FlowType;
use super::{Aal, CredentialType};

/// The state of the user's verifiable addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// At least one is verified. Others may be unverified.
    Verified { pending: bool },
    /// None is verified.
    Unverified,
    /// There are no verifiable addresses.
    Absent,
}

/// The input of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers one question")]
pub struct Proved {
    pub method: CredentialType,
    pub is_active: bool,
    pub addresses: Addresses,
    /// The level that the flow requests.
    pub requested_aal: Aal,
    /// Whether the session of the request belongs to this user.
    pub has_session: bool,
    /// The hook `require_verified_address`.
    pub requires_verified_address: bool,
    /// Whether an unverified address is reported in the form of the password, as in older versions of Kratos.
    pub refuses_unverified_in_form: bool,
    /// The hook `verification`, where verification is enabled.
    pub verifies: bool,
}

/// The decision of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Refused(Refusal),
    /// An address must be verified before the user is signed in.
    VerifyFirst,
    SignedIn(SignIn),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Disabled,
    /// A verified address is required, and the form reports it.
    AddressNotVerified,
    /// A verified address is required of a user without verifiable addresses: the configuration contradicts the schema.
    NothingToVerify,
}

/// How the user is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Whether the proof is added to the session of the request; otherwise a new session is issued.
    pub adds_to_session: bool,
    /// Whether a verification flow for an address starts.
    pub begins_verification: bool,
}

/// Decides the result of a proof.
pub fn decide(proved: &Proved) -> Decision {
    if !proved.is_active {
        return Decision::Refused(Refusal::Disabled);
    }
    if proved.requires_verified_address {
        match proved.addresses {
            Addresses::Verified { .. } => {}
            Addresses::Absent => return Decision::Refused(Refusal::NothingToVerify),
            Addresses::Unverified if proved.method == CredentialType::Password && proved.refuses_unverified_in_form => {
                return Decision::Refused(Refusal::AddressNotVerified);
            }
            Addresses::Unverified => return Decision::VerifyFirst,
        }
    }
    let waits = matches!(proved.addresses, Addresses::Unverified | Addresses::Verified { pending: true });
    Decision::SignedIn(SignIn {
        adds_to_session: proved.has_session,
        begins_verification: waits && proved.verifies && proved.requested_aal <= Aal::Aal1,
    })
}

/// The next step of a login once its session is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The client holds the session. It contains the identity only when it reaches the required level.
    Session { with_person: bool },
    /// The browser must prove a second factor.
    SecondFactor,
    /// The browser verifies its address; the authorization server's login request stays open.
    Verification,
    /// The authorization server continues.
    Challenge,
    /// The flow is complete.
    Done,
}

/// The input of [`next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    pub flow_type: FlowType,
    /// Whether the session reaches the level that is required of the user.
    pub is_sufficient: bool,
    /// Whether the flow answers a login challenge.
    pub has_challenge: bool,
    /// Whether a verification flow started that is shown to a navigating browser.
    pub shows_verification: bool,
}

pub const fn next(reached: &Reached) -> Next {
    match (reached.flow_type, reached.is_sufficient, reached.has_challenge) {
        (FlowType::Api, is_sufficient, _) => Next::Session { with_person: is_sufficient },
        (FlowType::Browser, false, _) => Next::SecondFactor,
        (FlowType::Browser, true, true) if reached.shows_verification => Next::Verification,
        (FlowType::Browser, true, true) => Next::Challenge,
        (FlowType::Browser, true, false) => Next::Done,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADDRESSES: [Addresses; 4] = [
        Addresses::Verified { pending: false },
        Addresses::Verified { pending: true },
        Addresses::Unverified,
        Addresses::Absent,
    ];
    const BOTH: [bool; 2] = [false, true];

    /// Every combination of method, state of the user, hooks and assurance.
    fn all() -> impl Iterator<Item = Proved> {
        let flags = |bits: u8| std::array::from_fn::<bool, 5, _>(|at| bits & (1 << at) != 0);
        CredentialType::ALL.iter().flat_map(move |method| {
            ADDRESSES.into_iter().flat_map(move |addresses| {
                [Aal::Aal1, Aal::Aal2].into_iter().flat_map(move |requested_aal| {
                    (0..32).map(flags).map(move |[is_active, session, required, in_form, verifies]| Proved {
                        method: *method,
                        is_active,
                        addresses,
                        requested_aal,
                        has_session: session,
                        requires_verified_address: required,
                        refuses_unverified_in_form: in_form,
                        verifies,
                    })
                })
            })
        })
    }

    /// The same rules as a table that is read from top to bottom: the first matching row decides.
    fn by_table(proved: Proved) -> Decision {
        type Row = (fn(&Proved) -> bool, Decision);
        let is_unverified = proved.addresses == Addresses::Unverified;
        let table: [Row; 4] = [
            (|it| !it.is_active, Decision::Refused(Refusal::Disabled)),
            (
                |it| it.requires_verified_address && it.addresses == Addresses::Absent,
                Decision::Refused(Refusal::NothingToVerify),
            ),
            (
                |it| {
                    it.requires_verified_address
                        && it.addresses == Addresses::Unverified
                        && it.refuses_unverified_in_form
                        && it.method == CredentialType::Password
                },
                Decision::Refused(Refusal::AddressNotVerified),
            ),
            (|it| it.requires_verified_address && it.addresses == Addresses::Unverified, Decision::VerifyFirst),
        ];
        if let Some((_, decision)) = table.iter().find(|(fits, _)| fits(&proved)) {
            return *decision;
        }
        let waits = is_unverified || proved.addresses == Addresses::Verified { pending: true };
        let begins_verification = waits && proved.verifies && proved.requested_aal == Aal::Aal1;
        Decision::SignedIn(SignIn { adds_to_session: proved.has_session, begins_verification })
    }

    #[test]
    fn every_combination_is_decided_as_the_table_says() {
        let mut counted = [0; 3];
        for proved in all() {
            let decision = decide(&proved);
            assert_eq!(decision, by_table(proved), "{proved:?}");
            counted[match decision {
                Decision::Refused(_) => 0,
                Decision::VerifyFirst => 1,
                Decision::SignedIn(_) => 2,
            }] += 1;
        }
        assert_eq!(counted.iter().sum::<usize>(), CredentialType::ALL.len() * 4 * 2 * 32);
        assert!(counted.iter().all(|count| *count > 0), "{counted:?}");
    }

    #[test]
    fn a_user_who_is_disabled_or_lacks_a_required_address_is_not_signed_in() {
        for proved in all().filter(|it| matches!(decide(it), Decision::SignedIn(_))) {
            assert!(proved.is_active, "{proved:?}");
            let is_verified = matches!(proved.addresses, Addresses::Verified { .. });
            assert!(!proved.requires_verified_address || is_verified, "{proved:?}");
        }
    }

    #[test]
    fn the_next_step_matches_the_table_for_every_combination() {
        for is_sufficient in BOTH {
            for has_challenge in BOTH {
                for shows_verification in BOTH {
                    let reached =
                        |flow_type| next(&Reached { flow_type, is_sufficient, has_challenge, shows_verification });
                    assert_eq!(reached(FlowType::Api), Next::Session { with_person: is_sufficient });
                    let expected = match (is_sufficient, has_challenge, shows_verification) {
                        (false, _, _) => Next::SecondFactor,
                        (true, true, true) => Next::Verification,
                        (true, true, false) => Next::Challenge,
                        (true, false, _) => Next::Done,
                    };
                    assert_eq!(reached(FlowType::Browser), expected);
                }
            }
        }
    }

    proptest! {
        /// A hook can prevent a sign-in, but never causes one.
        #[test]
        fn a_required_address_only_prevents_sign_ins(at in 0..all().count()) {
            let without = Proved { requires_verified_address: false, ..all().nth(at).unwrap() };
            let with = Proved { requires_verified_address: true, ..without };
            if matches!(decide(&with), Decision::SignedIn(_)) {
                prop_assert_eq!(decide(&with), decide(&without));
            }
        }
    }
}
