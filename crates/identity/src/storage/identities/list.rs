//! Identities page by page, in the order of their ids.

use std::collections::BTreeSet;

use base::{Page, PageRequest};
use database::{Error, Read, Row, values};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{Vault, credentials};
use super::{addresses, columns, read};
use crate::domain::{CredentialType, Identity, IdentityId};

/// The identifiers that begin with a text, from a position on, each with its owner. An owner with several such identifiers
/// comes at the first of them alone. `$4` is the first text after all that begin so, `$5` the text itself.
macro_rules! similar {
    ($identifier:literal, $earlier:literal) => {
        concat!(
            "SELECT c.identifier, c.type, c.identity_id FROM identity_credential_identifiers c \
             WHERE c.tenant_id = $1 AND (",
            $identifier,
            ", c.type) > ($2, $3) AND ",
            $identifier,
            " < $4 \
             AND NOT EXISTS (SELECT 1 FROM identity_credential_identifiers e \
                 WHERE e.tenant_id = $1 AND e.identity_id = c.identity_id AND ",
            $earlier,
            " >= $5 \
                 AND (",
            $earlier,
            ", e.type) < (",
            $identifier,
            ", c.type)) \
             ORDER BY ",
            $identifier,
            ", c.type LIMIT $6"
        )
    };
}

database::statements! {
    slow LIST = concat!(
        "SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 AND id > $3 ORDER BY id LIMIT $2"
    );
    slow OF_ORGANIZATION = concat!(
        "SELECT ", columns!(), " FROM identity_identities \
         WHERE tenant_id = $1 AND organization_id = $4 AND id > $3 ORDER BY id LIMIT $2"
    );
    BY_ID = concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 AND id = $2");
    slow OFFSET =
        concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 ORDER BY id LIMIT $2 OFFSET $3");
    slow COUNT = "SELECT count(*) FROM identity_identities WHERE tenant_id = $1";
    /// Compared byte by byte: in the order of a language a beginning is no range.
    slow SIMILAR = {
        sqlite: similar!("c.identifier", "e.identifier"),
        postgres: similar!("c.identifier COLLATE \"C\"", "e.identifier COLLATE \"C\""),
    };
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

/// Where a page of identities continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ListKey {
    Id(Uuid),
    /// Of [`Filter::IdentifierBeginning`], which is in the order of the identifiers: the identifier and its kind.
    Identifier(String, String),
}

impl Filter {
    /// Whether a page of this filter may begin at `key`.
    pub fn accepts(&self, key: &ListKey) -> bool {
        matches!(key, ListKey::Identifier(..)) == matches!(self, Self::IdentifierBeginning(_))
    }
}

/// A page of identities with their addresses; with credentials when a vault is given.
pub async fn list(
    tx: &mut impl Read,
    vault: Option<Vault<'_>>,
    filter: &Filter,
    page: &PageRequest<ListKey>,
) -> Result<Page<Identity, ListKey>, Error> {
    if let Filter::IdentifierBeginning(beginning) = filter {
        return list_similar(tx, vault, filter, beginning, page).await;
    }
    let after = match page.after {
        Some(ListKey::Id(id)) => id,
        Some(ListKey::Identifier(..)) | None => Uuid::nil(),
    };
    let limit = i64::from(page.size) + 1;
    let rows = match filter {
        Filter::All => tx.query(&LIST, &values![limit, after]).await?,
        Filter::Organization(organization) => tx.query(&OF_ORGANIZATION, &values![limit, after, *organization]).await?,
        Filter::Offset(offset) => tx.query(&OFFSET, &values![limit, *offset]).await?,
        Filter::Ids(ids) => by_ids(tx, ids.iter().map(|id| id.as_uuid()), after, page.size).await?,
        Filter::Identifier(identifier) => {
            let owners = credentials::find_owners(tx, identifier).await?;
            let by_name = owners.iter().filter(|(kind, _)| SIGN_IN_KINDS.contains(kind));
            by_ids(tx, by_name.map(|(_, id)| id.as_uuid()), after, page.size).await?
        }
        Filter::IdentifierBeginning(_) => Vec::new(),
    };
    let identities = rows.iter().map(|row| read(row, 0)).collect::<Result<Vec<_>, _>>()?;
    let mut page = Page::from_rows(identities, page.size, |last| ListKey::Id(last.id.as_uuid()));
    fill(tx, vault, filter, &mut page.items).await?;
    Ok(page)
}

async fn list_similar(
    tx: &mut impl Read,
    vault: Option<Vault<'_>>,
    filter: &Filter,
    beginning: &str,
    page: &PageRequest<ListKey>,
) -> Result<Page<Identity, ListKey>, Error> {
    let (identifier, kind) = match &page.after {
        Some(ListKey::Identifier(identifier, kind)) => (identifier.as_str(), kind.as_str()),
        Some(ListKey::Id(_)) | None => (beginning, ""),
    };
    let limit = i64::from(page.size) + 1;
    let end = after_all_that_begin_with(beginning);
    let rows = tx.query(&SIMILAR, &values![identifier, kind, end, beginning, limit]).await?;
    let owners = rows.iter().map(|row| Ok((ListKey::Identifier(row.get(0)?, row.get(1)?), row.get::<Uuid>(2)?)));
    let owners = owners.collect::<Result<Vec<_>, Error>>()?;
    let owners = Page::from_rows(owners, page.size, |(key, _)| key.clone());
    let mut identities = Vec::with_capacity(owners.items.len());
    for (_, id) in owners.items {
        if let Some(row) = tx.query_opt(&BY_ID, &values![id]).await? {
            identities.push(read(&row, 0)?);
        }
    }
    fill(tx, vault, filter, &mut identities).await?;
    Ok(Page { items: identities, next: owners.next })
}

/// The first text, byte by byte, after all that begin with `beginning`.
fn after_all_that_begin_with(beginning: &str) -> String {
    let mut text = beginning.to_owned();
    while let Some(last) = text.pop() {
        // The next scalar value; between U+D7FF and U+E000 there is none.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return text;
        }
    }
    char::MAX.to_string().repeat(2)
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

#[cfg(test)]
mod tests {
    use super::after_all_that_begin_with;

    #[test]
    fn the_end_of_a_range_lies_after_every_text_that_begins_so() {
        for (beginning, end) in [("zzz", "zz{"), ("\u{d7ff}", "\u{e000}"), ("a\u{10ffff}", "b"), ("é", "ê")] {
            assert_eq!(after_all_that_begin_with(beginning), end);
            assert!(format!("{beginning}\u{10ffff}").as_str() < end, "{beginning}");
        }
        assert!(after_all_that_begin_with("").as_str() > "\u{10ffff}z");
    }
}
