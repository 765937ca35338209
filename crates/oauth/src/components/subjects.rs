//! The `sub` of a user in the tokens of a client: the subject itself, a pairwise one (OpenID Connect Core section 8.1),
//! or one that a login application chose for the client.

use base::Secret;
use database::{Error, Read};
use serde_json::{Map, Value};

use crate::domain::client::Client;
use crate::domain::login_challenge::hint_names;
use crate::domain::subject_identifier::shown_subject;
use crate::storage::forced_subjects;

pub(crate) struct Subjects {
    pairwise_salt: Option<Secret<String>>,
}

impl Subjects {
    pub(crate) fn new(pairwise_salt: Option<Secret<String>>) -> Self {
        Self { pairwise_salt }
    }

    /// The `sub` that `client` is shown for `subject`.
    pub(crate) async fn shown_to(&self, tx: &mut impl Read, client: &Client, subject: &str) -> Result<String, Error> {
        let forced = forced_subjects::find_if_pairwise(tx, client, subject).await?;
        let salt = self.pairwise_salt.as_ref().map(|salt| salt.expose().as_str());
        Ok(shown_subject(client, subject, forced.as_deref(), salt))
    }

    /// Whether the claims of an ID token that `client` shows are about `subject`.
    pub(crate) async fn hint_names(
        &self,
        tx: &mut impl Read,
        client: &Client,
        claims: &Map<String, Value>,
        subject: &str,
    ) -> Result<bool, Error> {
        let shown = self.shown_to(tx, client, subject).await?;
        Ok(hint_names(claims, subject, &shown))
    }
}
