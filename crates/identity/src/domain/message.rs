//! The messages of flows: the message ids of the self-service contract, with our own English texts. Those about passwords, codes
//! and links are here, because the flows show them too; the other methods have theirs in their folders.
//!
//! Clients translate by `id` and `context`, so both are part of the contract. The text is a fallback. One function creates
//! each message, so that each id is written once.

use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TraitProblem;
use super::password_policy::PasswordRefusal;

/// The type of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    Info,
    Success,
    Error,
}

/// A message to a user. Clients identify it by its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: i64,
    pub text: String,
    #[serde(rename = "type")]
    pub kind: MessageKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
}

impl Message {
    pub fn new(kind: MessageKind, id: i64, text: impl Into<String>) -> Self {
        Self { id, text: text.into(), kind, context: None }
    }

    pub(crate) fn info(id: i64, text: impl Into<String>) -> Self {
        Self::new(MessageKind::Info, id, text)
    }

    pub(crate) fn error(id: i64, text: impl Into<String>) -> Self {
        Self::new(MessageKind::Error, id, text)
    }

    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.context.get_or_insert_default().insert(key.to_owned(), value.into());
        self
    }

    /// Distinguishes the meanings of an id, so that each can have its own translation.
    #[must_use]
    fn meaning(self, variant: &str) -> Self {
        self.with("variant", variant)
    }
}

/// Messages without parameters, a function for each.
macro_rules! fixed {
    ($kind:ident: $($name:ident = $id:literal, $text:literal;)+) => {
        $(pub(crate) fn $name() -> Message { Message::new(MessageKind::$kind, $id, $text) })+
    };
}
pub(crate) use fixed;

/// 101xxxx: signing in.
pub mod login {
    use super::{Message, MessageKind};

    fixed! { Info:
        sign_in = 1_010_001, "Sign in";
        confirm_it_is_you = 1_010_003, "Please confirm that it is you.";
        complete_second_factor = 1_010_004, "Please complete the second step to sign in.";
        code_sent = 1_010_014, "A code was sent to the address you gave. If it does not arrive, check the spelling and try again.";
        send_code = 1_010_015, "Send sign in code";
        sign_in_with_password = 1_010_022, "Sign in with password";
        code_sent_to_your_address = 1_010_025, "A code was sent to your address. If it does not arrive, ask for a new one.";
    }

    pub fn send_code_to(address: &str, channel: &str) -> Message {
        Message::info(1_010_023, format!("Send code to {address}")).with("address", address).with("channel", channel)
    }
}

/// 104xxxx: signing up.
pub mod registration {
    use super::{Message, MessageKind};

    fixed! { Info:
        sign_up = 1_040_001, "Sign up";
        code_sent = 1_040_005, "A code was sent to the address you gave. If it does not arrive, check the spelling and try again.";
        send_code = 1_040_006, "Send sign up code";
        back = 1_040_008, "Back";
        choose_credential = 1_040_009, "Please choose how you want to sign in from now on.";
    }
}

/// 105xxxx: account settings.
pub mod settings {
    use super::{Message, MessageKind};

    fixed! { Success:
        saved = 1_050_001, "Your changes are saved.";
    }
}

/// 106xxxx: recovery.
pub mod recovery {
    use super::{Message, MessageKind, Timestamp};

    fixed! { Info:
        link_sent = 1_060_002, "If this address belongs to an account, a recovery link was sent to it.";
        code_sent = 1_060_003, "If this address belongs to an account, a recovery code was sent to it.";
    }

    /// The password can be changed without a new sign-in until `until`.
    pub fn recovered(now: Timestamp, until: Timestamp) -> Message {
        let minutes = until.since(now).as_secs_f64() / 60.0;
        let text =
            format!("Your account is recovered. Please choose a new password within the next {minutes:.0} minutes.");
        Message::new(MessageKind::Success, 1_060_001, text)
            .with("privilegedSessionExpiresAt", until.to_string())
            .with("privileged_session_expires_at", until.to_string())
            .with("privileged_session_expires_at_unix", until.unix_seconds())
    }
}

/// 107xxxx: labels of fields and buttons.
pub mod label {
    use super::{Message, MessageKind};

