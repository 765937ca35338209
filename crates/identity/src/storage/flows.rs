//! Self-service flows: one table for all kinds, the body as JSON. A flow is found only as the kind that it was stored as.

use database::{Error, Read, Row, WriteTx, values};

use crate::domain::flow::{Details, Flow, FlowId};

database::statements! {
    /// A flow by its id and kind.
    FIND = "SELECT body, version FROM identity_flows WHERE tenant_id = $1 AND id = $2 AND kind = $3";
    INSERT = "INSERT INTO identity_flows (tenant_id, id, kind, type, state, identity_id, body, version, issued_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)";
    UPDATE = "UPDATE identity_flows SET state = $4, identity_id = $5, body = $6, version = version + 1, expires_at = $7 \
              WHERE tenant_id = $1 AND id = $2 AND kind = $3";
    /// As an update, by the one submission that saw the present version.
    ADVANCE = "UPDATE identity_flows SET state = $4, identity_id = $5, body = $6, version = version + 1, expires_at = $7 \
               WHERE tenant_id = $1 AND id = $2 AND kind = $3 AND version = $8";
}

pub async fn find<D: Details>(tx: &mut impl Read, id: FlowId) -> Result<Option<Flow<D>>, Error> {
    let row = tx.query_opt(&FIND, &values![id.as_uuid(), D::KIND.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

pub async fn insert<D: Details>(tx: &mut WriteTx, flow: &Flow<D>) -> Result<(), Error> {
    let values = values![
        flow.id.as_uuid(),
        D::KIND.as_str(),
        flow.flow_type.as_str(),
        flow.state.as_str(),
        flow.details.identity_id().map(crate::domain::IdentityId::as_uuid),
        body(flow)?,
        flow.issued_at,
        flow.expires_at,
    ];
    tx.execute(&INSERT, &values).await.map(|_| ())
}

/// Writes what a submission made of the flow; of two that race, the later one is kept.
pub async fn update<D: Details>(tx: &mut WriteTx, flow: &Flow<D>) -> Result<(), Error> {
    let body = body(flow)?;
    tx.execute(&UPDATE, &changed(flow, &body)).await.map(|_| ())
}

/// Writes a change that only one of several racing submissions may make; `false` when another one was first.
pub async fn advance<D: Details>(tx: &mut WriteTx, flow: &Flow<D>) -> Result<bool, Error> {
    let body = body(flow)?;
    let [id, kind, state, identity, text, expires_at] = changed(flow, &body);
    let values = [id, kind, state, identity, text, expires_at, flow.version.into()];
    Ok(tx.execute(&ADVANCE, &values).await? == 1)
}

fn changed<'a, D: Details>(flow: &Flow<D>, body: &'a String) -> [database::Value<'a>; 6] {
    values![
        flow.id.as_uuid(),
        D::KIND.as_str(),
        flow.state.as_str(),
        flow.details.identity_id().map(crate::domain::IdentityId::as_uuid),
        body,
        flow.expires_at,
    ]
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
