//! Relations and the types of their subjects.

use super::{Parsed, Parser};
use crate::lexer::{Symbol, TokenKind};
use crate::problem::quote;
use crate::source::Span;
use crate::syntax::{Relation, Type, TypeForm};

const RELATION: &str = "NAME: TYPE[], NAME: (TYPE | TYPE)[] or NAME: Array<TYPE | TYPE>, where TYPE is NAMESPACE, \
    SubjectSet<NAMESPACE, \"RELATION\">, or one of them in When<.., \"CONDITION\">";

impl<'a> Parser<'a> {
    pub(super) fn relation(&mut self) -> Parsed<Relation<'a>> {
        self.form = RELATION;
        let name = self.take_name();
        self.symbol(Symbol::Colon)?;
        let token = self.peek();
        let (form, types) = if token.kind == TokenKind::Identifier && token.text == "Array" {
            self.advance();
            self.symbol(Symbol::AngleOpen)?;
            (TypeForm::Array, self.union(Symbol::AngleClose)?)
        } else if self.optional(Symbol::ParenOpen) {
            (TypeForm::Union, self.union(Symbol::ParenClose)?)
        } else {
            (TypeForm::Single, vec![self.subject_type()?])
        };
        if form != TypeForm::Array {
            self.symbol(Symbol::BracketOpen)?;
            self.symbol(Symbol::BracketClose)?;
        }
        let end = self.end;
        // Ory Keto refuses the comma after `Array<..>`, TypeScript does not.
        self.optional(Symbol::Comma);
        Ok(Relation { name, form, types, end })
    }

    /// Types with `|` between them, and the symbol after them.
    fn union(&mut self, end: Symbol) -> Parsed<Vec<Type<'a>>> {
        let mut types = vec![self.subject_type()?];
        while !self.optional(end) {
            if !self.optional(Symbol::Pipe) {
                let token = self.peek();
                return Err(self.unexpected(token, format!("expected '|', got {}", quote(token.text))));
            }
            types.push(self.subject_type()?);
        }
        Ok(types)
    }

    fn subject_type(&mut self) -> Parsed<Type<'a>> {
        let token = self.peek();
        if token.kind != TokenKind::Identifier || token.text != "When" {
            return self.plain_type();
        }
        // `When` is a namespace of that name, unless something is in it.
        let name = self.take_name();
        if !self.optional(Symbol::AngleOpen) {
            return Ok(Type { namespace: name, relation: None, condition: None, span: name.span });
        }
        let inner = self.plain_type()?;
        self.symbol(Symbol::Comma)?;
        let condition = self.name()?;
        self.symbol(Symbol::AngleClose)?;
        Ok(Type { condition: Some(condition), span: Span::new(name.span.start, self.end), ..inner })
    }

    fn plain_type(&mut self) -> Parsed<Type<'a>> {
        let token = self.peek();
        let name = self.name()?;
        if token.kind != TokenKind::Identifier || name.text != "SubjectSet" {
            return Ok(Type { namespace: name, relation: None, condition: None, span: name.span });
        }
        self.symbol(Symbol::AngleOpen)?;
        let namespace = self.name()?;
        self.symbol(Symbol::Comma)?;
        let relation = self.name()?;
        self.symbol(Symbol::AngleClose)?;
        let span = Span::new(name.span.start, self.end);
        Ok(Type { namespace, relation: Some(relation), condition: None, span })
    }
}