    fixed! { Info:
        password = 1_070_001, "Password";
        save = 1_070_003, "Save";
        identifier = 1_070_004, "ID";
        email = 1_070_007, "Email";
        resend_code = 1_070_008, "Resend code";
        continue_ = 1_070_009, "Continue";
        recovery_code = 1_070_010, "Recovery code";
        verification_code = 1_070_011, "Verification code";
        registration_code = 1_070_012, "Registration code";
        login_code = 1_070_013, "Login code";
        email_or_phone = 1_070_018, "Email or phone number";
    }

    /// The title that the identity schema gives to a trait.
    pub fn trait_title(title: &str, name: &str) -> Message {
        Message::info(1_070_002, title).with("title", title).with("name", name)
    }
}

/// 108xxxx: verification.
pub mod verification {
    use super::{Message, MessageKind};
    use crate::domain::Via;

    fixed! { Info:
        link_sent = 1_080_001, "If this address belongs to an account, a verification link was sent to it.";
        email_code_sent = 1_080_003, "An email with a verification code was sent to the address you gave. If it does not arrive, check the spelling or try the address you registered with.";
        sms_code_sent = 1_080_004, "A text message with a verification code was sent to the number you gave.";
    }

    /// A code was sent to the address that a user entered, if an account has it.
    pub fn code_sent(via: Via) -> Message {
        match via {
            Via::Email => email_code_sent(),
            Via::Sms => sms_code_sent(),
        }
    }

    /// A code was sent to an address of the account that the user signed up with or added.
    pub fn code_sent_to(via: Via, address: &str) -> Message {
        code_sent(via).meaning("own_address").with("address", address)
    }

    fixed! { Success:
        email_verified = 1_080_002, "Your email address is verified.";
        phone_verified = 1_080_005, "Your phone number is verified.";
    }
}

/// 400xxxx: what is wrong with a value.
pub mod validation {
    use super::{Message, MessageKind, PasswordRefusal, TraitProblem, Value};

    fixed! { Error:
        invalid_credentials = 4_000_006, "The credentials are not right. Check for spelling mistakes in your password or user name, email address or phone number.";
        identifier_taken = 4_000_007, "An account with the same identifier (email, phone, user name, …) exists already.";
        no_identifiers = 4_000_009, "No sign-in identifier was found. Did you fill in the form?";
        address_not_verified = 4_000_010, "This account is not active yet. Did you verify your email address?";
        no_code_sign_in = 4_000_035, "This account does not exist or has no sign-in by code set up.";
        traits_changed = 4_000_036, "What you entered now differs from what you entered before. Please start again.";
        no_such_account = 4_000_037, "This account does not exist or has no way to sign in.";
    }

    pub fn generic(reason: &str) -> Message {
        Message::error(4_000_001, reason).with("reason", reason)
    }

    /// An identifier is taken. Shows how its owner can sign in.
    pub fn identifier_taken_by(identifier: &str, types: &[&str], providers: &[String]) -> Message {
        let ways = types.iter().map(|kind| kind.replace('_', " ")).collect::<Vec<_>>().join(", ");
        let text = format!("An account with {identifier} exists already. Ways to sign in: {ways}.");
        Message::error(4_000_028, text)
            .with("available_credential_types", Value::from(types.to_vec()))
            .with("available_oidc_providers", Value::from(providers.to_vec()))
            .with("credential_identifier_hint", identifier)
    }

    /// There were too many attempts in a short time.
    pub fn too_many_attempts(minutes: u64) -> Message {
        generic(&format!("There were too many attempts. Please try again in {minutes} minutes."))
            .meaning("too_many_attempts")
            .with("minutes", minutes)
    }

    /// The guesses of a flow are used up.
    pub fn code_exhausted() -> Message {
        generic("This code was tried too many times. Ask for a new one.").meaning("code_exhausted")
    }

    /// Another submission changed the flow while this one was processed.
    pub fn flow_changed() -> Message {
        generic("Another request changed this form at the same time. Check the form and submit it again.")
            .meaning("flow_changed")
    }

    pub fn signed_in_already() -> Message {
        generic("A session exists already. To sign in again, start the flow with `?refresh=true`.")
            .meaning("signed_in_already")
    }

    pub fn missing(property: &str) -> Message {
        Message::error(4_000_002, format!("Property {property} is missing.")).with("property", property)
    }

