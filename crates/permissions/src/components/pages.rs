//! The tokens of pages, for every list and every protocol.
//!
//! Invariant: a token belongs to one question, with everything that its results depend on, so that a page never continues another
//! list. Versions of the program agree on what a question is: its encoding does not depend on the names in the source.

use database::PageToken;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use web::paging::Listing;

use crate::domain::access::{RequestAttributes, canonical};
use crate::domain::condition::Object;
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use crate::domain::reverse_question::{ReverseQuestion, Sought};
use crate::domain::tuple_key::TupleKey;
use crate::domain::tuple_query::TupleQuery;

pub(crate) const TUPLES: Listing<Position<TupleKey>> = Listing::new("page of relation tuples", 100, 500);
/// The last name of the page before.
pub(crate) const NAMES: Listing<Position<String>> = Listing::new("page of a reverse question", 100, 10_000);
/// The limit of the pages, and the last name of the page before.
pub(crate) const SEARCH: PageToken<Position<(u32, Option<String>)>> = PageToken::new("page of an access search");

/// Where the next page of a question goes on.
#[derive(Serialize, Deserialize)]
pub(crate) struct Position<K> {
    question: QuestionDigest,
    after: K,
}

impl<K> Position<K> {
    pub(crate) fn new(question: QuestionDigest, after: K) -> Self {
        Self { question, after }
    }

    /// Where the page begins, if this is a position of `question`.
    pub(crate) fn within(self, question: QuestionDigest) -> Option<K> {
        (self.question == question).then_some(self.after)
    }
}

/// What a question has in its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuestionDigest([u8; 16]);

impl QuestionDigest {
    pub(crate) fn of_query(query: &TupleQuery) -> Self {
        let TupleQuery { namespace, object, relation, subject } = query;
        let mut encoding = Encoding::of("relation tuples");
        encoding.optional(namespace.as_deref(), Encoding::text);
        encoding.optional(object.as_deref(), Encoding::text);
        encoding.optional(relation.as_deref(), Encoding::text);
        encoding.optional(subject.as_ref(), Encoding::subject);
        encoding.digest()
    }

    /// The order of members of the context does not matter.
    pub(crate) fn of_question(question: &ReverseQuestion, context: Option<&Object>, max_depth: Option<i64>) -> Self {
        let mut encoding = Encoding::of("reverse question");
        encoding.question(question);
        encoding.optional(context, Encoding::attributes);
        encoding.optional(max_depth, Encoding::number);
        encoding.digest()
    }

    /// The order of members of the properties does not matter.
    pub(crate) fn of_search(question: &ReverseQuestion, attributes: &RequestAttributes) -> Self {
        let RequestAttributes { subject, resource, action, context } = attributes;
        let mut encoding = Encoding::of("access search");
        encoding.question(question);
        for attributes in [subject, resource, action, context] {
            encoding.optional(attributes.as_ref(), Encoding::attributes);
        }
        encoding.digest()
    }
}

/// The members of a question in a fixed order. A text is behind its length and a variant behind its number, so that different
/// questions have different encodings.
struct Encoding(Sha256);

impl Encoding {
    fn of(kind: &str) -> Self {
        let mut encoding = Self(Sha256::new());
        encoding.text(kind);
        encoding
    }

