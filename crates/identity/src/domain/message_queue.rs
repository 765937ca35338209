//! The messages of the courier and their delivery status.
//!
//! States: queued -> processing -> sent | queued again | abandoned. `sent` and `abandoned` are final.

use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

base::uuid_ids! {
    /// One message to one recipient.
    MessageId;
    /// One attempt to deliver a message.
    DispatchId;
}

/// Enums with a wire format.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $(#[serde(rename = $word)] $variant,)+
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

words! {
    /// The subject of a message. The folder of its template is [`TemplateType::folder`].
    TemplateType {
        RecoveryInvalid = "recovery_invalid",
        RecoveryValid = "recovery_valid",
        RecoveryCodeInvalid = "recovery_code_invalid",
        RecoveryCodeValid = "recovery_code_valid",
        VerificationInvalid = "verification_invalid",
        VerificationValid = "verification_valid",
        VerificationCodeInvalid = "verification_code_invalid",
        VerificationCodeValid = "verification_code_valid",
        LoginCodeValid = "login_code_valid",
        RegistrationCodeValid = "registration_code_valid",
        VerifiableAddressChanged = "verifiable_address_changed",
        AuthenticatorKeyAdded = "authenticator_key_added",
        RegistrationTaken = "registration_taken",
    }
}

words! {
    MessageStatus {
        Queued = "queued",
        Processing = "processing",
        Sent = "sent",
        Abandoned = "abandoned",
    }
}

words! {
    MessageType {
        Email = "email",
        Phone = "phone",
    }
}

words! {
    DispatchStatus {
        Success = "success",
        Failed = "failed",
    }
}

impl TemplateType {
    /// The folder under a template root.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::RecoveryInvalid => "recovery/invalid",
            Self::RecoveryValid => "recovery/valid",
            Self::RecoveryCodeInvalid => "recovery_code/invalid",
            Self::RecoveryCodeValid => "recovery_code/valid",
            Self::VerificationInvalid => "verification/invalid",
            Self::VerificationValid => "verification/valid",
            Self::VerificationCodeInvalid => "verification_code/invalid",
            Self::VerificationCodeValid => "verification_code/valid",
            Self::LoginCodeValid => "login_code/valid",
            Self::RegistrationCodeValid => "registration_code/valid",
            Self::VerifiableAddressChanged => "verifiable_address_changed",
            Self::AuthenticatorKeyAdded => "authenticator_key_added",
            Self::RegistrationTaken => "registration_taken",
        }
    }

    /// The value in the admin API, whose list is closed: a type that Kratos does not have is shown as the most similar one.
    pub const fn wire_str(self) -> &'static str {
        match self {
            Self::RegistrationTaken => Self::VerificationCodeInvalid.as_str(),
            other => other.as_str(),
        }
    }
}

/// The content of a message. It is sealed in storage, because it carries codes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub subject: String,
    /// The plain text; for a text message, the entire content.
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_body: Option<String>,
    /// The data of the template, for services that render their own templates.
    #[serde(default)]
    pub template_data: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: MessageId,
    pub kind: MessageType,
    /// `email`, or the id of the channel that text messages go over.
    pub channel: String,
    pub template_type: TemplateType,
    pub recipient: String,
    pub content: Content,
    pub status: MessageStatus,
    pub send_count: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When the message is deleted.
    pub expires_at: Timestamp,
}

/// One delivery attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    pub id: DispatchId,
    pub status: DispatchStatus,
    /// JSON.
    pub error: Option<String>,
    pub created_at: Timestamp,
}
