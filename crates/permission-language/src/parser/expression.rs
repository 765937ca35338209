//! Expressions of permits.
//!
//! `&&` and `||` have the same precedence and group from left to right, as in Ory Keto and unlike TypeScript. Two checks
//! may follow each other without an operator, but nothing may follow a group or a negation that way, unless it is one itself.

use super::{Parsed, Parser};
use crate::lexer::{Keyword, Symbol, Token, TokenKind};
use crate::limits::MAX_NESTING;
use crate::problem::{Kind, Problem, quote};
use crate::source::Span;
use crate::syntax::{Check, CheckKind, Link, Name, Operator, Sequence, Term, Traverse};

const CHECK: &str = "this.related.NAME.includes(ctx.subject), this.related.NAME.traverse((x) => x.permits.NAME(ctx)), \
    this.permits.NAME(ctx) or ctx.meets(\"CONDITION\"); && or || between two of them, and a comma between two permits";

impl<'a> Parser<'a> {
    /// Terms up to a symbol, which is not consumed. The closing brace of the permits ends an expression, too.
    pub(super) fn sequence(&mut self, end: Symbol, depth: usize) -> Parsed<Sequence<'a>> {
        let first = self.term(depth)?;
        let mut sequence = Sequence { first, rest: Vec::new() };
        let mut running = None;
        loop {
            let token = self.peek();
            let operator = match token.kind {
                TokenKind::Symbol(symbol) if symbol == end => return Ok(sequence),
                TokenKind::Symbol(Symbol::BraceClose) if end == Symbol::Comma => return Ok(sequence),
                TokenKind::Symbol(Symbol::BraceClose) => return Err(self.expected(end.text(), token)),
                TokenKind::Symbol(Symbol::And) => Some(Operator::And),
                TokenKind::Symbol(Symbol::Or) => Some(Operator::Or),
                TokenKind::Symbol(Symbol::ParenOpen | Symbol::Not) => None,
                _ => {
                    let last = sequence.rest.last().map_or(&sequence.first, |link| &link.term);
                    if !matches!(last, Term::Check(_)) {
                        self.form = CHECK;
                        return Err(self.unexpected(token, "did not expect another expression".into()));
                    }
                    None
                }
            };
            let operator = match operator {
                None => None,
                Some(operator) => {
                    self.advance();
                    self.alternate(&mut running, operator, token)?;
                    Some((operator, token.span))
                }
            };
            let term = self.term(depth)?;
            sequence.rest.push(Link { operator, term });
        }
    }

    /// Counts how often the operators alternate, because each time the expression becomes one level deeper.
    fn alternate(&mut self, running: &mut Option<Operator>, operator: Operator, token: Token<'a>) -> Parsed<()> {
        if running.replace(operator).is_some_and(|before| before != operator) {
            self.alternations += 1;
        }
        if self.alternations <= MAX_NESTING {
            return Ok(());
        }
        Err(Problem {
            kind: Kind::TooDeep,
            file: self.file,
            span: token.span,
            message: format!("\"&&\" and \"||\" alternate more than {MAX_NESTING} times in one permit"),
            remedy: "divide the permit into several, and refer to them with this.permits".into(),
        })
    }

    fn term(&mut self, depth: usize) -> Parsed<Term<'a>> {
        if self.is_next(Symbol::ParenOpen) {
            return self.group(depth);
        }
        if !self.is_next(Symbol::Not) {
            return self.check().map(Term::Check);
        }
        let start = self.advance().span;
        let depth = self.enter(depth)?;
        let inner = if self.is_next(Symbol::ParenOpen) { self.group(depth)? } else { self.check().map(Term::Check)? };
        let span = start.to(inner.span());
        Ok(Term::Not(Box::new(inner), span))
    }

    fn group(&mut self, depth: usize) -> Parsed<Term<'a>> {
        let start = self.advance().span;
        let depth = self.enter(depth)?;
        let inner = self.sequence(Symbol::ParenClose, depth)?;
        let end = self.symbol(Symbol::ParenClose)?;
        Ok(Term::Group(Box::new(inner), start.to(end)))
    }

    /// One level deeper, after `(` or `!`.
    fn enter(&mut self, depth: usize) -> Parsed<usize> {
        if depth > 1 {
            return Ok(depth - 1);
        }
        let nesting = self.nesting;
        let token = self.peek();
        let message = format!("expression nested too deeply; maximal nesting depth is {nesting}");
        let problem = self.unexpected(token, message);
        if matches!(token.kind, TokenKind::Error(_)) {
            return Err(problem);
        }
        let remedy = "remove parentheses, or divide the permit into several and refer to them with this.permits".into();
        Err(Problem { kind: Kind::TooDeep, remedy, ..problem })
    }

    fn check(&mut self) -> Parsed<Check<'a>> {
        self.form = CHECK;
        let start = self.peek().span;
        let kind = if self.peek().kind == TokenKind::Keyword(Keyword::Ctx) {
            self.advance();
            self.symbol(Symbol::Dot)?;
            self.word("meets")?;
            self.symbol(Symbol::ParenOpen)?;
            let condition = self.quoted()?;
            self.symbol(Symbol::ParenClose)?;
            CheckKind::Meets(condition)
        } else {
            self.keyword(Keyword::This)?;
            self.symbol(Symbol::Dot)?;
            if self.related_or_permits()? { self.permits_check()? } else { self.related_check()? }
        };
        Ok(Check { kind, span: Span::new(start.start, self.end) })
    }

    /// Consumes `related` or `permits`; whether it was `permits`.
    fn related_or_permits(&mut self) -> Parsed<bool> {
        let token = self.peek();
        if token.kind == TokenKind::Identifier && matches!(token.text, "related" | "permits") {
            return Ok(self.advance().text == "permits");
        }
        let message = format!("expected 'related' or 'permits', got {}", quote(token.text));
        Err(self.unexpected(token, message))
    }

    fn permits_check(&mut self) -> Parsed<CheckKind<'a>> {
        let name = self.property()?;
        self.call_with_context()?;
        Ok(CheckKind::Permits(name))
    }

    fn related_check(&mut self) -> Parsed<CheckKind<'a>> {
        let relation = self.property()?;
        self.symbol(Symbol::Dot)?;
        let token = self.peek();
        match (token.kind, token.text) {
            (TokenKind::Identifier, "includes") => {
                self.advance();
                self.symbol(Symbol::ParenOpen)?;
                self.subject()?;
                self.symbol(Symbol::ParenClose)?;
                Ok(CheckKind::Includes(relation))
            }
            (TokenKind::Identifier, "traverse") => {
                self.advance();
                self.traverse(relation).map(CheckKind::Traverse)
            }
            _ => {
                let message = format!("expected 'traverse' or 'includes', got {}", quote(token.text));
                Err(self.unexpected(token, message))
            }
        }
    }

    fn traverse(&mut self, relation: Name<'a>) -> Parsed<Traverse<'a>> {
        self.symbol(Symbol::ParenOpen)?;
        let has_parentheses = self.optional(Symbol::ParenOpen);
        let argument = self.identifier()?;
        if has_parentheses {
            self.symbol(Symbol::ParenClose)?;
        }
        self.symbol(Symbol::Arrow)?;
        self.word(argument.text)?;
        self.symbol(Symbol::Dot)?;
        let is_permit = self.related_or_permits()?;
        let target = self.property()?;
        if is_permit {
            self.call_with_context()?;
        } else {
            self.symbol(Symbol::Dot)?;
            self.word("includes")?;
            self.symbol(Symbol::ParenOpen)?;
            self.subject()?;
            self.optional(Symbol::Comma);
            self.symbol(Symbol::ParenClose)?;
            self.optional(Symbol::Comma);
        }
        self.symbol(Symbol::ParenClose)?;
        Ok(Traverse { relation, argument, has_parentheses, target, is_permit })
    }

    /// `(ctx)`
    fn call_with_context(&mut self) -> Parsed<()> {
        self.symbol(Symbol::ParenOpen)?;
        self.keyword(Keyword::Ctx)?;
        self.symbol(Symbol::ParenClose)?;
        Ok(())
    }

    /// `ctx.subject`
    fn subject(&mut self) -> Parsed<()> {
        self.keyword(Keyword::Ctx)?;
        self.symbol(Symbol::Dot)?;
        self.word("subject")
    }

    /// `.NAME` or `["NAME"]`. A keyword is a name here, as in TypeScript.
    fn property(&mut self) -> Parsed<Name<'a>> {
        if self.optional(Symbol::BracketOpen) {
            let name = self.quoted()?;
            self.symbol(Symbol::BracketClose)?;
            return Ok(name);
        }
        self.symbol(Symbol::Dot)?;
        if matches!(self.peek().kind, TokenKind::Keyword(_)) {
            return Ok(self.take_name());
        }
        self.identifier()
    }
}
