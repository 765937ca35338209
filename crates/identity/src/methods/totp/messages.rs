//! The messages about authenticator apps.

use crate::domain::message::{Message, MessageKind, fixed};

fixed! { Info:
    code = 1_010_006, "Authentication code";
    use_authenticator = 1_010_009, "Use Authenticator";
    unlink = 1_050_004, "Unlink TOTP Authenticator App";
    qr_code = 1_050_005, "Authenticator app QR code";
    secret_hint = 1_050_017, "This is your authenticator app secret. Use it if you cannot scan the QR code.";
    verify_code = 1_070_006, "Verify code";
}

fixed! { Error:
    code_invalid = 4_000_008, "The authentication code is not valid. Wait for the next code and try again.";
    no_device = 4_000_011, "No authenticator app is set up for this account.";
}

/// The secret, to enter where a QR code cannot be scanned.
pub(crate) fn secret(secret: &str) -> Message {
    Message::info(1_050_006, secret).with("secret", secret)
}
