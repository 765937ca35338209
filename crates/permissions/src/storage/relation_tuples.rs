//! Rows of `permissions_relation_tuples`.
//!
//! Many tuples are written or deleted by one statement, which takes them as one JSON text. Lists are keyset pages in the order
//! of the primary key, or, when the subject is given, in that of the index by subject.

use std::borrow::{Borrow, Cow};

use base::{Page, PageRequest, Timestamp};
use database::{Error, Read, Row, Statement, Value, WriteTx, values};

use crate::domain::relation_tuple::StoredTuple;
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_key::{TupleKey, subject_columns};
use crate::domain::tuple_query::TupleQuery;
use crate::domain::tuple_record::TupleRecord;

/// The most tuples of one statement.
pub const BATCH: usize = 1_000;

macro_rules! upsert {
    ($expiry:literal, $rows:literal, $next_sequence:expr) => {
        concat!(
            "INSERT INTO permissions_relation_tuples AS stored (tenant_id, namespace, object, relation, subject_namespace,
                subject_object, subject_relation, condition, condition_context, expires_at)
            SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, ",
            $expiry,
            " FROM ",
            $rows,
            " WHERE TRUE
            ON CONFLICT (tenant_id, namespace, object, relation, subject_namespace, subject_object, subject_relation)
            DO UPDATE SET condition = excluded.condition, condition_context = excluded.condition_context,
                expires_at = excluded.expires_at
            WHERE stored.condition <> excluded.condition
                OR stored.condition_context IS DISTINCT FROM excluded.condition_context
                OR stored.expires_at IS DISTINCT FROM excluded.expires_at
            RETURNING namespace, object, relation, subject_namespace, subject_object, subject_relation,
                (SELECT sequence FROM permissions_state WHERE tenant_id = $1), ",
            $next_sequence
        )
    };
}

