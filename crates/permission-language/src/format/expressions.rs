//! Expressions of permits that take several lines: a term per line, each operator at the end of its line.

use super::writer::Writer;
use super::{WIDTH, flat};
use crate::syntax::{Sequence, Term};

impl<'a> Writer<'a> {
    pub(super) fn sequence(&mut self, sequence: &Sequence<'a>) {
        self.term_line(&sequence.first);
        for link in &sequence.rest {
            if let Some((operator, span)) = link.operator {
                self.put(&format!(" {}", operator.text()));
                self.reached(span.end);
            }
            self.term_line(&link.term);
        }
    }

    fn term_line(&mut self, term: &Term<'a>) {
        self.comments_before(term.span().start);
        self.break_line();
        self.term(term);
        self.reached(term.span().end);
    }

    fn term(&mut self, term: &Term<'a>) {
        let text = flat::term(term);
        // An operator or a comma follows.
        let fits = self.indent * 2 + text.chars().count() + 3 <= WIDTH;
        match term {
            _ if fits && !self.term_breaks_at_comment(term) => self.put(&text),
            Term::Check(_) => self.put(&text),
            Term::Not(inner, _) if matches!(**inner, Term::Check(_)) => self.put(&text),
            Term::Not(inner, _) => {
                self.put("!");
                self.term(inner);
            }
            Term::Group(inner, span) => {
                self.put("(");
                self.reached(span.start + 1);
                self.indent += 1;
                self.sequence(inner);
                self.comments_before(span.end.saturating_sub(1));
                self.indent -= 1;
                self.break_line();
                self.put(")");
            }
        }
    }

    /// Whether a comment stands before the last term of an expression that begins at `start`. It is written before that term, so
    /// the expression takes several lines. A comment after the last term is written behind it.
    pub(super) fn breaks_at_comment(&self, start: usize, sequence: &Sequence<'a>) -> bool {
        let last = sequence.rest.last().map_or(&sequence.first, |link| &link.term);
        self.has_comment(start, last.span().start) || sequence.terms().any(|term| self.term_breaks_at_comment(term))
    }

    fn term_breaks_at_comment(&self, term: &Term<'a>) -> bool {
        match term {
            Term::Check(_) => false,
            Term::Not(inner, _) => self.term_breaks_at_comment(inner),
            Term::Group(inner, span) => self.breaks_at_comment(span.start, inner),
        }
    }

    /// A new line without an empty one before it.
    pub(super) fn break_line(&mut self) {
        self.new_line(0);
    }
}
