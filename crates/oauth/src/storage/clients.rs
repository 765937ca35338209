//! Rows of `oauth_clients`. Secrets are a JSON list of digests; values without their own column are in one JSON text. An
//! update names the version that it read, so that of two concurrent updates one is rejected.

use base::{Page, PageRequest, Timestamp, TokenDigest};
use database::{Error, Read, Row, WriteTx, values};

use crate::domain::client::{Client, ClientId};

database::statements! {
    /// One client.
    FIND = "SELECT id, metadata, secrets, registration_token_digest, token_epoch, version, created_at, updated_at
        FROM oauth_clients WHERE tenant_id = $1 AND id = $2";
    /// A new client, unless its id is taken.
    INSERT = "INSERT INTO oauth_clients (tenant_id, id, client_name, owner, metadata, secrets, registration_token_digest,
            token_epoch, version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant_id, id) DO NOTHING";
    /// Updates the client, unless it changed in the meantime.
    UPDATE = "UPDATE oauth_clients SET client_name = $3, owner = $4, metadata = $5, secrets = $6, token_epoch = $7,
            version = version + 1, updated_at = $8
        WHERE tenant_id = $1 AND id = $2 AND version = $9";
    SET_TOKEN_EPOCH = "UPDATE oauth_clients SET token_epoch = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2";
    DELETE = "DELETE FROM oauth_clients WHERE tenant_id = $1 AND id = $2";
    /// All clients, ordered by id.
    slow LIST = "SELECT id, metadata, secrets, registration_token_digest, token_epoch, version, created_at, updated_at
        FROM oauth_clients WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    slow LIST_BY_NAME = "SELECT id, metadata, secrets, registration_token_digest, token_epoch, version, created_at, updated_at
        FROM oauth_clients WHERE tenant_id = $1 AND client_name = $4 AND id > $2 ORDER BY id LIMIT $3";
    slow LIST_BY_OWNER = "SELECT id, metadata, secrets, registration_token_digest, token_epoch, version, created_at, updated_at
        FROM oauth_clients WHERE tenant_id = $1 AND owner = $4 AND id > $2 ORDER BY id LIMIT $3";
    slow LIST_BY_NAME_AND_OWNER = "SELECT id, metadata, secrets, registration_token_digest, token_epoch, version, created_at,
            updated_at
        FROM oauth_clients WHERE tenant_id = $1 AND client_name = $4 AND owner = $5 AND id > $2 ORDER BY id LIMIT $3";
    /// The clients of a login session that registered a logout notification.
    LIST_OF_LOGIN_SESSION = "SELECT c.id, c.metadata, c.secrets, c.registration_token_digest, c.token_epoch, c.version,
            c.created_at, c.updated_at
        FROM oauth_clients c WHERE c.tenant_id = $1 AND c.id IN
            (SELECT g.client_id FROM oauth_grants g WHERE g.tenant_id = $1 AND g.login_session_id = $2)
        ORDER BY c.id";
}

/// Which clients to list; all of them by default.
#[derive(Clone, Debug, Default)]
pub struct ClientFilter {
    pub client_name: Option<String>,
    pub owner: Option<String>,
}

pub async fn find(tx: &mut impl Read, id: &ClientId) -> Result<Option<Client>, Error> {
    tx.query_opt(&FIND, &values![id.as_str()]).await?.as_ref().map(read).transpose()
}

/// Whether the client was written: `false` when its id is taken.
pub async fn insert(tx: &mut WriteTx, client: &Client) -> Result<bool, Error> {
    let values = values![
        client.id.as_str(),
        &client.metadata.client_name,
        &client.metadata.owner,
        write_metadata(client)?,
        write_secrets(client)?,
        client.registration_token.as_ref(),
        client.token_epoch,
        client.version,
        client.created_at,
        client.updated_at,
    ];
    tx.touch(client.id.as_str().as_bytes());
    Ok(tx.execute(&INSERT, &values).await? == 1)
}