macro_rules! delete {
    ($rows:literal, $next_sequence:expr) => {
        concat!(
            "DELETE FROM permissions_relation_tuples WHERE tenant_id = $1
                AND (namespace, object, relation, subject_namespace, subject_object, subject_relation) IN
                    (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM ",
            $rows,
            ") RETURNING namespace, object, relation, subject_namespace, subject_object, subject_relation,
                (SELECT sequence FROM permissions_state WHERE tenant_id = $1), ",
            $next_sequence
        )
    };
}

/// `$2` is the time at which tuples must still exist, `$3` the number of rows.
macro_rules! list {
    ($conditions:literal, $order:literal) => {
        concat!(
            "SELECT namespace, object, relation, subject_namespace, subject_object, subject_relation, condition,
                condition_context, expires_at
            FROM permissions_relation_tuples
            WHERE tenant_id = $1 AND (expires_at IS NULL OR expires_at > $2) AND ",
            $conditions,
            " ORDER BY ",
            $order,
            " LIMIT $3"
        )
    };
}

/// `$2` is the time at which tuples must still exist, `$3` the kinds.
macro_rules! count_without_condition {
    ($kinds:literal) => {
        concat!(
            "SELECT namespace, relation, subject_namespace, subject_relation, count(*)
            FROM permissions_relation_tuples
            WHERE tenant_id = $1 AND (expires_at IS NULL OR expires_at > $2) AND condition = ''
                AND (namespace, relation, subject_namespace, subject_relation) IN
                    (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM ",
            $kinds,
            ") GROUP BY namespace, relation, subject_namespace, subject_relation
            ORDER BY namespace, relation, subject_namespace, subject_relation"
        )
    };
}

database::statements! {
    /// Inserts tuples, or replaces their conditions and expiries. Returns the keys of those that changed, the snapshot before the
    /// change, and on PostgreSQL a sequence for each key, which cost no round trips of their own in this way.
    UPSERT = {
        sqlite: upsert!("value ->> 8", "json_each($2)", "NULL"),
        postgres: upsert!(
            "CAST(value ->> 8 AS bigint)", "json_array_elements(CAST(CAST($2 AS text) AS json))", jobs::next_sequence!()
        ),
    };
    /// Deletes tuples. Returns the keys of those that existed, and what [`UPSERT`] returns besides.
    DELETE = {
        sqlite: delete!("json_each($2)", "NULL"),
        postgres: delete!("json_array_elements(CAST(CAST($2 AS text) AS json))", jobs::next_sequence!()),
    };
    /// Reads all tuples of the tenant.
    slow COUNT_WITHOUT_CONDITION = {
        sqlite: count_without_condition!("json_each($3)"),
        postgres: count_without_condition!("json_array_elements(CAST(CAST($3 AS text) AS json))"),
    };
    slow LIST = list!(
        "(namespace, object, relation, subject_namespace, subject_object, subject_relation) >= ($4, $5, $6, $7, $8, $9)",
        "namespace, object, relation, subject_namespace, subject_object, subject_relation"
    );
    /// No index has the object or the relation first.
    slow LIST_FILTERED = list!(
        "(namespace, object, relation, subject_namespace, subject_object, subject_relation) >= ($4, $5, $6, $7, $8, $9)
            AND (CAST($10 AS text) IS NULL OR object = $10) AND (CAST($11 AS text) IS NULL OR relation = $11)",
        "namespace, object, relation, subject_namespace, subject_object, subject_relation"
    );
    slow LIST_OF_NAMESPACE = list!(
        "namespace = $4 AND (object, relation, subject_namespace, subject_object, subject_relation) >= ($5, $6, $7, $8, $9)",
        "object, relation, subject_namespace, subject_object, subject_relation"
    );
    slow LIST_OF_NAMESPACE_BY_RELATION = list!(
        "namespace = $4 AND (object, relation, subject_namespace, subject_object, subject_relation) >= ($5, $6, $7, $8, $9)
            AND relation = $10",
        "object, relation, subject_namespace, subject_object, subject_relation"
    );
    LIST_OF_OBJECT = list!(
        "namespace = $4 AND object = $5
            AND (relation, subject_namespace, subject_object, subject_relation) >= ($6, $7, $8, $9)",
        "relation, subject_namespace, subject_object, subject_relation"
    );
    LIST_OF_RELATION = list!(
        "namespace = $4 AND object = $5 AND relation = $6
            AND (subject_namespace, subject_object, subject_relation) >= ($7, $8, $9)",
        "subject_namespace, subject_object, subject_relation"
    );
    slow LIST_OF_SUBJECT = list!(
        "subject_namespace = $4 AND subject_object = $5 AND subject_relation = $6
            AND (namespace, relation, object) >= ($7, $8, $9)",
        "namespace, relation, object"
    );
    slow LIST_OF_SUBJECT_FILTERED = list!(
        "subject_namespace = $4 AND subject_object = $5 AND subject_relation = $6
            AND (namespace, relation, object) >= ($7, $8, $9)
            AND (CAST($10 AS text) IS NULL OR relation = $10) AND (CAST($11 AS text) IS NULL OR object = $11)",
        "namespace, relation, object"
    );
    slow LIST_OF_SUBJECT_IN_NAMESPACE = list!(
        "subject_namespace = $4 AND subject_object = $5 AND subject_relation = $6 AND namespace = $7
            AND (relation, object) >= ($8, $9)",
        "relation, object"
    );
    slow LIST_OF_SUBJECT_IN_NAMESPACE_BY_OBJECT = list!(
        "subject_namespace = $4 AND subject_object = $5 AND subject_relation = $6 AND namespace = $7
            AND (relation, object) >= ($8, $9) AND object = $10",
        "relation, object"
    );
    LIST_OF_SUBJECT_BY_RELATION = list!(
        "subject_namespace = $4 AND subject_object = $5 AND subject_relation = $6 AND namespace = $7 AND relation = $8
            AND object >= $9",
        "object"
    );
    LIST_OF_KEY = list!(
        "namespace = $4 AND object = $5 AND relation = $6 AND subject_namespace = $7 AND subject_object = $8
            AND subject_relation = $9",
        "namespace"
    );
}

/// The tuples that a statement changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedKeys {
    pub keys: Vec<TupleKey>,
    pub place: LogPlace,
}

/// Where events about a change go in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPlace {
    /// The snapshot before the change; `None` when nothing changed.
    pub before: Option<Snapshot>,
    /// Sequences for the events, in their order: at least as many as tuples changed, or none.
    pub sequences: Vec<i64>,
}

