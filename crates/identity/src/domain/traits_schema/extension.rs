//! The keyword `ory.sh/kratos`: the use of a trait as identifier or address.

use serde_json::Value;

use super::{Derived, TraitError, TraitProblem};
use crate::domain::{Via, identifier};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the keyword")]
pub struct Extension {
    pub password_identifier: bool,
    pub webauthn_identifier: bool,
    pub passkey_display_name: bool,
    pub totp_account_name: bool,
    pub code_identifier: bool,
    pub code_via: Option<Via>,
    pub verification: Option<Via>,
    pub recovery: Option<Via>,
}

impl Extension {
    /// Reads the value of the keyword, which was validated when the schema was compiled.
    pub fn read(value: &Value) -> Self {
        let flag = |pointer: &str| value.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
        let via = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).and_then(Via::parse);
        Self {
            password_identifier: flag("/credentials/password/identifier"),
            webauthn_identifier: flag("/credentials/webauthn/identifier"),
            passkey_display_name: flag("/credentials/passkey/display_name"),
            totp_account_name: flag("/credentials/totp/account_name"),
            code_identifier: flag("/credentials/code/identifier"),
            code_via: via("/credentials/code/via"),
            verification: via("/verification/via"),
            recovery: via("/recovery/via"),
        }
    }

    /// Whether the trait is a sign-in identifier.
    pub const fn is_identifier(self) -> bool {
        self.password_identifier || self.webauthn_identifier || self.code_identifier
    }

    /// Whether the trait is a telephone number that receives messages.
    pub fn is_telephone(self) -> bool {
        let code = if self.code_identifier { self.code_via } else { None };
        [code, self.verification, self.recovery].contains(&Some(Via::Sms))
    }

    pub(super) fn apply(
        self,
        pointer: &str,
        text: &str,
        format: &str,
        derived: &mut Derived,
        errors: &mut Vec<TraitError>,
    ) {
        let normal = identifier::normalize_text(text);
        if self.password_identifier {
            push(&mut derived.password, normal.clone());
        }
        if self.webauthn_identifier {
            push(&mut derived.webauthn, normal);
        }
        if self.totp_account_name && derived.totp_account_name.is_none() {
            derived.totp_account_name = Some(text.to_owned());
        }
        if self.passkey_display_name && derived.passkey_display_name.is_none() {
            derived.passkey_display_name = Some(text.to_owned());
        }
        if self.code_identifier {
            let via = self.code_via.unwrap_or_else(|| Via::of(text));
            address(pointer, via, text, format, &mut derived.code, errors);
        }
        if let Some(via) = self.verification {
            address(pointer, via, text, format, &mut derived.verifiable, errors);
        }
        if let Some(via) = self.recovery {
            address(pointer, via, text, format, &mut derived.recovery, errors);
        }
    }
}

/// An address must be valid, unless the schema sets `no-validate` or a format of its own, which then decides.
fn address(
    pointer: &str,
    via: Via,
    text: &str,
    format: &str,
    list: &mut Vec<(Via, String)>,
    errors: &mut Vec<TraitError>,
) {
    // An empty optional field is not an address.
    if text.trim().is_empty() {
        return;
    }
    let problem = match via {
        Via::Email if matches!(format, "" | "email") && !identifier::is_email(text.trim()) => {
            Some(TraitProblem::Email { value: text.to_owned() })
        }
        Via::Sms if format != "no-validate" && identifier::e164(text).is_none() => {
            Some(TraitProblem::Telephone { value: text.to_owned() })
        }
        Via::Email | Via::Sms => None,
    };
    if let Some(problem) = problem {
        let error = TraitError { pointer: pointer.to_owned(), problem };
        if !errors.contains(&error) {
            errors.push(error);
        }
        return;
    }
    push(list, (via, identifier::normalize_address(via, text)));
}

fn push<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}