    fn variant(&mut self, number: u8) {
        self.0.update([number]);
    }

    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }

    fn texts(&mut self, texts: [&str; 3]) {
        for text in texts {
            self.text(text);
        }
    }

    fn optional<T>(&mut self, value: Option<T>, encode: impl FnOnce(&mut Self, T)) {
        self.variant(value.is_some().into());
        if let Some(value) = value {
            encode(self, value);
        }
    }

    fn subject(&mut self, subject: &Subject) {
        match subject {
            Subject::Id(id) => {
                self.variant(0);
                self.text(id);
            }
            Subject::Set(SubjectSet { namespace, object, relation }) => {
                self.variant(1);
                self.texts([namespace, object, relation]);
            }
        }
    }

    fn question(&mut self, ReverseQuestion { sought, tuple }: &ReverseQuestion) {
        self.variant(match sought {
            Sought::Objects => 0,
            Sought::Subjects => 1,
            Sought::Relations => 2,
        });
        let RelationTuple { namespace, object, relation, subject } = tuple;
        self.texts([namespace, object, relation]);
        self.subject(subject);
    }

    fn attributes(&mut self, attributes: &Object) {
        self.text(&canonical(attributes));
    }

    fn digest(self) -> QuestionDigest {
        let whole: [u8; 32] = self.0.finalize().into();
        QuestionDigest(std::array::from_fn(|index| whole[index]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::condition::Root;

    fn subject(id: &str) -> Subject {
        Subject::Id(id.into())
    }

    fn set([namespace, object, relation]: [&str; 3]) -> Subject {
        Subject::Set(SubjectSet { namespace: namespace.into(), object: object.into(), relation: relation.into() })
    }

    fn context(value: Value) -> Object {
        Object::new(Root::Context, value).unwrap()
    }

    fn assert_different(digests: &[QuestionDigest]) {
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "the question {index} has the digest of an earlier one");
        }
    }

    /// Tokens of pages are open during an upgrade.
    #[test]
    fn the_digest_of_a_question_is_the_same_in_every_version() {
        let query = TupleQuery {
            namespace: Some("Doc".into()),
            object: None,
            relation: Some(String::new()),
            subject: Some(subject("ada")),
        };
        let question = ReverseQuestion::objects("Doc".into(), "viewer".into(), set(["Group", "g", "member"]));
        let context = context(json!({ "b": [1, { "d": 2.5, "c": null }], "a": "x" }));
        let attributes = RequestAttributes { subject: Some(context.clone()), ..RequestAttributes::default() };
        let hex = |QuestionDigest(bytes)| format!("{:032x}", u128::from_be_bytes(bytes));
        assert_eq!(
            [
                hex(QuestionDigest::of_query(&query)),
                hex(QuestionDigest::of_question(&question, Some(&context), Some(3))),
                hex(QuestionDigest::of_search(&question, &attributes)),
            ],
            [
                "bfa5ac5a8c351dc9b1de6df11112084e",
                "9e74c6536cde16ec65e9524653895930",
                "01e45aeee30c2be2aee378457bc7530a"
            ]
        );
    }

    #[test]
    fn different_questions_have_different_digests() {
        let text = |text: &str| Some(text.to_owned());
        let queries = [
            TupleQuery::default(),
            TupleQuery { namespace: text(""), ..TupleQuery::default() },
            TupleQuery { object: text(""), ..TupleQuery::default() },
            TupleQuery { namespace: text("a"), object: text("bc"), ..TupleQuery::default() },
            TupleQuery { namespace: text("ab"), object: text("c"), ..TupleQuery::default() },
            TupleQuery { subject: Some(subject("")), ..TupleQuery::default() },
            TupleQuery { subject: Some(subject("a")), ..TupleQuery::default() },
            TupleQuery { subject: Some(set(["", "a", ""])), ..TupleQuery::default() },
            TupleQuery { subject: Some(set(["a", "", ""])), ..TupleQuery::default() },
        ];
        assert_different(&queries.map(|query| QuestionDigest::of_query(&query)));

        let of = |it: &ReverseQuestion, context: Option<Value>, depth| {
            QuestionDigest::of_question(it, context.map(self::context).as_ref(), depth)
        };
        let objects = ReverseQuestion::objects("Doc".into(), "view".into(), subject("ada"));
        let relations = ReverseQuestion { sought: Sought::Relations, ..objects.clone() };
        let subjects = ReverseQuestion { sought: Sought::Subjects, ..objects.clone() };
        let attributes = |value: Value| Some(context(value));
        let of_subject = RequestAttributes { subject: attributes(json!({})), ..RequestAttributes::default() };
        let of_action = RequestAttributes { action: attributes(json!({})), ..RequestAttributes::default() };
        assert_different(&[
            of(&objects, None, None),
            of(&relations, None, None),
            of(&subjects, None, None),
            of(&objects, Some(json!({})), None),
            of(&objects, Some(json!({ "a": 1 })), None),
            of(&objects, Some(json!({ "a": "1" })), None),
            of(&objects, None, Some(0)),
            of(&objects, None, Some(1)),
            QuestionDigest::of_search(&objects, &RequestAttributes::default()),
            QuestionDigest::of_search(&objects, &of_subject),
            QuestionDigest::of_search(&objects, &of_action),
        ]);
        let in_order = of(&objects, Some(json!({ "a": 1, "b": { "c": 1, "d": 2 } })), None);
        assert_eq!(in_order, of(&objects, Some(json!({ "b": { "d": 2, "c": 1 }, "a": 1 })), None));
    }
}