impl LogPlace {
    /// That of two statements of one transaction. `later` ran after `self`.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.sequences.extend(later.sequences);
        Self { before: self.before.or(later.before), sequences: self.sequences }
    }
}

/// Writes at most [`BATCH`] tuples, each at most once; returns those that did not exist or were different.
pub async fn upsert(tx: &mut WriteTx, records: &[&TupleRecord]) -> Result<ChangedKeys, Error> {
    ChangedKeys::of(tx.query(&UPSERT, &values![json(records)?]).await?)
}

/// Deletes at most [`BATCH`] tuples; returns those that existed.
pub async fn delete(tx: &mut WriteTx, keys: &[impl Borrow<TupleKey> + serde::Serialize]) -> Result<ChangedKeys, Error> {
    ChangedKeys::of(tx.query(&DELETE, &values![json(keys)?]).await?)
}

impl ChangedKeys {
    fn of(mut rows: Vec<Row>) -> Result<Self, Error> {
        let before = rows.first().map(|row| row.get::<Option<i64>>(6)).transpose()?.flatten().map(Snapshot);
        let mut sequences = Vec::with_capacity(rows.len());
        for row in &rows {
            sequences.extend(row.get::<Option<i64>>(7)?);
        }
        sequences.sort_unstable();
        let place = LogPlace { before, sequences };
        Ok(Self { keys: rows.iter_mut().map(key).collect::<Result<_, _>>()?, place })
    }
}

/// The tuples that match the query and exist at `now`.
pub async fn list(
    tx: &mut impl Read,
    query: &TupleQuery,
    page: &PageRequest<TupleKey>,
    now: Timestamp,
) -> Result<Page<StoredTuple, TupleKey>, Error> {
    let limit = i64::from(page.size) + 1;
    let (statement, parts) = selection(query, page.after.as_ref());
    let values: Vec<Value<'_>> = values![now, limit].into_iter().chain(parts).collect();
    let mut rows = tx.query(statement, &values).await?;
    let tuples = rows.iter_mut().map(stored).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_rows(tuples, page.size, |stored| TupleKey::from(&stored.tuple)))
}

/// How many tuples of each of these kinds have no condition: namespace, relation, and namespace and relation of the subject. Kinds
/// without one are left out.
pub async fn count_without_condition(
    tx: &mut impl Read,
    kinds: &[[&str; 4]],
    now: Timestamp,
) -> Result<Vec<([String; 4], u64)>, Error> {
    let mut rows = tx.query(&COUNT_WITHOUT_CONDITION, &values![now, json(kinds)?]).await?;
    let count = |row: &mut Row| {
        let kind = [row.take(0)?, row.take(1)?, row.take(2)?, row.take(3)?];
        Ok((kind, u64::try_from(row.take::<i64>(4)?).unwrap_or_default()))
    };
    rows.iter_mut().map(count).collect()
}

