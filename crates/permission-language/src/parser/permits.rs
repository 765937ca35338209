//! A block of permits.

use super::{Parsed, Parser};
use crate::lexer::{Keyword, Symbol, TokenKind};
use crate::source::Span;
use crate::syntax::{Block, Members, Permit};

const PERMITS: &str = "permits = { NAME: (ctx: Context): boolean => EXPRESSION, … }";
const PERMIT: &str = "NAME: (ctx: Context): boolean => EXPRESSION";

impl<'a> Parser<'a> {
    pub(super) fn permits(&mut self) -> Parsed<Block<'a>> {
        self.form = PERMITS;
        let start = self.advance().span;
        self.symbol(Symbol::Assign)?;
        let open = self.symbol(Symbol::BraceOpen)?;
        let mut permits = Vec::new();
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::Symbol(Symbol::BraceClose) => {
                    self.advance();
                    let members = Members::Permits(permits);
                    return Ok(Block { members, open, span: Span::new(start.start, self.end) });
                }
                TokenKind::Identifier | TokenKind::String => permits.push(self.permit()?),
                _ => return Err(self.no_member(token)),
            }
            self.form = PERMITS;
        }
    }

    fn permit(&mut self) -> Parsed<Permit<'a>> {
        self.form = PERMIT;
        let name = self.take_name();
        self.symbol(Symbol::Colon)?;
        self.symbol(Symbol::ParenOpen)?;
        self.keyword(Keyword::Ctx)?;
        let has_context_type = self.optional(Symbol::Colon);
        if has_context_type {
            self.word("Context")?;
        }
        self.symbol(Symbol::ParenClose)?;
        let has_return_type = self.optional(Symbol::Colon);
        if has_return_type {
            self.word("boolean")?;
        }
        self.symbol(Symbol::Arrow)?;
        self.alternations = 0;
        let expression = self.sequence(Symbol::Comma, self.nesting)?;
        let end = self.end;
        self.optional(Symbol::Comma);
        Ok(Permit { name, has_context_type, has_return_type, expression, end })
    }
}
