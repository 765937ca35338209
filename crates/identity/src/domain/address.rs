//! Addresses of a user: verifiable addresses, whose ownership the user can prove, and recovery addresses, which restore
//! access to an account. Both are derived from the traits. The verification state of an address survives a change of traits
//! that keeps the address.

use base::Timestamp;
use serde::{Deserialize, Serialize};

base::uuid_ids! {
    /// An address that can be verified.
    VerifiableAddressId;
    /// An address that can recover an account.
    RecoveryAddressId;
}

/// The channel of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    Email,
    Sms,
}

impl Via {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Email, Self::Sms].into_iter().find(|via| via.as_str() == text)
    }

    /// The channel of an address that was entered without one.
    pub fn of(address: &str) -> Self {
        if address.contains('@') { Self::Email } else { Self::Sms }
    }
}

/// The verification state of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressStatus {
    Pending,
    Sent,
    Completed,
}

impl AddressStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Completed => "completed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Sent, Self::Completed].into_iter().find(|status| status.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiableAddress {
    pub id: VerifiableAddressId,
    pub via: Via,
    /// The normalized address.
    pub value: String,
    pub status: AddressStatus,
    pub verified: bool,
    pub verified_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl VerifiableAddress {
    pub fn pending(id: VerifiableAddressId, via: Via, value: String, now: Timestamp) -> Self {
        Self {
            id,
            via,
            value,
            status: AddressStatus::Pending,
            verified: false,
            verified_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Records that the user proved ownership of the address.
    pub fn complete(&mut self, now: Timestamp) {
        self.verified = true;
        self.verified_at = Some(now);
        self.status = AddressStatus::Completed;
        self.updated_at = now;
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryAddress {
    pub id: RecoveryAddressId,
    pub via: Via,
    /// The normalized address.
    pub value: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
