//! Random models and tuples, small enough that names collide, cycles close and limits matter.

use base::Timestamp;
use permission_language::{Condition, Expression, Model, Namespace, Permit, Relation, SubjectType};

use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet, TupleCondition};

/// The time of every question.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_000_000);

const NAMESPACES: &[&str] = &["User", "Group", "Doc"];
/// The namespace of some tuples, declared by no model.
const UNKNOWN: &str = "Elsewhere";
const RELATIONS: &[&str] = &["member", "parent", "owner"];
const PERMITS: &[&str] = &["view", "edit", "admin"];
/// Names that a careless comparison takes for one another.
pub(super) const OBJECTS: &[&str] = &["a", "A", "caf\u{e9}", "cafe\u{301}"];
const CONDITIONS: &[&str] = &["true_here", "false_here", "missing"];
/// The last one is no result of a condition.
const CONTEXTS: &[&str] = &[r#"{"is":true}"#, r#"{"is":false}"#, r#"{"is":"neither"}"#];

/// A model, tuples, and whether the strict mode is on.
#[derive(Clone, Debug)]
pub struct Case {
    pub model: Model,
    pub tuples: Vec<StoredTuple>,
    pub strict: bool,
}

/// A generator of numbers that repeats itself for the same seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % limit as u64).unwrap_or_default()
    }

    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }
}

impl Case {
    pub fn random(dice: &mut Dice) -> Self {
        let model = model(dice);
        let conditions = if dice.percent(50) { 20 } else { 0 };
        let count = 3 + dice.below(20);
        let mut tuples: Vec<StoredTuple> = Vec::new();
        for _ in 0..count {
            let stored = stored_tuple(dice, &model, conditions);
            if tuples.iter().all(|it| it.tuple != stored.tuple) {
                tuples.push(stored);
            }
        }
        Self { model, tuples, strict: dice.percent(30) }
    }

    /// Subjects of the tuples, and some that no tuple names.
    pub fn subjects(&self) -> Vec<Subject> {
        let mut subjects: Vec<Subject> = self.tuples.iter().map(|it| it.tuple.subject.clone()).collect();
        subjects.extend([Subject::Id("nobody".into()), Subject::Id("a".into()), object("User", "A")]);
        subjects.sort_by_key(|it| format!("{it:?}"));
        subjects.dedup();
        subjects
    }
}

fn object(namespace: &str, object: &str) -> Subject {
    Subject::Set(SubjectSet { namespace: namespace.into(), object: object.into(), relation: String::new() })
}

fn model(dice: &mut Dice) -> Model {
    let negations = dice.percent(60);
    let mut namespaces = vec![Namespace { name: "User".into(), ..Namespace::default() }];
    for name in &NAMESPACES[1..1 + 1 + dice.below(NAMESPACES.len() - 1)] {
        let relation = |dice: &mut Dice, name: &&str| Relation { name: (*name).into(), types: types(dice) };
        let relations =
            RELATIONS[..2 + dice.below(RELATIONS.len() - 1)].iter().map(|name| relation(dice, name)).collect();
        let permits = PERMITS[..PERMITS.len() - dice.below(2)].iter();
        let permits = permits.map(|name| Permit { name: (*name).into(), expression: expression(dice, negations, 3) });
        let permits = permits.collect();
        namespaces.push(Namespace { name: (*name).into(), relations, permits });
    }
    Model { namespaces, conditions: CONDITIONS.iter().map(|name| condition(name)).collect() }
}

/// As [`reference_model::condition`](super::reference_model::condition) defines it.
fn condition(name: &str) -> Condition {
    let without_context = match name {
        "true_here" => "true",
        "false_here" => "false",
        _ => "context.missing",
    };
    Condition { name: name.into(), expression: format!("has(tuple.is) ? tuple.is : {without_context}") }
}

fn types(dice: &mut Dice) -> Vec<SubjectType> {
    let one = |dice: &mut Dice| SubjectType {
        namespace: (*dice.pick(NAMESPACES)).into(),
        relation: dice.percent(50).then(|| any_relation(dice)),
        condition: dice.percent(15).then(|| (*dice.pick(CONDITIONS)).into()),
    };
    (0..dice.below(4)).map(|_| one(dice)).collect()
}

fn any_relation(dice: &mut Dice) -> String {
    let names = if dice.percent(60) { RELATIONS } else { PERMITS };
    (*dice.pick(names)).into()
}

fn expression(dice: &mut Dice, negations: bool, levels: usize) -> Expression {
    let composed = levels > 0 && dice.percent(65);
    if !composed {
        return match dice.below(10) {
            0..5 => Expression::Has(any_relation(dice)),
            5..9 => {
                let relation = (*dice.pick(RELATIONS)).into();
                Expression::Traverse { relation, target: any_relation(dice) }
            }
            _ => Expression::Meets((*dice.pick(CONDITIONS)).into()),
        };
    }
    let members = |dice: &mut Dice| (0..2 + dice.below(2)).map(|_| expression(dice, negations, levels - 1)).collect();
    match dice.below(10) {
        0..4 => Expression::Any(members(dice)),
        4..8 => Expression::All(members(dice)),
        _ if negations => Expression::Not(Box::new(expression(dice, negations, levels - 1))),
        _ => Expression::Has(any_relation(dice)),
    }
}

fn stored_tuple(dice: &mut Dice, model: &Model, conditions: usize) -> StoredTuple {
    let namespace = any_namespace(dice);
    let relation = if dice.percent(75) { (*dice.pick(RELATIONS)).into() } else { any_relation(dice) };
    let relation = if dice.percent(3) { String::new() } else { relation };
    let declared = model.namespaces.iter().find(|it| it.name == namespace);
    let declared = declared.and_then(|it| it.relations.iter().find(|it| it.name == relation));
    let types = declared.map_or(&[][..], |it| &it.types);
    let object = (*dice.pick(OBJECTS)).into();
    // Most tuples have a declared type, so that the strict mode has something to find.
    let mut condition = None;
    let subject = if !types.is_empty() && dice.percent(70) {
        let declared = dice.pick(types);
        condition.clone_from(&declared.condition);
        let relation = declared.relation.clone().unwrap_or_default();
        Subject::Set(SubjectSet {
            namespace: declared.namespace.clone(),
            object: (*dice.pick(OBJECTS)).into(),
            relation,
        })
    } else {
        any_subject(dice)
    };
    if dice.percent(conditions) {
        condition = Some((*dice.pick(CONDITIONS)).into());
    }
    let context = |dice: &mut Dice| Some((*dice.pick(CONTEXTS)).into());
    let condition =
        condition.map(|name| TupleCondition { name, context: if dice.percent(50) { context(dice) } else { None } });
    let expires_at =
        dice.percent(conditions).then(|| Timestamp::from_unix_seconds(*dice.pick(&[999_999, 1_000_000, 1_000_001])));
    StoredTuple { tuple: RelationTuple { namespace, object, relation, subject }, condition, expires_at }
}

fn any_namespace(dice: &mut Dice) -> String {
    if dice.percent(4) { UNKNOWN.into() } else { (*dice.pick(NAMESPACES)).into() }
}

fn any_subject(dice: &mut Dice) -> Subject {
    let name = (*dice.pick(OBJECTS)).into();
    match dice.below(10) {
        0..3 => Subject::Id(name),
        3..6 => object(&any_namespace(dice), &name),
        _ => Subject::Set(SubjectSet { namespace: any_namespace(dice), object: name, relation: any_relation(dice) }),
    }
}