/// The statement with the longest range of an index for the query, and its values after the limit.
fn selection<'a>(query: &'a TupleQuery, after: Option<&'a TupleKey>) -> (&'static Statement, Vec<Value<'a>>) {
    let (namespace, object, relation) =
        (query.namespace.as_deref(), query.object.as_deref(), query.relation.as_deref());
    let after = Start(after);
    let Some(subject) = &query.subject else {
        return match (namespace, object, relation) {
            (Some(namespace), Some(object), Some(relation)) => {
                (&LIST_OF_RELATION, [texts([namespace, object, relation]), after.key([3, 4, 5])].concat())
            }
            (Some(namespace), Some(object), None) => {
                (&LIST_OF_OBJECT, [texts([namespace, object]), after.key([2, 3, 4, 5])].concat())
            }
            (Some(namespace), None, Some(relation)) => {
                let values = [texts([namespace]), after.key([1, 2, 3, 4, 5]), texts([relation])];
                (&LIST_OF_NAMESPACE_BY_RELATION, values.concat())
            }
            (Some(namespace), None, None) => {
                (&LIST_OF_NAMESPACE, [texts([namespace]), after.key([1, 2, 3, 4, 5])].concat())
            }
            (None, None, None) => (&LIST, after.key([0, 1, 2, 3, 4, 5])),
            (None, object, relation) => {
                (&LIST_FILTERED, [after.key([0, 1, 2, 3, 4, 5]), values![object, relation].to_vec()].concat())
            }
        };
    };
    let (subject_namespace, subject_object, subject_relation) = subject_columns(subject);
    let subject = texts([subject_namespace, subject_object, subject_relation]);
    match (namespace, object, relation) {
        // At most one tuple, so that no page follows.
        (Some(namespace), Some(object), Some(relation)) => {
            (&LIST_OF_KEY, [texts([namespace, object, relation]), subject].concat())
        }
        (Some(namespace), None, Some(relation)) => {
            (&LIST_OF_SUBJECT_BY_RELATION, [subject, texts([namespace, relation]), after.key([1])].concat())
        }
        (Some(namespace), Some(object), None) => {
            let values = [subject, texts([namespace]), after.key([2, 1]), texts([object])];
            (&LIST_OF_SUBJECT_IN_NAMESPACE_BY_OBJECT, values.concat())
        }
        (Some(namespace), None, None) => {
            (&LIST_OF_SUBJECT_IN_NAMESPACE, [subject, texts([namespace]), after.key([2, 1])].concat())
        }
        (None, None, None) => (&LIST_OF_SUBJECT, [subject, after.key([0, 2, 1])].concat()),
        (None, object, relation) => {
            let filters = values![relation, object].to_vec();
            (&LIST_OF_SUBJECT_FILTERED, [subject, after.key([0, 2, 1]), filters].concat())
        }
    }
}

/// The first key of a page.
struct Start<'a>(Option<&'a TupleKey>);

impl<'a> Start<'a> {
    /// Columns of the first key, which is the one that follows `after` immediately: no stored text contains U+0000, so that
    /// nothing is between a text and the same text with U+0001 at its end.
    fn key<const N: usize>(&self, columns: [usize; N]) -> Vec<Value<'a>> {
        let Some(TupleKey(namespace, object, relation, subject_namespace, subject_object, subject_relation)) = self.0
        else {
            return vec![Value::from(""); N];
        };
        let texts = [namespace, object, relation, subject_namespace, subject_object, subject_relation];
        let mut values: Vec<Value<'a>> =
            columns.into_iter().map(|column| Value::from(texts[column % texts.len()])).collect();
        if let Some(Value::Text(last)) = values.last_mut() {
            *last = Cow::Owned(format!("{last}\u{1}"));
        }
        values
    }
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<Value<'_>> {
    texts.map(Value::from).to_vec()
}

fn json(rows: &[impl serde::Serialize]) -> Result<String, Error> {
    serde_json::to_string(rows).map_err(|error| inconsistent(error.to_string()))
}

fn key(row: &mut Row) -> Result<TupleKey, Error> {
    Ok(TupleKey(row.take(0)?, row.take(1)?, row.take(2)?, row.take(3)?, row.take(4)?, row.take(5)?))
}

fn stored(row: &mut Row) -> Result<StoredTuple, Error> {
    let TupleKey(namespace, object, relation, subject_namespace, subject_object, subject_relation) = key(row)?;
    let record = TupleRecord(
        namespace,
        object,
        relation,
        subject_namespace,
        subject_object,
        subject_relation,
        row.take(6)?,
        row.take(7)?,
        row.take(8)?,
    );
    StoredTuple::try_from(record).map_err(|error| inconsistent(error.to_string()))
}

fn inconsistent(what: String) -> Error {
    Error::inconsistent("permissions_relation_tuples", what)
}
