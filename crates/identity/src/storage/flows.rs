//! Self-service flows: one table for all kinds, with the body as JSON. A flow is found only under its kind. Every write is
//! conditional on the version that was read, so that no submission overwrites another one.

use database::{Error, Read, Row, Statement, WriteTx, values};

use crate::domain::flow::{Details, Flow, FlowId};

database::statements! {
    /// A flow by its id and kind.
    FIND = "SELECT body, version FROM identity_flows WHERE tenant_id = $1 AND id = $2 AND kind = $3";
    /// As [`FIND`], with a lock until the transaction ends.
    LOCK = {
        sqlite: "SELECT body, version FROM identity_flows WHERE tenant_id = $1 AND id = $2 AND kind = $3",
        postgres: "SELECT body, version FROM identity_flows WHERE tenant_id = $1 AND id = $2 AND kind = $3 FOR UPDATE",
    };
    INSERT = "INSERT INTO identity_flows (tenant_id, id, kind, type, state, identity_id, body, version, issued_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// The first change of a flow without a row, unless another submission was first.
    INSERT_FIRST = "INSERT INTO identity_flows (tenant_id, id, kind, type, state, identity_id, body, version, issued_at, expires_at) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (tenant_id, id) DO NOTHING";
    UPDATE = "UPDATE identity_flows SET state = $4, identity_id = $5, body = $6, version = version + 1, expires_at = $7 \
              WHERE tenant_id = $1 AND id = $2 AND kind = $3 AND version = $8";
}

/// Why a flow was not written. The transaction must not commit.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    #[error("the flow was changed after it was read")]
    Stale,
    #[error(transparent)]
    Database(#[from] Error),
}

