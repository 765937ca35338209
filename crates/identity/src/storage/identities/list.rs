//! Identities page by page, sorted by id, or by identifier in a search by prefix.

use std::collections::{BTreeSet, HashMap};

use base::{Page, PageRequest};
use database::{Error, Read, Row, values};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{TenantSealer, credentials};
use super::row::{identity, read, read_whole, whole};
use crate::domain::credential_type::Identifiers;
use crate::domain::{Identity, IdentityId};

/// The identifiers with a prefix, from a position on, each with its owner. An owner with several such identifiers appears
/// only at the first of them. `$4` is the first text after all with this prefix, `$5` the prefix.
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
    slow LIST = "SELECT id FROM identity_identities WHERE tenant_id = $1 AND id > $3 ORDER BY id LIMIT $2";
    slow OF_ORGANIZATION = "SELECT id FROM identity_identities \
                            WHERE tenant_id = $1 AND organization_id = $4 AND id > $3 ORDER BY id LIMIT $2";
    slow OFFSET = "SELECT id FROM identity_identities WHERE tenant_id = $1 ORDER BY id LIMIT $2 OFFSET $3";
    slow COUNT = "SELECT count(*) FROM identity_identities WHERE tenant_id = $1";
    /// Compared byte by byte: a prefix is not a range in the collation of a language.
    slow SIMILAR = {
        sqlite: similar!("c.identifier", "e.identifier"),
        postgres: similar!("c.identifier COLLATE \"C\"", "e.identifier COLLATE \"C\""),
    };
    slow PAGE = {
        sqlite: concat!("SELECT ", identity!(sqlite), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.id = ANY($2)"),
        postgres: concat!("SELECT ", identity!(postgres), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.id = ANY($2)"),
    };
    slow PAGE_WHOLE = {
        sqlite: concat!("SELECT ", whole!(sqlite), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.id = ANY($2)"),
        postgres: concat!("SELECT ", whole!(postgres), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.id = ANY($2)"),
    };
}

/// Selects identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    All,
    Ids(Vec<IdentityId>),
    /// Normalized, exact, of any kind of sign-in identifier.
    Identifier(String),
    IdentifierBeginning(String),
    Organization(Uuid),
    /// The older paging: skips this many.
    Offset(i64),
}

/// The position where a page of identities continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ListKey {
    Id(Uuid),
    /// For [`Filter::IdentifierBeginning`], which is sorted by identifier: the identifier and its kind.
    Identifier(String, String),
}

impl Filter {
    /// Whether a page of this filter may begin at `key`.
    pub fn accepts(&self, key: &ListKey) -> bool {
        matches!(key, ListKey::Identifier(..)) == matches!(self, Self::IdentifierBeginning(_))
    }
}

/// A page of identities with their addresses, and with credentials when a sealer is given. One statement selects, another
/// one reads.
pub async fn list(
    tx: &mut impl Read,
    sealer: Option<TenantSealer<'_>>,
    filter: &Filter,
    page: &PageRequest<ListKey>,
) -> Result<Page<Identity, ListKey>, Error> {
    let chosen = choose(tx, filter, page).await?;
    let ids: Vec<Uuid> = chosen.items.iter().map(|(_, id)| *id).collect();
    if ids.is_empty() {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let found = if let Some(sealer) = sealer {
        let rows = tx.query(&PAGE_WHOLE, &values![&ids]).await?;
        rows.iter().map(|row| read_whole(row, 0, sealer)).collect::<Result<Vec<_>, _>>()?
    } else {
        let rows = tx.query(&PAGE, &values![&ids]).await?;
        rows.iter().map(|row| read(row, 0)).collect::<Result<Vec<_>, _>>()?
    };
    let mut found: HashMap<Uuid, Identity> = found.into_iter().map(|it| (it.id.as_uuid(), it)).collect();
    // Identities that were deleted in the meantime are left out.
    let items = ids.iter().filter_map(|id| found.remove(id)).collect();
    Ok(Page { items, next: chosen.next })
}

/// The identities of a page, each with its key.
async fn choose(
    tx: &mut impl Read,
    filter: &Filter,
    page: &PageRequest<ListKey>,
) -> Result<Page<(ListKey, Uuid), ListKey>, Error> {
    // One row more than the page proves that there is a next page.
    let limit = i64::from(page.size) + 1;
    let after = match page.after {
        Some(ListKey::Id(id)) => id,
        Some(ListKey::Identifier(..)) | None => Uuid::nil(),
    };
    let chosen = match filter {
        Filter::All => ids(&tx.query(&LIST, &values![limit, after]).await?)?,
        Filter::Organization(organization) => {
            ids(&tx.query(&OF_ORGANIZATION, &values![limit, after, *organization]).await?)?
        }
        Filter::Offset(offset) => ids(&tx.query(&OFFSET, &values![limit, *offset]).await?)?,
        Filter::Ids(ids) => in_order(ids.iter().copied(), after),
        Filter::Identifier(identifier) => {
            let owners = credentials::find_owners(tx, identifier).await?;
            let by_name = owners.into_iter().filter(|(kind, _)| kind.identifiers() != Identifiers::Own);
            in_order(by_name.map(|(_, id)| id), after)
        }
        Filter::IdentifierBeginning(beginning) => {
            let (identifier, kind) = match &page.after {
                Some(ListKey::Identifier(identifier, kind)) => (identifier.as_str(), kind.as_str()),
                Some(ListKey::Id(_)) | None => (beginning.as_str(), ""),
            };
            let end = after_all_that_begin_with(beginning);
            let rows = tx.query(&SIMILAR, &values![identifier, kind, end, beginning, limit]).await?;
            let owner = |row: &Row| Ok((ListKey::Identifier(row.get(0)?, row.get(1)?), row.get(2)?));
            rows.iter().map(owner).collect::<Result<_, Error>>()?
        }
    };
    Ok(Page::from_rows(chosen, page.size, |(key, _)| key.clone()))
}

fn ids(rows: &[Row]) -> Result<Vec<(ListKey, Uuid)>, Error> {
    rows.iter().map(|row| row.get(0).map(|id| (ListKey::Id(id), id))).collect()
}

/// The given ids that follow `after`, sorted and without duplicates.
fn in_order(ids: impl Iterator<Item = IdentityId>, after: Uuid) -> Vec<(ListKey, Uuid)> {
    let ids: BTreeSet<Uuid> = ids.map(IdentityId::as_uuid).filter(|id| *id > after).collect();
    ids.into_iter().map(|id| (ListKey::Id(id), id)).collect()
}

/// The first text, byte by byte, after all texts that begin with `beginning`.
fn after_all_that_begin_with(beginning: &str) -> String {
    let mut text = beginning.to_owned();
    while let Some(last) = text.pop() {
        // The next scalar value; there is none between U+D7FF and U+E000.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return text;
        }
    }
    char::MAX.to_string().repeat(2)
}

/// The number of identities.
pub async fn count(tx: &mut impl Read) -> Result<i64, Error> {
    tx.query_one(&COUNT, &[]).await?.get(0)
}

#[cfg(test)]
mod tests {
    use super::after_all_that_begin_with;

    #[test]
    fn the_end_of_a_range_is_after_every_text_with_the_prefix() {
        for (beginning, end) in [("zzz", "zz{"), ("\u{d7ff}", "\u{e000}"), ("a\u{10ffff}", "b"), ("é", "ê")] {
            assert_eq!(after_all_that_begin_with(beginning), end);
            assert!(format!("{beginning}\u{10ffff}").as_str() < end, "{beginning}");
        }
        assert!(after_all_that_begin_with("").as_str() > "\u{10ffff}z");
    }
}
