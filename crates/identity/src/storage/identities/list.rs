//! Identities page by page, in the order of their ids.

use std::collections::BTreeSet;

use base::{Page, PageRequest};
use database::{Error, Read, Row, values};
use uuid::Uuid;

use super::super::{Vault, credentials};
use super::{addresses, columns, read};
use crate::domain::{CredentialType, Identity, IdentityId};

database::statements! {
    FIRST = concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 ORDER BY id LIMIT $2");
    NEXT = concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 AND id > $3 ORDER BY id LIMIT $2");
    OF_ORGANIZATION = concat!(
        "SELECT ", columns!(), " FROM identity_identities \
         WHERE tenant_id = $1 AND organization_id = $4 AND id > $3 ORDER BY id LIMIT $2"
    );
    BY_ID = concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 AND id = $2");
    OFFSET = concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 ORDER BY id LIMIT $2 OFFSET $3");
    COUNT = "SELECT count(*) FROM identity_identities WHERE tenant_id = $1";
    /// Whose identifiers begin with a text; the pattern is escaped.
    OWNERS_OF_SIMILAR = "SELECT DISTINCT identity_id FROM identity_credential_identifiers \
                         WHERE tenant_id = $1 AND identifier LIKE $2 ESCAPE '\\' AND identity_id > $4 \
                         ORDER BY identity_id LIMIT $3";
}

/// The kinds whose identifiers people know each other by; the others are handles of ours.
const SIGN_IN_KINDS: [CredentialType; 5] = [
    CredentialType::Password,
    CredentialType::Webauthn,
    CredentialType::Code,
    CredentialType::Oidc,
    CredentialType::Saml,
];

/// Which identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    All,
    Ids(Vec<IdentityId>),
    /// Normalised, exact, of any kind by which people sign in.
    Identifier(String),
    IdentifierBeginning(String),
    Organization(Uuid),
    /// The older paging: skip so many.
    Offset(i64),
}

/// A page of identities with their addresses; with credentials when a vault is given.
pub async fn list(
    tx: &mut impl Read,
    vault: Option<Vault<'_>>,
    filter: &Filter,
    page: &PageRequest<IdentityId>,
) -> Result<Page<Identity, IdentityId>, Error> {
    let after = page.after.map_or(Uuid::nil(), IdentityId::as_uuid);
    let limit = i64::from(page.size) + 1;
    let rows = match filter {
        Filter::All if page.after.is_none() => tx.query(&FIRST, &values![limit]).await?,
        Filter::All => tx.query(&NEXT, &values![limit, after]).await?,
        Filter::Organization(organization) => tx.query(&OF_ORGANIZATION, &values![limit, after, *organization]).await?,
        Filter::Offset(offset) => tx.query(&OFFSET, &values![limit, *offset]).await?,
        Filter::Ids(ids) => by_ids(tx, ids.iter().map(|id| id.as_uuid()), after, page.size).await?,
        Filter::Identifier(identifier) => {
            let owners = credentials::find_owners(tx, identifier).await?;
            let by_name = owners.iter().filter(|(kind, _)| SIGN_IN_KINDS.contains(kind));
            by_ids(tx, by_name.map(|(_, id)| id.as_uuid()), after, page.size).await?
        }
        Filter::IdentifierBeginning(beginning) => {
            let pattern = format!("{}%", escaped(beginning));
            let owners = tx.query(&OWNERS_OF_SIMILAR, &values![pattern, limit, after]).await?;
            let ids: Vec<Uuid> = owners.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
            by_ids(tx, ids.into_iter(), after, page.size).await?
        }
    };
    let identities = rows.iter().map(|row| read(row, 0)).collect::<Result<Vec<_>, _>>()?;
    let mut page = Page::from_rows(identities, page.size, |last| last.id);
    fill(tx, vault, filter, &mut page.items).await?;
    Ok(page)
}

/// How many identities there are.
pub async fn count(tx: &mut impl Read) -> Result<i64, Error> {
    tx.query_one(&COUNT, &[]).await?.get(0)
}

async fn by_ids(
    tx: &mut impl Read,
    ids: impl Iterator<Item = Uuid>,
    after: Uuid,
    size: u32,
) -> Result<Vec<Row>, Error> {
    let ids: BTreeSet<Uuid> = ids.filter(|id| *id > after).collect();
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(tx.query_opt(&BY_ID, &values![id]).await?);
        // One row too many proves that there is a next page.
        if rows.len() > size as usize {
            break;
        }
    }
    Ok(rows)
}

async fn fill(
    tx: &mut impl Read,
    vault: Option<Vault<'_>>,
    filter: &Filter,
    identities: &mut [Identity],
) -> Result<(), Error> {
    let (Some(first), Some(last)) = (identities.first(), identities.last()) else { return Ok(()) };
    let (first, last) = (first.id, last.id);
    // Neighbours lie in one range; picked ones would drag along whatever lies between them.
    if matches!(filter, Filter::All | Filter::Offset(_)) {
        addresses::load_range(tx, identities).await?;
        if let Some(vault) = vault {
            let mut all = credentials::load_range(tx, vault, first, last).await?;
            for identity in identities {
                identity.credentials = all.remove(&identity.id).unwrap_or_default();
            }
        }
        return Ok(());
    }
    for identity in identities {
        addresses::load(tx, identity).await?;
        if let Some(vault) = vault {
            identity.credentials = credentials::load(tx, vault, identity.id).await?;
        }
    }
    Ok(())
}

/// A text that a `LIKE` pattern takes as it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if matches!(c, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
