//! What stands between the declarations: imports, other constants and types, and comments. Tokens stay as they are, with the line
//! breaks and the indentation between them; several empty lines become one.

use super::writer::Writer;
use crate::lexer::{Lexer, Token, TokenKind};
use crate::source::Span;

impl Writer<'_> {
    /// Writes what stands before a declaration or the end of the text, and begins the line of the declaration.
    pub(super) fn outside(&mut self, to: usize) {
        let from = self.last;
        let tokens = tokens(&self.text[from..to], from);
        let leading = self.leading(&tokens, to);
        for (position, token) in tokens.iter().enumerate() {
            let follows_declaration = position == 0 && from > 0;
            self.token(token, follows_declaration, position < leading);
        }
        if to < self.text.len() {
            let goes_on = tokens.last().is_some_and(|last| last.kind != TokenKind::Comment)
                && !self.text[self.last..to].contains('\n');
            if goes_on {
                self.put(" ");
            } else {
                self.new_line(to);
            }
        }
        self.skip_comments(to);
        self.reached(to);
    }

    /// How many tokens stand before the line of the declaration and the comments directly above it. These keep their indentation.
    fn leading(&self, tokens: &[Token<'_>], to: usize) -> usize {
        let mut place = to;
        let mut leading = tokens.len();
        while let Some(token) = tokens[..leading].last()
            && !self.text[token.span.end..place].contains('\n')
        {
            place = token.span.start;
            leading -= 1;
        }
        while tokens[..leading].last().is_some_and(|token| token.kind == TokenKind::Comment) {
            leading -= 1;
        }
        leading
    }

    fn token(&mut self, token: &Token<'_>, follows_declaration: bool, keeps_indentation: bool) {
        let Span { start, end } = token.span;
        let gap = &self.text[self.last..start];
        let begins_line = gap.contains('\n') || self.ends_with_line_comment();
        if begins_line || follows_declaration && token.kind != TokenKind::Comment {
            self.new_line(start);
            if let Some((_, indentation)) = gap.rsplit_once('\n')
                && keeps_indentation
                && self.has_written()
            {
                let indentation: String = indentation.chars().filter(|it| matches!(it, ' ' | '\t')).collect();
                self.put(&indentation);
            }
        } else if self.has_written() && (!gap.is_empty() || follows_declaration) {
            self.put(" ");
        }
        self.put(self.text[start..end].trim_end());
        self.reached(end);
    }
}

/// The tokens and comments of a part of the text, strings with their quotes.
fn tokens(part: &str, offset: usize) -> Vec<Token<'_>> {
    let mut lexer = Lexer::new(part);
    let mut tokens = Vec::new();
    loop {
        let mut token = lexer.next_or_comment();
        if matches!(token.kind, TokenKind::End | TokenKind::Error(_)) {
            return tokens;
        }
        let quote = usize::from(token.kind == TokenKind::String);
        token.span = Span::new(offset + token.span.start - quote, offset + token.span.end + quote);
        tokens.push(token);
    }
}
