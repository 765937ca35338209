//! The reads of a check: many at once, by one statement, so that all of them see the same state.

use base::Timestamp;
use database::{Error, Read, Row, values};
use serde::Serialize;

use crate::domain::relation_tuple::{Subject, TupleCondition};
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_key::{TupleKey, subject_of};

/// The kind of a row: which list of the reads it answers, or the snapshot.
macro_rules! kind {
    (tuples) => {
        0
    };
    (sets) => {
        1
    };
    (objects) => {
        2
    };
    (subjects) => {
        3
    };
    (snapshot) => {
        4
    };
}

/// `$2` are keys of tuples, `$3` to `$5` objects with a relation, `$6`, `$8` and `$9` the most subjects of each of these, `$10` the
/// most rows of the whole, and tuples must exist at `$7`. SQLite has no lateral join; a subquery with a limit chooses the subjects.
macro_rules! subjects_on_sqlite {
    ($kind:ident, $list:literal, $limit:literal, $table:literal, $which:literal) => {
        concat!(
            "SELECT ",
            kind!($kind),
            ", json_each.key, t.subject_namespace, t.subject_object, t.subject_relation, t.condition, t.condition_context,
                t.expires_at
            FROM json_each(",
            $list,
            ") CROSS JOIN permissions_relation_tuples t
            WHERE t.tenant_id = $1 AND t.namespace = json_each.value ->> 0 AND t.object = json_each.value ->> 1
                AND t.relation = json_each.value ->> 2
                AND (t.subject_namespace, t.subject_object, t.subject_relation) IN
                    (SELECT s.subject_namespace, s.subject_object, s.subject_relation FROM ",
            $table,
            " WHERE s.tenant_id = $1 AND s.namespace = json_each.value ->> 0 AND s.object = json_each.value ->> 1
                        AND s.relation = json_each.value ->> 2 AND ",
            $which,
            " AND (s.expires_at IS NULL OR s.expires_at > $7)
                    ORDER BY s.subject_namespace, s.subject_object, s.subject_relation LIMIT ",
            $limit,
            ")"
        )
    };
}

macro_rules! subjects_on_postgres {
    ($kind:ident, $list:literal, $limit:literal, $which:literal) => {
        concat!(
            "SELECT ",
            kind!($kind),
            ", k.key - 1, s.subject_namespace, s.subject_object, s.subject_relation, s.condition, s.condition_context,
                s.expires_at
            FROM json_array_elements(CAST(CAST(",
            $list,
            " AS text) AS json)) WITH ORDINALITY AS k(value, key)
            CROSS JOIN LATERAL (SELECT t.subject_namespace, t.subject_object, t.subject_relation, t.condition,
                    t.condition_context, t.expires_at
                FROM permissions_relation_tuples t
                WHERE t.tenant_id = $1 AND t.namespace = k.value ->> 0 AND t.object = k.value ->> 1
                    AND t.relation = k.value ->> 2 AND ",
            $which,
            " AND (t.expires_at IS NULL OR t.expires_at > $7)
                ORDER BY t.subject_namespace, t.subject_object, t.subject_relation LIMIT ",
            $limit,
            ") s"
        )
    };
}

/// The snapshot that all of the statement sees.
macro_rules! snapshot {
    () => {
        concat!(
            "SELECT ",
            kind!(snapshot),
            ", sequence, '', '', '', '', NULL, NULL FROM permissions_state WHERE tenant_id = $1 UNION ALL "
        )
    };
}

database::statements! {
    /// The first column is the kind of the read, the second its position.
    READS = {
        sqlite: concat!(
            snapshot!(),
            "SELECT ",
            kind!(tuples),
            ", json_each.key, '', '', '', t.condition, t.condition_context, t.expires_at
            FROM json_each($2) CROSS JOIN permissions_relation_tuples t
            WHERE t.tenant_id = $1 AND t.namespace = json_each.value ->> 0 AND t.object = json_each.value ->> 1
                AND t.relation = json_each.value ->> 2 AND t.subject_namespace = json_each.value ->> 3
                AND t.subject_object = json_each.value ->> 4 AND t.subject_relation = json_each.value ->> 5
                AND (t.expires_at IS NULL OR t.expires_at > $7)
            UNION ALL ",
            subjects_on_sqlite!(
                sets,
                "$3",
                "$6",
                // The planner prefers the primary key, which has all subjects.
                "permissions_relation_tuples s INDEXED BY permissions_relation_tuples_sets",
                "s.subject_relation <> ''"
            ),
            " UNION ALL ",
            subjects_on_sqlite!(objects, "$4", "$8", "permissions_relation_tuples s", "s.subject_namespace > ''"),
            " UNION ALL ",
            subjects_on_sqlite!(subjects, "$5", "$9", "permissions_relation_tuples s", "TRUE"),
            " LIMIT $10",
        ),
        postgres: concat!(
            snapshot!(),
            "SELECT ",
            kind!(tuples),
            ", k.key - 1, '', '', '', t.condition, t.condition_context, t.expires_at
            FROM json_array_elements(CAST(CAST($2 AS text) AS json)) WITH ORDINALITY AS k(value, key)
            JOIN permissions_relation_tuples t ON t.tenant_id = $1 AND t.namespace = k.value ->> 0
                AND t.object = k.value ->> 1 AND t.relation = k.value ->> 2 AND t.subject_namespace = k.value ->> 3
                AND t.subject_object = k.value ->> 4 AND t.subject_relation = k.value ->> 5
                AND (t.expires_at IS NULL OR t.expires_at > $7)
            UNION ALL ",
            subjects_on_postgres!(sets, "$3", "$6", "t.subject_relation <> ''"),
            " UNION ALL ",
            subjects_on_postgres!(objects, "$4", "$8", "t.subject_namespace > ''"),
            " UNION ALL ",
            subjects_on_postgres!(subjects, "$5", "$9", "TRUE"),
            " LIMIT $10",
        ),
    };
}

/// An object and one of its relations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectRelation(pub String, pub String, pub String);

/// Reads that are performed together.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    pub tuples: Vec<TupleKey>,
    /// Whose subjects that are subject sets with a relation are read.
    pub sets: Vec<ObjectRelation>,
    /// Whose subjects that are subject sets, with a relation or without, are read.
    pub objects: Vec<ObjectRelation>,
    /// All of whose subjects are read.
    pub subjects: Vec<ObjectRelation>,
    /// The most subjects of each of `sets`, of `objects` and of `subjects`.
    pub limits: [u32; 3],
    /// The most tuples of all reads together, if that is bounded.
    pub most: Option<u32>,
}

/// The answers, by the positions of the reads.
#[derive(Clone, Debug)]
pub struct Answers {
    /// What all of them were read at.
    pub snapshot: Snapshot,
    /// How many tuples were read.
    pub count: u32,
    /// There are more tuples than `most`, and the answers lack some.
    pub is_cut: bool,
    pub tuples: Vec<Option<StoredTerms>>,
    pub sets: Vec<Vec<(Subject, StoredTerms)>>,
    pub objects: Vec<Vec<(Subject, StoredTerms)>>,
    pub subjects: Vec<Vec<(Subject, StoredTerms)>>,
}

/// When a tuple counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredTerms {
    pub condition: Option<TupleCondition>,
    pub expires_at: Option<Timestamp>,
}

/// Performs the reads. Subjects come in the order of their texts, at most `limits` of each.
pub async fn perform(tx: &mut impl Read, reads: &Reads, now: Timestamp) -> Result<Answers, Error> {
    let mut answers = Answers {
        snapshot: Snapshot::default(),
        count: 0,
        is_cut: false,
        tuples: vec![None; reads.tuples.len()],
        sets: vec![Vec::new(); reads.sets.len()],
        objects: vec![Vec::new(); reads.objects.len()],
        subjects: vec![Vec::new(); reads.subjects.len()],
    };
    let [of_sets, of_objects, of_subjects] = reads.limits.map(i64::from);
    let Reads { tuples, sets, objects, subjects, most, .. } = reads;
    // The snapshot is a row as well, and one more shows that there are more.
    let rows = most.map_or(i64::MAX, |most| i64::from(most) + 2);
    let [tuples, sets, objects, subjects] = [json(tuples)?, json(sets)?, json(objects)?, json(subjects)?];
    let values = values![tuples, sets, objects, subjects, of_sets, now, of_objects, of_subjects, rows];
    for mut row in tx.query(&READS, &values).await? {
        let (kind, position, subject, terms) = answer(&mut row)?;
        let is_known = match kind {
            kind!(tuples) => answers.tuples.get_mut(position).map(|it| *it = Some(terms)),
            kind!(sets) => answers.sets.get_mut(position).map(|it| it.push((subject, terms))),
            kind!(objects) => answers.objects.get_mut(position).map(|it| it.push((subject, terms))),
            kind!(subjects) => answers.subjects.get_mut(position).map(|it| it.push((subject, terms))),
            kind!(snapshot) => {
                answers.snapshot = Snapshot(i64::try_from(position).unwrap_or_default());
                continue;
            }
            _ => None,
        };
        is_known.ok_or_else(|| inconsistent("a position that was not asked for"))?;
        answers.count += 1;
    }
    // The parts of the statement choose by this order, but it does not say in which order their rows come.
    for list in answers.sets.iter_mut().chain(&mut answers.objects).chain(&mut answers.subjects) {
        list.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    }
    answers.is_cut = most.is_some_and(|most| answers.count > most);
    Ok(answers)
}

/// The kind and the position of the read, the subject, and when the tuple counts.
fn answer(row: &mut Row) -> Result<(i64, usize, Subject, StoredTerms), Error> {
    let position = usize::try_from(row.get::<i64>(1)?).map_err(|_| inconsistent("a negative position"))?;
    let subject = subject_of(row.take(2)?, row.take(3)?, row.take(4)?);
    let (name, context): (String, Option<String>) = (row.take(5)?, row.take(6)?);
    let condition = (!name.is_empty()).then_some(TupleCondition { name, context });
    Ok((row.get(0)?, position, subject, StoredTerms { condition, expires_at: row.take(7)? }))
}

fn json(rows: &[impl Serialize]) -> Result<String, Error> {
    serde_json::to_string(rows).map_err(|_| inconsistent("a read that is no JSON"))
}

fn inconsistent(what: &str) -> Error {
    Error::inconsistent("permissions_relation_tuples", what)
}
