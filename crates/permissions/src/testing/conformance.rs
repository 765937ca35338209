//! What every reader must answer, whether it is in memory or in a database: the one list that all of them run.

use super::generator::Dice;
use super::mismatch::{Mismatch, ensure};
use super::reference::{Membership, Place};
use crate::domain::evaluation::{Failure, Limits};
use crate::domain::relation_tuple::{RelationTuple, Subject};

pub(crate) type Answer = Result<bool, Failure>;

/// Limits that no case of the generator reaches.
pub(crate) const WIDE: Limits = Limits { depth: 1000, breadth: 10_000, steps: 10_000_000 };

/// A breadth that some cases exceed.
pub(super) const NARROW: u32 = 2;

/// Whether a subject is a member of a userset, and what the reference answers.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) place: Place,
    pub(super) subject: Subject,
    pub(super) expected: Membership,
    /// The membership depends on its own negation.
    pub(super) is_unstratified: bool,
}

impl Question {
    pub(super) fn tuple(&self) -> RelationTuple {
        let Place { namespace, object, relation } = self.place.clone();
        RelationTuple { namespace, object, relation, subject: self.subject.clone() }
    }

    /// A "yes" or "no" is that of the reference. A failure is one of the reference, or a circle with a negation that the
    /// evaluation does not resolve although the reference does.
    fn agrees(&self, answer: Answer) -> bool {
        match (self.expected, answer) {
            (Membership::Yes, Ok(true)) | (Membership::No, Ok(false)) | (Membership::Failure, Err(_)) => true,
            (_, Err(failure)) => self.is_unstratified && failure == Failure::DependsOnOwnNegation,
            _ => false,
        }
    }

    /// Small limits have no answer at the most, but never a wrong one.
    fn is_not_wrong(&self, answer: Answer) -> bool {
        match self.expected {
            Membership::Yes => answer != Ok(false),
            Membership::No => answer != Ok(true),
            Membership::Failure => true,
        }
    }
}

/// A reader of relation tuples, and the way in which it is asked.
pub(super) trait Reader {
    /// For messages.
    fn name(&self) -> &'static str;

    /// Asks each question alone, with nothing remembered.
    async fn alone(&mut self, questions: &[&Question], limits: Limits) -> Result<Vec<Answer>, Mismatch>;

    /// Asks all questions in one request.
    async fn together(&mut self, questions: &[&Question]) -> Result<Vec<Answer>, Mismatch>;

    /// The answer of an explanation. A way that grants must exist.
    async fn explained(&mut self, question: &Question) -> Result<Answer, Mismatch>;
}

/// What a reader answered, for the comparison with another one.
pub(super) struct Answers {
    /// Without limits.
    pub(super) all: Vec<Answer>,
    /// With a small depth.
    pub(super) shallow: Vec<Answer>,
    /// With a small breadth as well.
    pub(super) narrow: Vec<Answer>,
}

/// Asks a reader the questions in every way. The same `depth` for several readers makes their answers comparable.
pub(super) async fn conform(
    reader: &mut impl Reader,
    questions: &[&Question],
    depth: u16,
    dice: &mut Dice,
) -> Result<Answers, Mismatch> {
    let name = reader.name();
    let all = reader.alone(questions, WIDE).await?;
    for (question, answer) in pairs(questions, &all)? {
        ensure!(question.agrees(answer), "{name}: {question:?}, but {answer:?}");
    }
    // In another order, so that what is remembered comes from other questions.
    let mut order: Vec<usize> = (0..questions.len()).collect();
    dice.shuffle(&mut order);
    let shuffled: Vec<&Question> = order.iter().map(|index| questions[*index]).collect();
    let together = reader.together(&shuffled).await?;
    for ((question, answer), index) in pairs(&shuffled, &together)?.zip(order) {
        ensure!(is_same(answer, all[index]), "{name}: {question:?}: {answer:?} together, {:?} alone", all[index]);
    }
    for index in (dice.below(5)..questions.len()).step_by(5) {
        let answer = reader.explained(questions[index]).await?;
        let question = questions[index];
        ensure!(is_same(answer, all[index]), "{name}: {question:?}: {answer:?} explained, {:?}", all[index]);
    }
    let shallow = reader.alone(questions, Limits { depth, ..WIDE }).await?;
    let narrow = reader.alone(questions, Limits { depth, breadth: NARROW, ..WIDE }).await?;
    for (question, answer) in pairs(questions, &shallow)?.chain(pairs(questions, &narrow)?) {
        ensure!(question.is_not_wrong(answer), "{name}: {question:?} at the depth {depth}: {answer:?}");
    }
    Ok(Answers { all, shallow, narrow })
}

impl Answers {
    /// An answer does not depend on the reader, also when a limit leaves tuples out.
    pub(super) fn are_those_of(&self, other: &Self, questions: &[&Question]) -> Result<(), Mismatch> {
        for (what, ours, theirs) in [
            ("without limits", &self.all, &other.all),
            ("with a small depth", &self.shallow, &other.shallow),
            ("with a small breadth", &self.narrow, &other.narrow),
        ] {
            for ((question, one), (_, other)) in pairs(questions, ours)?.zip(pairs(questions, theirs)?) {
                ensure!(is_same(one, other), "{question:?} {what}: {one:?} and {other:?} depend on the reader");
            }
        }
        Ok(())
    }
}

fn pairs<'q>(
    questions: &'q [&'q Question],
    answers: &'q [Answer],
) -> Result<impl Iterator<Item = (&'q Question, Answer)>, Mismatch> {
    ensure!(questions.len() == answers.len(), "{} answers to {} questions", answers.len(), questions.len());
    Ok(questions.iter().copied().zip(answers.iter().copied()))
}

/// Failures may differ in their reason: an intersection that ends early has not seen them all.
pub(super) fn is_same(one: Answer, other: Answer) -> bool {
    one.ok() == other.ok()
}
