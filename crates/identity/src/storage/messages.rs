//! The courier's messages and the result of each delivery attempt. Contents are stored sealed.

use base::{Page, PageRequest, Timestamp, seal::Purpose};
use database::{Error, Read, Row, WriteTx, values};
use uuid::Uuid;

use super::{TenantSealer, word};
use crate::domain::message_queue::{
    Content, Dispatch, DispatchId, DispatchStatus, Message, MessageId, MessageStatus, MessageType, TemplateType,
};

const SEALED: Purpose = Purpose("identity message");
const TABLE: &str = "identity_messages";

macro_rules! columns {
    () => {
        "id, type, channel, template_type, recipient, content, status, send_count, created_at, updated_at, expires_at"
    };
}

database::statements! {
    FIND = concat!("SELECT ", columns!(), " FROM identity_messages WHERE tenant_id = $1 AND id = $2");
    slow LIST = concat!(
        "SELECT ", columns!(), " FROM identity_messages WHERE tenant_id = $1 \
         AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $2"
    );
    slow LIST_BY_STATUS = concat!(
        "SELECT ", columns!(), " FROM identity_messages WHERE tenant_id = $1 \
         AND (created_at, id) < ($3, $4) AND status = $5 ORDER BY created_at DESC, id DESC LIMIT $2"
    );
    slow LIST_BY_RECIPIENT = concat!(
        "SELECT ", columns!(), " FROM identity_messages WHERE tenant_id = $1 \
         AND (created_at, id) < ($3, $4) AND recipient = $5 \
         ORDER BY created_at DESC, id DESC LIMIT $2"
    );
    slow LIST_BY_BOTH = concat!(
        "SELECT ", columns!(), " FROM identity_messages WHERE tenant_id = $1 \
         AND (created_at, id) < ($3, $4) AND recipient = $5 AND status = $6 \
         ORDER BY created_at DESC, id DESC LIMIT $2"
    );
    INSERT = "INSERT INTO identity_messages (tenant_id, id, type, channel, template_type, recipient, content, status, \
              send_count, created_at, updated_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    /// One worker takes the message; after a failed attempt it can be taken again.
    TAKE = concat!(
        "UPDATE identity_messages SET status = 'processing', send_count = send_count + 1, updated_at = $3 \
         WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'processing') RETURNING ", columns!()
    );
    FINISH = "UPDATE identity_messages SET status = $3, updated_at = $4 \
              WHERE tenant_id = $1 AND id = $2 AND status = 'processing'";
    INSERT_DISPATCH = "INSERT INTO identity_message_dispatches (tenant_id, id, message_id, status, error, created_at, expires_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7)";
    DISPATCHES = "SELECT id, status, error, created_at FROM identity_message_dispatches \
                  WHERE tenant_id = $1 AND message_id = $2 ORDER BY created_at, id";
}

/// The position where a page of messages continues.
pub type ListKey = (i64, Uuid);

pub async fn find(tx: &mut impl Read, sealer: TenantSealer<'_>, id: MessageId) -> Result<Option<Message>, Error> {
    let row = tx.query_opt(&FIND, &values![id.as_uuid()]).await?;
    row.map(|row| read(&row, sealer)).transpose()
}

/// Messages, newest first.
pub async fn list(
    tx: &mut impl Read,
    sealer: TenantSealer<'_>,
    status: Option<MessageStatus>,
    recipient: Option<&str>,
    page: &PageRequest<ListKey>,
) -> Result<Page<Message, ListKey>, Error> {
    let (created_at, id) = page.after.unwrap_or((i64::MAX, Uuid::max()));
    let limit = i64::from(page.size) + 1;
    let rows = match (status.map(MessageStatus::as_str), recipient) {
        (None, None) => tx.query(&LIST, &values![limit, created_at, id]).await?,
        (Some(status), None) => tx.query(&LIST_BY_STATUS, &values![limit, created_at, id, status]).await?,
        (None, Some(recipient)) => tx.query(&LIST_BY_RECIPIENT, &values![limit, created_at, id, recipient]).await?,
        (Some(status), Some(recipient)) => {
            tx.query(&LIST_BY_BOTH, &values![limit, created_at, id, recipient, status]).await?
        }
    };
    let messages = rows.iter().map(|row| read(row, sealer)).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_rows(messages, page.size, |last| (last.created_at.unix_micros(), last.id.as_uuid())))
}

pub async fn insert(tx: &mut WriteTx, sealer: TenantSealer<'_>, message: &Message) -> Result<(), Error> {
    let content =
        serde_json::to_value(&message.content).map_err(|error| Error::inconsistent(TABLE, error.to_string()))?;
    let values = values![
        message.id.as_uuid(),
        message.kind.as_str(),
        &message.channel,
        message.template_type.as_str(),
        &message.recipient,
        sealer.seal(SEALED, &content),
        message.status.as_str(),
        message.send_count,
        message.created_at,
        message.updated_at,
        message.expires_at,
    ];
    tx.execute(&INSERT, &values).await.map(|_| ())
}

/// Marks a message as being delivered and counts the attempt. `None` when it was already sent, abandoned or deleted.
pub async fn take(
    tx: &mut WriteTx,
    sealer: TenantSealer<'_>,
    id: MessageId,
    now: Timestamp,
) -> Result<Option<Message>, Error> {
    let row = tx.query_opt(&TAKE, &values![id.as_uuid(), now]).await?;
    row.map(|row| read(&row, sealer)).transpose()
}

/// Records the result of the attempt.
pub async fn finish(
    tx: &mut WriteTx,
    message: &Message,
    status: MessageStatus,
    dispatch: &Dispatch,
) -> Result<(), Error> {
    tx.execute(&FINISH, &values![message.id.as_uuid(), status.as_str(), dispatch.created_at]).await?;
    let values = values![
        dispatch.id.as_uuid(),
        message.id.as_uuid(),
        dispatch.status.as_str(),
        dispatch.error.as_deref(),
        dispatch.created_at,
        message.expires_at,
    ];
    tx.execute(&INSERT_DISPATCH, &values).await.map(|_| ())
}

pub async fn dispatches(tx: &mut impl Read, id: MessageId) -> Result<Vec<Dispatch>, Error> {
    let rows = tx.query(&DISPATCHES, &values![id.as_uuid()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Dispatch {
                id: DispatchId::from_uuid(row.get(0)?),
                status: word(TABLE, &row.get::<String>(1)?, DispatchStatus::parse)?,
                error: row.get(2)?,
                created_at: row.get(3)?,
            })
        })
        .collect()
}

fn read(row: &Row, sealer: TenantSealer<'_>) -> Result<Message, Error> {
    let sealed: Vec<u8> = row.get(5)?;
    let content: Content = serde_json::from_value(sealer.open(SEALED, TABLE, &sealed)?)
        .map_err(|error| Error::inconsistent(TABLE, error.to_string()))?;
    Ok(Message {
        id: MessageId::from_uuid(row.get(0)?),
        kind: word(TABLE, &row.get::<String>(1)?, MessageType::parse)?,
        channel: row.get(2)?,
        template_type: word(TABLE, &row.get::<String>(3)?, TemplateType::parse)?,
        recipient: row.get(4)?,
        content,
        status: word(TABLE, &row.get::<String>(6)?, MessageStatus::parse)?,
        send_count: row.get(7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
        expires_at: row.get(10)?,
    })
}
