//! The messages about backup codes.

use base::Timestamp;
use serde_json::{Value, json};

use crate::domain::message::{Message, MessageKind, fixed};

use super::credential::LookupCode;

fixed! { Info:
    code = 1_010_007, "Backup recovery code";
    use_code = 1_010_010, "Use backup recovery code";
    reveal = 1_050_007, "Reveal backup recovery codes";
    regenerate = 1_050_008, "Generate new backup recovery codes";
    list_label = 1_050_010, "These are your backup recovery codes. Keep them in a safe place.";
    confirm = 1_050_011, "Confirm backup recovery codes";
    disable = 1_050_016, "Disable this method";
}

fixed! { Error:
    code_used = 4_000_012, "This backup recovery code was used already.";
    no_codes = 4_000_014, "No backup recovery codes are set up for this account.";
    code_invalid = 4_000_016, "This backup recovery code is not valid.";
}

/// The codes, each as a message in the context.
pub(crate) fn list(codes: &[LookupCode]) -> Message {
    let texts: Vec<&str> =
        codes.iter().map(|it| if it.used_at.is_some() { "used" } else { it.code.as_str() }).collect();
    let each: Vec<Value> = codes.iter().map(|it| json!(one(it))).collect();
    Message::info(1_050_015, texts.join(", ")).with("secrets", each)
}

fn one(code: &LookupCode) -> Message {
    match code.used_at {
        None => Message::info(1_050_009, code.code.clone()).with("secret", code.code.clone()),
        Some(at) => used(at),
    }
}

fn used(at: Timestamp) -> Message {
    Message::info(1_050_014, format!("Secret was used at {at}"))
        .with("used_at", at.to_string())
        .with("used_at_unix", at.unix_seconds())
}