/// Whether the client was written: `false` when it was changed or deleted since it was read.
pub async fn update(tx: &mut WriteTx, client: &Client) -> Result<bool, Error> {
    let values = values![
        client.id.as_str(),
        &client.metadata.client_name,
        &client.metadata.owner,
        write_metadata(client)?,
        write_secrets(client)?,
        client.token_epoch,
        client.updated_at,
        client.version,
    ];
    tx.touch(client.id.as_str().as_bytes());
    Ok(tx.execute(&UPDATE, &values).await? == 1)
}

/// Invalidates every token that was issued under another epoch. Returns whether the client exists.
pub async fn set_token_epoch(tx: &mut WriteTx, id: &ClientId, epoch: i64) -> Result<bool, Error> {
    tx.touch(id.as_str().as_bytes());
    Ok(tx.execute(&SET_TOKEN_EPOCH, &values![id.as_str(), epoch]).await? == 1)
}

/// Whether the client existed.
pub async fn delete(tx: &mut WriteTx, id: &ClientId) -> Result<bool, Error> {
    tx.touch(id.as_str().as_bytes());
    Ok(tx.execute(&DELETE, &values![id.as_str()]).await? == 1)
}

pub async fn list(
    tx: &mut impl Read,
    filter: &ClientFilter,
    page: &PageRequest<ClientId>,
) -> Result<Page<Client, ClientId>, Error> {
    let after = page.after.as_ref().map_or("", ClientId::as_str);
    let limit = i64::from(page.size) + 1;
    let rows = match (&filter.client_name, &filter.owner) {
        (None, None) => tx.query(&LIST, &values![after, limit]).await?,
        (Some(name), None) => tx.query(&LIST_BY_NAME, &values![after, limit, name]).await?,
        (None, Some(owner)) => tx.query(&LIST_BY_OWNER, &values![after, limit, owner]).await?,
        (Some(name), Some(owner)) => tx.query(&LIST_BY_NAME_AND_OWNER, &values![after, limit, name, owner]).await?,
    };
    let clients = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_rows(clients, page.size, |client| client.id.clone()))
}

/// The clients that got a grant in a login session.
pub async fn list_of_login_session(tx: &mut impl Read, session: uuid::Uuid) -> Result<Vec<Client>, Error> {
    tx.query(&LIST_OF_LOGIN_SESSION, &values![session]).await?.iter().map(read).collect()
}

fn write_metadata(client: &Client) -> Result<String, Error> {
    serde_json::to_string(&client.metadata).map_err(|error| inconsistent(error.to_string()))
}

fn write_secrets(client: &Client) -> Result<String, Error> {
    let secrets: Vec<String> = client.secrets.iter().map(ToString::to_string).collect();
    serde_json::to_string(&secrets).map_err(|error| inconsistent(error.to_string()))
}

fn read(row: &Row) -> Result<Client, Error> {
    let metadata: String = row.get(1)?;
    let secrets: Vec<String> =
        serde_json::from_str(&row.get::<String>(2)?).map_err(|error| inconsistent(format!("secrets: {error}")))?;
    Ok(Client {
        id: ClientId::parse(&row.get::<String>(0)?).map_err(|error| inconsistent(error.to_string()))?,
        secrets: secrets
            .iter()
            .map(|secret| secret.parse())
            .collect::<Result<_, _>>()
            .map_err(|error| inconsistent(format!("secrets: {error}")))?,
        metadata: serde_json::from_str(&metadata).map_err(|error| inconsistent(format!("metadata: {error}")))?,
        registration_token: row.get::<Option<TokenDigest>>(3)?,
        token_epoch: row.get(4)?,
        version: row.get(5)?,
        created_at: row.get::<Timestamp>(6)?,
        updated_at: row.get::<Timestamp>(7)?,
    })
}

fn inconsistent(what: String) -> Error {
    Error::inconsistent("oauth_clients", what)
}