pub async fn find<D: Details>(tx: &mut impl Read, id: FlowId) -> Result<Option<Flow<D>>, Error> {
    let row = tx.query_opt(&FIND, &values![id.as_uuid(), D::KIND.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// As [`find`], with a lock until the transaction ends.
pub async fn lock<D: Details>(tx: &mut WriteTx, id: FlowId) -> Result<Option<Flow<D>>, Error> {
    let row = tx.query_opt(&LOCK, &values![id.as_uuid(), D::KIND.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

pub async fn insert<D: Details>(tx: &mut WriteTx, flow: &Flow<D>) -> Result<(), Error> {
    insert_by(&INSERT, tx, flow).await.map(|_| ())
}

async fn insert_by<D: Details>(statement: &'static Statement, tx: &mut WriteTx, flow: &Flow<D>) -> Result<u64, Error> {
    let values = values![
        flow.id.as_uuid(),
        D::KIND.as_str(),
        flow.flow_type.as_str(),
        flow.state.as_str(),
        flow.details.identity_id().map(crate::domain::IdentityId::as_uuid),
        body(flow)?,
        flow.version,
        flow.issued_at,
        flow.expires_at,
    ];
    tx.execute(statement, &values).await
}

/// Writes the changes of a submission; the first one of a flow without a row inserts it. Fails when another submission wrote
/// first.
pub async fn update<D: Details>(tx: &mut WriteTx, flow: &mut Flow<D>) -> Result<(), UpdateError> {
    if !flow.is_stored() {
        flow.version = 1;
        let inserted = insert_by(&INSERT_FIRST, tx, flow).await;
        if !matches!(inserted, Ok(1)) {
            flow.version = 0;
        }
        return if inserted? == 1 { Ok(()) } else { Err(UpdateError::Stale) };
    }
    let values = values![
        flow.id.as_uuid(),
        D::KIND.as_str(),
        flow.state.as_str(),
        flow.details.identity_id().map(crate::domain::IdentityId::as_uuid),
        body(flow)?,
        flow.expires_at,
        flow.version,
    ];
    if tx.execute(&UPDATE, &values).await? != 1 {
        return Err(UpdateError::Stale);
    }
    flow.version += 1;
    Ok(())
}

fn body<D: Details>(flow: &Flow<D>) -> Result<String, Error> {
    serde_json::to_string(flow).map_err(|error| Error::inconsistent("identity_flows", error.to_string()))
}

fn read<D: Details>(row: &Row) -> Result<Flow<D>, Error> {
    let body: String = row.get(0)?;
    let mut flow: Flow<D> =
        serde_json::from_str(&body).map_err(|error| Error::inconsistent("identity_flows", error.to_string()))?;
    flow.version = row.get(1)?;
    Ok(flow)
}

#[cfg(test)]
mod tests {
    use base::{Rng, TenantId, Timestamp};
    use url::Url;

    use super::*;
    use crate::domain::client_kind::FlowType;
    use crate::domain::flow::{Beginning, Recovery};

    fn begun() -> Flow<Recovery> {
        let beginning = Beginning {
            flow_type: FlowType::Api,
            request_url: "https://id.example/self-service/recovery/api",
            lifespan: std::time::Duration::from_mins(1),
            public_url: &Url::parse("https://id.example/").unwrap(),
            csrf: None,
        };
        Flow::begin(&beginning, Recovery::default(), &Rng::seeded(3), Timestamp::EPOCH)
    }

    #[tokio::test]
    async fn of_two_first_changes_one_is_stored() {
        database::testing::on_both_engines(&[crate::MIGRATIONS], |database| async move {
            let unstored = Flow { version: 0, ..begun() };
            let change = |address: &str| {
                let mut flow = unstored.clone();
                flow.details.address = Some(address.to_owned());
                flow
            };
            let (mut first, mut second) = (change("first@example.org"), change("second@example.org"));
            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            update(&mut tx, &mut first).await.unwrap();
            assert!(matches!(update(&mut tx, &mut second).await, Err(UpdateError::Stale)));
            assert_eq!((first.version, second.version), (1, 0));
            assert_eq!(lock::<Recovery>(&mut tx, unstored.id).await.unwrap().as_ref(), Some(&first));
            first.details.address = Some("third@example.org".to_owned());
            update(&mut tx, &mut first).await.unwrap();
            tx.commit().await.unwrap();

            let stored = find::<Recovery>(&mut database.read(TenantId::DEFAULT), unstored.id).await.unwrap().unwrap();
            assert_eq!((stored.details.address.as_deref(), stored.version), (Some("third@example.org"), 2));
            let mut late = database.write(TenantId::DEFAULT).await.unwrap();
            assert!(matches!(update(&mut late, &mut second).await, Err(UpdateError::Stale)), "in a later transaction");
        })
        .await;
    }

    #[tokio::test]
    async fn a_stale_write_changes_nothing() {
        database::testing::on_both_engines(&[crate::MIGRATIONS], |database| async move {
            let begun = begun();
            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            insert(&mut tx, &begun).await.unwrap();
            tx.commit().await.unwrap();

            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            let mut first = find::<Recovery>(&mut tx, begun.id).await.unwrap().unwrap();
            assert_eq!(first, begun);
            let mut second = first.clone();
            first.details.address = Some("first@example.org".to_owned());
            second.details.address = Some("second@example.org".to_owned());
            update(&mut tx, &mut first).await.unwrap();
            assert!(matches!(update(&mut tx, &mut second).await, Err(UpdateError::Stale)));
            first.details.address = Some("third@example.org".to_owned());
            update(&mut tx, &mut first).await.unwrap();
            tx.commit().await.unwrap();

            let stored = find::<Recovery>(&mut database.read(TenantId::DEFAULT), begun.id).await.unwrap().unwrap();
            assert_eq!((stored.details.address.as_deref(), stored.version), (Some("third@example.org"), 3));
            let mut elsewhere = database.write(TenantId::from_i32(2)).await.unwrap();
            assert!(matches!(update(&mut elsewhere, &mut first).await, Err(UpdateError::Stale)));
        })
        .await;
    }
}
