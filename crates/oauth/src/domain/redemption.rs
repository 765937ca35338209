//! The decision on redeeming an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
//!
//! A code can be redeemed once. A second use revokes its tokens (RFC 6749 section 4.1.2); a use without the proof of RFC
//! 7636 invalidates the code, so that an attacker has no second attempt.

use base::{PlainToken, Timestamp};
use oauth_types::CodeVerifier;

use super::client::Client;
use super::grant::{CodeState, Grant, IssuedCode};

/// The client's request.
#[derive(Debug)]
pub struct RedeemCode {
    pub code: PlainToken,
    pub redirect_uri: Option<String>,
    pub code_verifier: Option<String>,
}

/// Which clients must use PKCE (`oauth2.pkce`).
#[derive(Clone, Copy, Debug, Default)]
pub struct PkcePolicy {
    pub enforced: bool,
    pub enforced_for_public_clients: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    Granted,
    /// The family of tokens must be revoked.
    Replayed,
    /// The code must be invalidated.
    Invalidated(CodeRefusal),
    Refused(CodeRefusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    #[error("the authorization code is unknown")]
    Unknown,
    #[error("the authorization code was issued to another client")]
    OtherClient,
    #[error("the authorization code has expired")]
    Expired,
    #[error("the authorization was revoked")]
    Revoked,
    #[error("the authorization code was presented without its proof and is no longer valid")]
    Invalidated,
    #[error("'redirect_uri' does not match the authorization request")]
    RedirectUri,
    #[error("'code_verifier' is required, because the authorization request had a code_challenge")]
    VerifierMissing,
    #[error("'code_verifier' must be 43 to 128 unreserved characters")]
    VerifierMalformed,
    #[error("'code_verifier' does not match the code_challenge")]
    VerifierMismatch,
    #[error("'code_verifier' was sent, but the authorization request had no code_challenge")]
    ChallengeMissing,
    #[error("this client must use PKCE")]
    PkceRequired,
}

impl PkcePolicy {
    pub fn requires(self, client: &Client) -> bool {
        self.enforced || (self.enforced_for_public_clients && client.is_public())
    }
}

impl Grant {
    pub fn redeem(&self, client: &Client, request: &RedeemCode, pkce: PkcePolicy, now: Timestamp) -> Redemption {
        use Redemption::{Granted, Invalidated, Refused, Replayed};

        let Some(code) = self.code.as_ref().filter(|code| code.digest == request.code.digest()) else {
            return Refused(CodeRefusal::Unknown);
        };
        if self.client_id != client.id {
            return Refused(CodeRefusal::OtherClient);
        }
        match code.state {
            CodeState::Redeemed => return Replayed,
            CodeState::Invalidated => return Refused(CodeRefusal::Invalidated),
            CodeState::Issued => {}
        }
        if self.revoked_at.is_some() {
            return Refused(CodeRefusal::Revoked);
        }
        if code.expires_at <= now {
            return Refused(CodeRefusal::Expired);
        }
        // RFC 6749 section 4.1.3: required and identical if the authorization request had one.
        if code.redirect_uri.is_some() && code.redirect_uri != request.redirect_uri {
            return Refused(CodeRefusal::RedirectUri);
        }
        match prove(code, request.code_verifier.as_deref(), pkce.requires(client)) {
            Ok(()) => Granted,
            Err(
                reason
                @ (CodeRefusal::VerifierMissing | CodeRefusal::VerifierMalformed | CodeRefusal::VerifierMismatch),
            ) => Invalidated(reason),
            Err(reason) => Refused(reason),
        }
    }
}

fn prove(code: &IssuedCode, verifier: Option<&str>, is_required: bool) -> Result<(), CodeRefusal> {
    match (&code.challenge, verifier) {
        (Some(challenge), Some(verifier)) => {
            let verifier = CodeVerifier::parse(verifier).map_err(|_| CodeRefusal::VerifierMalformed)?;
            if challenge.is_proved_by(&verifier) { Ok(()) } else { Err(CodeRefusal::VerifierMismatch) }
        }
        (Some(_), None) => Err(CodeRefusal::VerifierMissing),
        // RFC 9700 section 2.1.1: prevents a downgrade attack that removes the challenge.
        (None, Some(_)) => Err(CodeRefusal::ChallengeMissing),
        (None, None) if is_required => Err(CodeRefusal::PkceRequired),
        (None, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::client::ClientId;
    use crate::domain::client::TokenEndpointAuthMethod;
    use crate::domain::grant::RefreshFamily;
    use crate::testing::{a_client, a_grant};

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000)
    }

    fn issued() -> (Grant, RedeemCode) {
        let mut grant = a_grant(now());
        let code = PlainToken::received("ory_ac_abc");
        grant.code = Some(IssuedCode {
            digest: code.digest(),
            state: CodeState::Issued,
            expires_at: now().plus(Duration::from_mins(10)),
            challenge: Some(CodeVerifier::parse(VERIFIER).unwrap().challenge()),
            redirect_uri: Some("https://rp.example/cb".to_owned()),
        });
        let redirect_uri = Some("https://rp.example/cb".to_owned());
        (grant, RedeemCode { code, redirect_uri, code_verifier: Some(VERIFIER.to_owned()) })
    }

    fn decide(change: impl FnOnce(&mut Grant, &mut IssuedCode, &mut RedeemCode)) -> Redemption {
        let (mut grant, mut request) = issued();
        let mut code = grant.code.take().unwrap();
        change(&mut grant, &mut code, &mut request);
        grant.code = Some(code);
        grant.redeem(&a_client("client-1"), &request, PkcePolicy::default(), now())
    }

    #[test]
    fn a_code_with_its_proof_is_granted() {
        assert_eq!(decide(|_, _, _| {}), Redemption::Granted);
        assert_eq!(decide(|_, code, _| code.redirect_uri = None), Redemption::Granted);
    }

    #[test]
    fn a_second_redemption_is_a_replay_even_when_late() {
        let decision = decide(|grant, code, _| {
            code.state = CodeState::Redeemed;
            code.expires_at = now();
            grant.refresh = None::<RefreshFamily>;
        });
        assert_eq!(decision, Redemption::Replayed);
    }

    #[test]
    fn a_failed_proof_invalidates_the_code() {
        let missing = decide(|_, _, request| request.code_verifier = None);
        assert_eq!(missing, Redemption::Invalidated(CodeRefusal::VerifierMissing));
        let wrong = decide(|_, _, request| request.code_verifier = Some("x".repeat(43)));
        assert_eq!(wrong, Redemption::Invalidated(CodeRefusal::VerifierMismatch));
        let short = decide(|_, _, request| request.code_verifier = Some("short".to_owned()));
        assert_eq!(short, Redemption::Invalidated(CodeRefusal::VerifierMalformed));
        let invalidated = decide(|_, code, _| code.state = CodeState::Invalidated);
        assert_eq!(invalidated, Redemption::Refused(CodeRefusal::Invalidated));
    }

    #[test]
    fn other_mismatches_are_rejected() {
        let refused = |change: fn(&mut Grant, &mut IssuedCode, &mut RedeemCode)| match decide(change) {
            Redemption::Refused(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(|_, _, request| request.code = PlainToken::received("x")), CodeRefusal::Unknown);
        assert_eq!(
            refused(|grant, _, _| grant.client_id = ClientId::parse("other").unwrap()),
            CodeRefusal::OtherClient
        );
        assert_eq!(refused(|_, code, _| code.expires_at = now()), CodeRefusal::Expired);
        assert_eq!(refused(|grant, _, _| grant.revoked_at = Some(now())), CodeRefusal::Revoked);
        assert_eq!(refused(|_, _, request| request.redirect_uri = None), CodeRefusal::RedirectUri);
        assert_eq!(refused(|_, code, _| code.challenge = None), CodeRefusal::ChallengeMissing);
    }

    #[test]
    fn pkce_can_be_enforced_for_public_clients() {
        let (mut grant, mut request) = issued();
        if let Some(code) = &mut grant.code {
            code.challenge = None;
        }
        request.code_verifier = None;
        let policy = PkcePolicy { enforced: false, enforced_for_public_clients: true };
        let mut client = a_client("client-1");
        assert_eq!(grant.redeem(&client, &request, policy, now()), Redemption::Granted);
        client.metadata.token_endpoint_auth_method = TokenEndpointAuthMethod::None;
        let refused = Redemption::Refused(CodeRefusal::PkceRequired);
        assert_eq!(grant.redeem(&client, &request, policy, now()), refused);
    }
}
