//! Rows of `oauth_provider_ends`: accounts and sessions that recently ended at the identity provider. Redeeming a login
//! checks them in the statement that writes its session (`login_sessions`).

use base::Timestamp;
use database::{Error, WriteTx, values};
use serde_json::json;

macro_rules! mark {
    ($names:literal) => {
        concat!(
            "INSERT INTO oauth_provider_ends (tenant_id, kind, name, ended_at, expires_at) SELECT $1, $2, value, $4, $5 FROM ",
            $names,
            " WHERE TRUE ON CONFLICT (tenant_id, kind, name) DO UPDATE SET ended_at = $4, expires_at = $5"
        )
    };
}

database::statements! {
    /// The names are one JSON array.
    MARK = {
        sqlite: mark!("json_each($3)"),
        postgres: mark!("json_array_elements_text(CAST(CAST($3 AS text) AS json)) AS value"),
    };
}

/// What ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    Subject(&'a str),
    /// Sessions of the identity provider, each once.
    Sessions(&'a [String]),
}

/// `expires_at`: when a login that was accepted before `ended_at` can no longer be redeemed.
pub async fn mark(tx: &mut WriteTx, what: Ended<'_>, ended_at: Timestamp, expires_at: Timestamp) -> Result<(), Error> {
    let (kind, names) = match what {
        Ended::Subject(subject) => ("subject", json!([subject])),
        Ended::Sessions(ids) => ("session", json!(ids)),
    };
    tx.execute(&MARK, &values![kind, names.to_string(), ended_at, expires_at]).await.map(|_| ())
}
