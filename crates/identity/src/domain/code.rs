//! One-time codes. They are sent to an address to prove that the user reads its messages: six digits to enter, or the
//! token of a link to open.
//!
//! A code belongs to one flow and one purpose; it cannot be redeemed for another. Wrong guesses count against the code, and
//! against its user over all flows (`attempt_limit`). Digits are stored sealed, because a digest of one of a million
//! values can be reversed. A token is stored as its digest only.

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

/// How many alphanumerics the token of a link has.
const TOKEN_LENGTH: usize = 32;

/// The purpose of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePurpose {
    Login,
    Registration,
    Recovery,
    RecoveryLink,
    Verification,
    VerificationLink,
}

impl CodePurpose {
    /// Whether the code is a link.
    pub const fn is_link(self) -> bool {
        matches!(self, Self::RecoveryLink | Self::VerificationLink)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Registration => "registration",
            Self::Recovery => "recovery",
            Self::RecoveryLink => "recovery_link",
            Self::Verification => "verification",
            Self::VerificationLink => "verification_link",
        }
    }
}

/// Who requested a code. A user has one open code of each kind, so that a stranger's request does not invalidate theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AskedBy {
    #[default]
    Stranger,
    /// A device or network that is familiar to the user.
    Familiar,
    Administrator,
}

impl AskedBy {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Familiar => "familiar",
            Self::Administrator => "administrator",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Stranger, Self::Familiar, Self::Administrator].into_iter().find(|it| it.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    pub id: CodeId,
    pub purpose: CodePurpose,
    pub flow_id: FlowId,
    /// The sealed digits, or the digest of the token. Empty when a newer code superseded it.
    pub at_rest: Vec<u8>,
    /// `None` when the address is unknown: the flow must look the same.
    pub identity_id: Option<IdentityId>,
    pub via: Via,
    pub address: String,
    pub asked_by: AskedBy,
    /// Wrong guesses.
    pub attempts: i32,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The result of a guess.
#[derive(Clone, Debug, PartialEq)]
pub enum Guess {
    Right(Box<Code>),
    Expired,
    Wrong,
}

/// Generates a new code.
pub fn generate(rng: &Rng, purpose: CodePurpose) -> PlainToken {
    if purpose.is_link() {
        return PlainToken::generate(rng, "", TOKEN_LENGTH);
    }
    PlainToken::received(rng.digits(DIGITS))
}

/// The comparable form of a guess: users group digits, and a token is compared by its digest.
pub fn comparable(guess: &str, purpose: CodePurpose) -> Vec<u8> {
    if purpose.is_link() {
        return PlainToken::received(guess).digest().as_bytes().to_vec();
    }
    without_grouping(guess).into_bytes()
}

/// A typed code without the spaces that group it, in ASCII digits: keyboards and authenticator apps in Arabic, Persian and Japanese
/// write others.
pub fn without_grouping(typed: &str) -> String {
    let ascii = |character: char| {
        let zero =
            [0x0660, 0x06F0, 0xFF10].into_iter().find(|zero| (*zero..*zero + 10).contains(&u32::from(character)));
        zero.and_then(|zero| char::from_digit(u32::from(character) - zero, 10)).unwrap_or(character)
    };
    typed.chars().filter(|character| !character.is_whitespace()).map(ascii).collect()
}

/// Compares a guess with every open code of a flow, in a time that does not depend on which one matches. `open` returns the
/// comparable form of a code.
pub fn compare(guess: &[u8], codes: Vec<Code>, now: Timestamp, open: impl Fn(&Code) -> Option<Vec<u8>>) -> Guess {
    let mut right = None;
    for code in codes {
        let matches = open(&code).is_some_and(|secret| bool::from(secret.as_slice().ct_eq(guess)));
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
            at_rest: secret.as_bytes().to_vec(),
            identity_id: None,
            via: Via::Email,
            address: "a@x".to_owned(),
            asked_by: AskedBy::Stranger,
            attempts: 0,
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::from_unix_seconds(expires),
        }
    }

    #[test]
    fn a_guess_is_right_wrong_or_expired() {
        let rng = Rng::seeded(1);
        let codes = vec![code(&rng, "111111", 10), code(&rng, "222222", 5)];
        let open = |code: &Code| Some(code.at_rest.clone());
        let now = Timestamp::from_unix_seconds(7);
        let guess = |typed: &str| comparable(typed, CodePurpose::Recovery);
        let right = compare(&guess("111 111"), codes.clone(), now, open);
        assert!(matches!(right, Guess::Right(code) if code.at_rest == b"111111"));
        assert_eq!(compare(&guess("222222"), codes.clone(), now, open), Guess::Expired);
        assert_eq!(compare(&guess("333333"), codes.clone(), now, open), Guess::Wrong);
        assert_eq!(compare(&guess(""), codes, now, |_| None), Guess::Wrong);
    }

    #[test]
    fn a_token_is_long_and_compared_by_its_digest() {
        let token = generate(&Rng::seeded(3), CodePurpose::RecoveryLink);
        assert_eq!(token.expose().len(), TOKEN_LENGTH);
        assert_eq!(comparable(token.expose(), CodePurpose::RecoveryLink), token.digest().as_bytes());
        assert_ne!(comparable(&token.expose().to_lowercase(), CodePurpose::RecoveryLink), token.digest().as_bytes());
    }

    #[test]
    fn a_code_has_six_digits() {
        let code = generate(&Rng::seeded(3), CodePurpose::Login);
        assert!(code.expose().len() == DIGITS && code.expose().bytes().all(|byte| byte.is_ascii_digit()));
    }
}