    /// The reason why a password is rejected.
    pub fn of_password(refusal: PasswordRefusal) -> Message {
        let mut text = refusal.to_string();
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let mut message = Message::error(i64::from(refusal.message_id()), format!("{text}."));
        if let Value::Object(context) = refusal.context()
            && !context.is_empty()
        {
            message.context = Some(context);
        }
        message
    }

    /// What is wrong with one trait.
    pub fn of_trait(problem: &TraitProblem) -> Message {
        let mut message = Message::error(i64::from(problem.message_id()), problem.reason());
        if let Value::Object(context) = problem.context() {
            message.context = Some(context);
        }
        message
    }
}

/// 401xxxx to 407xxxx: what is wrong with a flow.
pub mod flow {
    use super::{Message, MessageKind, Timestamp};

    fixed! { Error:
        no_login_strategy = 4_010_002, "No way to sign in was chosen. Did you fill in the form?";
        no_registration_strategy = 4_010_003, "No way to sign up was chosen. Did you fill in the form?";
        no_settings_strategy = 4_010_004, "Nothing to change was chosen. Did you fill in the form?";
        no_recovery_strategy = 4_010_005, "No way to recover the account was chosen. Did you fill in the form?";
        no_verification_strategy = 4_010_006, "No way to verify the address was chosen. Did you fill in the form?";
        login_code_invalid = 4_010_008, "The login code is invalid or was used already. Please try again.";
        address_unknown = 4_010_010, "This address does not belong to your account.";
        account_disabled = 4_010_011, "This account is disabled.";
        registration_code_invalid = 4_040_003, "The registration code is invalid or was used already. Please try again.";
        recovery_completed = 4_060_001, "This recovery is completed already. Please start again.";
        recovery_link_invalid = 4_060_004, "The recovery link is invalid or was used already. Please ask for a new one.";
        recovery_code_invalid = 4_060_006, "The recovery code is invalid or was used already. Please try again.";
        verification_link_invalid = 4_070_001, "The verification link is invalid or was used already. Please ask for a new one.";
        verification_completed = 4_070_002, "This verification is completed already. Please start again.";
        verification_code_invalid = 4_070_006, "The verification code is invalid or was used already. Please try again.";
    }

    fn expired(id: i64, what: &str, expired_at: Timestamp, now: Timestamp) -> Message {
        let minutes = now.since(expired_at).as_secs_f64() / 60.0;
        Message::error(id, format!("The {what} expired {minutes:.2} minutes ago. Please start over."))
            .with("expired_at", expired_at.to_string())
            .with("expired_at_unix", expired_at.unix_seconds())
    }

    pub fn login_expired(expired_at: Timestamp, now: Timestamp) -> Message {
        expired(4_010_001, "sign-in", expired_at, now)
    }

    pub fn registration_expired(expired_at: Timestamp, now: Timestamp) -> Message {
        expired(4_040_001, "sign-up", expired_at, now)
    }

    pub fn settings_expired(expired_at: Timestamp, now: Timestamp) -> Message {
        expired(4_050_001, "settings page", expired_at, now)
    }

    pub fn recovery_expired(expired_at: Timestamp, now: Timestamp) -> Message {
        expired(4_060_005, "recovery", expired_at, now)
    }

    pub fn verification_expired(expired_at: Timestamp, now: Timestamp) -> Message {
        expired(4_070_005, "verification", expired_at, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_written_with_its_id_kind_and_context() {
        let text =
            serde_json::to_string(&validation::of_password(PasswordRefusal::TooShort { min: 8, actual: 3 })).unwrap();
        assert_eq!(
            text,
            r#"{"id":4000032,"text":"The password has 3 characters, but must have 8 or more.","type":"error","context":{"min_length":8,"actual_length":3}}"#
        );
        assert!(!serde_json::to_string(&label::password()).unwrap().contains("context"));
    }

    #[test]
    fn an_expired_flow_reports_how_long_ago_it_expired() {
        let message = flow::login_expired(Timestamp::EPOCH, Timestamp::from_unix_seconds(90));
        let context = message.context.unwrap();
        assert!(message.text.contains("1.50 minutes"), "{}", message.text);
        assert_eq!(context["expired_at"], "1970-01-01T00:00:00Z");
        assert_eq!(context["expired_at_unix"], 0);
    }
}
