//! A backup code as the second factor of a login.

use async_trait::async_trait;
use database::WriteTx;
use subtle::ConstantTimeEq as _;

use crate::components::attempts::Target;
use crate::domain::credential::CredentialConfig;
use crate::domain::message::Message;
use crate::domain::{Aal, AuthenticationMethod, CredentialType};
use crate::flows::errors::StepError;
use crate::flows::login::step::{Effects, LoginStep, Proof, Redeem, Redeeming, Step, missing};
use crate::storage;

use super::credential::LookupCode;
use super::{codes_of, messages};

pub(super) async fn login(step: LoginStep<'_>) -> Result<Step, StepError> {
    let (service, cx) = (step.service, step.cx);
    let current = step.require_second_factor(service.flow_policy.methods().lookup_secret.enabled)?;
    step.flow.submitted_method = Some(CredentialType::LookupSecret);
    step.flow.transient_payload = step.submission.transient_payload();
    let given = step.submission.text("lookup_secret").ok_or_else(|| missing("lookup_secret"))?;
    let identity = current.identity.clone();
    let codes = codes_of(&identity.credentials).ok_or_else(|| StepError::general(messages::no_codes()))?;
    let target = Target::SecondFactor(identity.id);
    let guess = service.attempts.admit(cx, step.caller, &target, false).await?;
    if guess.is_ignored() {
        // The session identifies the user: there is no account to hide.
        return Err(service.attempts.no_guess_left().into());
    }
    let found = find(codes, given);
    let Some(LookupCode { code, used_at: None, .. }) = found else {
        let refusal = if found.is_some() { messages::code_used() } else { messages::code_invalid() };
        step.count_failed_guess(guess, Some(identity.id), "the backup code is wrong").await?;
        return Err(StepError::general(refusal));
    };
    step.flow.active = Some(CredentialType::LookupSecret);
    let method = AuthenticationMethod::new(CredentialType::LookupSecret, Aal::Aal2, cx.now);
    let effects = Effects {
        redeems: Some(Box::new(UsedCode(code.clone()))),
        familiar: guess.familiar.clone(),
        ..Effects::default()
    };
    Ok(Step::Proved(Box::new(Proof { identity, method, effects })))
}

/// Finds the given code. All codes are compared, in a time that does not depend on which one matches. Spaces are ignored and
/// capitals are accepted, because users copy codes from paper. A code that is listed twice counts as used when one of the
/// two is.
fn find<'a>(codes: &'a [LookupCode], given: &str) -> Option<&'a LookupCode> {
    let given = without_spaces(given);
    let lower = given.to_ascii_lowercase();
    let mut found: Option<&LookupCode> = None;
    for code in codes {
        let known = without_spaces(&code.code);
        let is_equal = known.as_bytes().ct_eq(given.as_bytes()) | known.as_bytes().ct_eq(lower.as_bytes());
        if bool::from(is_equal) && !known.is_empty() && found.is_none_or(|found| found.used_at.is_none()) {
            found = Some(code);
        }
    }
    found
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The code that was submitted.
struct UsedCode(String);

#[async_trait]
impl Redeem for UsedCode {
    async fn redeem(&self, tx: &mut WriteTx, of: Redeeming<'_>) -> Result<bool, database::Error> {
        let sealer = of.service.tenant_sealer(of.cx);
        let stored = storage::credentials::lock(tx, sealer, of.person, CredentialType::LookupSecret).await?;
        let Some(mut credential) = stored else { return Ok(false) };
        let CredentialConfig::LookupSecret(lookup) = &mut credential.config else { return Ok(false) };
        let mut equal: Vec<&mut LookupCode> = lookup.recovery_codes.iter_mut().filter(|it| it.code == self.0).collect();
        if equal.is_empty() || equal.iter().any(|code| code.used_at.is_some()) {
            return Ok(false);
        }
        for code in &mut equal {
            code.used_at = Some(of.cx.now.truncated_to_seconds());
        }
        credential.updated_at = of.cx.now;
        storage::credentials::update_config(tx, sealer, of.person, &credential).await
    }

    fn refusal(&self) -> Message {
        messages::code_used()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_listed_twice_counts_as_used_when_one_of_them_is() {
        let mut used = LookupCode::unused("aaaa1111");
        used.used_at = Some(base::Timestamp::EPOCH);
        for codes in [[used.clone(), LookupCode::unused("aaaa1111")], [LookupCode::unused("aaaa1111"), used]] {
            assert!(find(&codes, "aaaa1111").unwrap().used_at.is_some());
        }
    }

    #[test]
    fn a_code_is_found_despite_spaces_and_capitals() {
        let codes = ["abcd1234", "EFGH5678", "12 34", ""].map(LookupCode::unused);
        for (given, found) in [
            ("abcd1234", Some(0)),
            ("ABCD1234", Some(0)),
            (" abcd 1234 ", Some(0)),
            ("EFGH5678", Some(1)),
            ("efgh5678", None),
            ("abcd123", None),
            ("abcd12345", None),
            ("", None),
            (" ", None),
            ("1234", Some(2)),
        ] {
            assert_eq!(find(&codes, given), found.map(|at: usize| &codes[at]), "{given}");
        }
    }
}
