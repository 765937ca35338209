//! Classes, blocks, relations and conditions.

use super::writer::Writer;
use super::{WIDTH, flat};
use crate::syntax::{Block, Class, Condition, Members, Permit, Relation, TypeForm};

impl<'a> Writer<'a> {
    pub(super) fn condition(&mut self, condition: &Condition<'a>) {
        let expression = flat::quoted(condition.expression.text);
        self.put(&format!("const {}: Condition = {expression};", flat::name(condition.name)));
        self.comments_before(condition.span.end);
        self.reached(condition.span.end);
    }

    pub(super) fn class(&mut self, class: &Class<'a>) {
        let close = class.span.end.saturating_sub(1);
        self.open(&format!("class {} implements Namespace {{", flat::name(class.name)), class.open.end);
        for (position, block) in class.blocks.iter().enumerate() {
            if position > 0 {
                self.want_empty_line();
            }
            self.block(block);
        }
        self.close(close, class.blocks.is_empty() && !self.has_comment(class.span.start, close));
        self.want_empty_line();
    }

    /// Closes a block, in the same line if it is empty.
    fn close(&mut self, place: usize, is_empty: bool) {
        if is_empty {
            self.indent = self.indent.saturating_sub(1);
            self.put("}");
        } else {
            self.closing_line(place, "}");
        }
        self.reached(place + 1);
    }

    fn block(&mut self, block: &Block<'a>) {
        let close = block.span.end.saturating_sub(1);
        let has_comment = self.has_comment(block.span.start, close);
        self.line(block.span.start, "");
        let is_empty = match &block.members {
            Members::Related(relations) => {
                self.open("related: {", block.open.end);
                for relation in relations {
                    self.relation(relation);
                }
                relations.is_empty()
            }
            Members::Permits(permits) => {
                self.open("permits = {", block.open.end);
                for permit in permits {
                    self.permit(permit);
                }
                permits.is_empty()
            }
        };
        self.close(close, is_empty && !has_comment);
    }

    fn relation(&mut self, relation: &Relation<'a>) {
        let (open, close) = match relation.form {
            TypeForm::Single => ("", "[]"),
            TypeForm::Union => ("(", ")[]"),
            TypeForm::Array => ("Array<", ">"),
        };
        let name = flat::name(relation.name);
        let types: Vec<String> = relation.types.iter().map(flat::subject_type).collect();
        let last = relation.types.last().map_or(0, |it| it.span.start);
        let in_one_line = format!("{name}: {open}{}{close}", types.join(" | "));
        let fits = self.indent * 2 + in_one_line.chars().count() <= WIDTH;
        if relation.form == TypeForm::Single || fits && !self.has_comment(relation.name.span.start, last) {
            self.line(relation.name.span.start, &in_one_line);
        } else {
            self.line(relation.name.span.start, &format!("{name}: {open}"));
            self.reached(relation.name.span.end);
            self.indent += 1;
            for (position, (it, text)) in relation.types.iter().zip(&types).enumerate() {
                self.comments_before(it.span.start);
                self.break_line();
                self.put(text);
                if position + 1 < types.len() {
                    self.put(" |");
                }
                self.reached(it.span.end);
            }
            self.indent -= 1;
            self.break_line();
            self.put(close);
        }
        self.reached(relation.end);
    }

    fn permit(&mut self, permit: &Permit<'a>) {
        let head = flat::permit_head(permit);
        let start = permit.name.span.start;
        let expression = flat::sequence(&permit.expression);
        let width = self.indent * 2 + head.chars().count() + expression.chars().count() + 2;
        if width <= WIDTH && !self.breaks_at_comment(start, &permit.expression) {
            self.line(start, &format!("{head} {expression}"));
        } else {
            self.line(start, &head);
            self.reached(permit.name.span.end);
            self.indent += 1;
            self.sequence(&permit.expression);
            self.indent -= 1;
        }
        self.put(",");
        self.reached(permit.end);
    }
}
