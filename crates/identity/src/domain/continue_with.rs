//! The next steps of a client, in the body of a successful response, in the order in which it should take them.

use base::PlainToken;
use serde::{Serialize, Serializer};

use super::flow::FlowId;

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ContinueWith {
    RedirectBrowserTo { redirect_browser_to: String },
    SetOrySessionToken { ory_session_token: ShownToken },
    ShowVerificationUi { flow: VerificationUi },
    ShowSettingsUi { flow: FlowUi },
    ShowRecoveryUi { flow: FlowUi },
}

#[derive(Clone, Debug, Serialize)]
pub struct VerificationUi {
    pub id: FlowId,
    pub verifiable_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FlowUi {
    pub id: FlowId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A token that is serialized into a response to the client it was issued for.
#[derive(Clone, Debug)]
pub struct ShownToken(pub PlainToken);

impl Serialize for ShownToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}
