//! One-time codes of six digits, sent to an address to prove that the person reads what arrives there.
//!
//! A code belongs to one flow and one purpose; one of another kind never redeems. Guesses are counted over all codes of
//! a flow, so that asking for a new one does not buy new guesses.

use base::{PlainToken, Rng, Timestamp};
use subtle::ConstantTimeEq as _;

use super::flow::FlowId;
use super::{IdentityId, Via};

base::uuid_ids! {
    /// One code that was sent.
    CodeId;
}

/// How many digits a code has.
pub const DIGITS: usize = 6;

/// What a code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePurpose {
    Login,
    Registration,
    Recovery,
    Verification,
}

impl CodePurpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Registration => "registration",
            Self::Recovery => "recovery",
            Self::Verification => "verification",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    pub id: CodeId,
    pub purpose: CodePurpose,
    pub flow_id: FlowId,
    pub sealed: Vec<u8>,
    /// Nobody's, when the address is not known here: the flow must look the same.
    pub identity_id: Option<IdentityId>,
    pub via: Via,
    pub address: String,
    pub attempts: i32,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What a guess came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Guess {
    Right(Box<Code>),
    Expired,
    Wrong,
}

/// A fresh code.
pub fn generate(rng: &Rng) -> PlainToken {
    PlainToken::received(rng.digits(DIGITS))
}

/// Compares a guess with every open code of a flow; `open` unseals one. All are compared, whichever is right.
pub fn compare(guess: &str, codes: Vec<Code>, now: Timestamp, open: impl Fn(&Code) -> Option<Vec<u8>>) -> Guess {
    let guess: String = guess.chars().filter(|character| !character.is_whitespace()).collect();
    let mut right = None;
    for code in codes {
        let matches = open(&code).is_some_and(|secret| bool::from(secret.as_slice().ct_eq(guess.as_bytes())));
        if matches {
            right = Some(code);
        }
    }
    match right {
        Some(code) if now < code.expires_at => Guess::Right(Box::new(code)),
        Some(_) => Guess::Expired,
        None => Guess::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(rng: &Rng, secret: &str, expires: i64) -> Code {
        Code {
            id: CodeId::generate(rng),
            purpose: CodePurpose::Recovery,
            flow_id: FlowId::generate(rng),
            sealed: secret.as_bytes().to_vec(),
            identity_id: None,
            via: Via::Email,
            address: "a@x".to_owned(),
            attempts: 0,
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::from_unix_seconds(expires),
        }
    }

    #[test]
    fn a_guess_is_right_wrong_or_late() {
        let rng = Rng::seeded(1);
        let codes = vec![code(&rng, "111111", 10), code(&rng, "222222", 5)];
        let open = |code: &Code| Some(code.sealed.clone());
        let now = Timestamp::from_unix_seconds(7);
        assert!(matches!(compare("111 111", codes.clone(), now, open), Guess::Right(code) if code.sealed == b"111111"));
        assert_eq!(compare("222222", codes.clone(), now, open), Guess::Expired);
        assert_eq!(compare("333333", codes.clone(), now, open), Guess::Wrong);
        assert_eq!(compare("", codes, now, |_| None), Guess::Wrong);
    }

    #[test]
    fn a_code_has_six_digits() {
        let code = generate(&Rng::seeded(3));
        assert!(code.expose().len() == DIGITS && code.expose().bytes().all(|byte| byte.is_ascii_digit()));
    }
}
