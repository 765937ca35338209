//! The tokens of the language.
//!
//! Specification: the lexer of Ory Keto 26.3. Identifiers are ASCII; strings have no escapes and may contain newlines; block
//! comments do not nest; only four words are keywords, all others are identifiers that the parser compares.
//!
//! Invariants: tokens follow each other without overlap; after the end or an error only that token comes.

use std::fmt;

use logos::Logos;

use crate::source::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    /// The text of the token; of a string, what is between the quotes; of an error, the rest of the input.
    pub(crate) text: &'a str,
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Error(LexicalError),
    End,
    Identifier,
    String,
    Comment,
    Keyword(Keyword),
    Symbol(Symbol),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Class,
    Implements,
    This,
    Ctx,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    And,
    Or,
    Not,
    Assign,
    Arrow,
    Dot,
    Colon,
    Comma,
    Semicolon,
    Pipe,
    ParenOpen,
    ParenClose,
    BraceOpen,
    BraceClose,
    BracketOpen,
    BracketClose,
    AngleOpen,
    AngleClose,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LexicalError {
    #[default]
    UnexpectedCharacter,
    UnclosedComment,
    UnclosedString,
}

impl Symbol {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
            Self::Not => "!",
            Self::Assign => "=",
            Self::Arrow => "=>",
            Self::Dot => ".",
            Self::Colon => ":",
            Self::Comma => ",",
            Self::Semicolon => ";",
            Self::Pipe => "|",
            Self::ParenOpen => "(",
            Self::ParenClose => ")",
            Self::BraceOpen => "{",
            Self::BraceClose => "}",
            Self::BracketOpen => "[",
            Self::BracketClose => "]",
            Self::AngleOpen => "<",
            Self::AngleClose => ">",
        }
    }

    /// Whether it is the first of a pair of brackets.
    pub(crate) fn opens(self) -> bool {
        matches!(self, Self::ParenOpen | Self::BraceOpen | Self::BracketOpen | Self::AngleOpen)
    }

    /// Whether it is the second of a pair of brackets.
    pub(crate) fn closes(self) -> bool {
        matches!(self, Self::ParenClose | Self::BraceClose | Self::BracketClose | Self::AngleClose)
    }
}

/// The name of a kind in messages.
impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error(_) => "Error",
            Self::End => "EOF",
            Self::Identifier => "Identifier",
            Self::String => "StringLiteral",
            Self::Comment => "Comment",
            Self::Keyword(Keyword::Class) => "KeywordClass",
            Self::Keyword(Keyword::Implements) => "KeywordImplements",
            Self::Keyword(Keyword::This) => "KeywordThis",
            Self::Keyword(Keyword::Ctx) => "KeywordCtx",
            Self::Symbol(symbol) => return write!(f, "\"{}\"", symbol.text()),
        })
    }
}

/// What the generated lexer recognizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Logos)]
#[logos(error = LexicalError)]
#[logos(skip r"[\t\n\x0B\x0C\r ]+")]
enum Raw {
    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    #[token("\"", |lexer| string(lexer, '"'))]
    #[token("'", |lexer| string(lexer, '\''))]
    String,
    #[token("//", line_comment)]
    #[token("/*", block_comment)]
    Comment,
    #[token("&&", |_| Symbol::And)]
    #[token("||", |_| Symbol::Or)]
    #[token("!", |_| Symbol::Not)]
    #[token("=", |_| Symbol::Assign)]
    #[token("=>", |_| Symbol::Arrow)]
    #[token(".", |_| Symbol::Dot)]
    #[token(":", |_| Symbol::Colon)]
    #[token(",", |_| Symbol::Comma)]
    #[token(";", |_| Symbol::Semicolon)]
    #[token("|", |_| Symbol::Pipe)]
    #[token("(", |_| Symbol::ParenOpen)]
    #[token(")", |_| Symbol::ParenClose)]
    #[token("{", |_| Symbol::BraceOpen)]
    #[token("}", |_| Symbol::BraceClose)]
    #[token("[", |_| Symbol::BracketOpen)]
    #[token("]", |_| Symbol::BracketClose)]
    #[token("<", |_| Symbol::AngleOpen)]
    #[token(">", |_| Symbol::AngleClose)]
    Symbol(Symbol),
}

/// Consumes a string after its opening quote.
fn string(lexer: &mut logos::Lexer<'_, Raw>, quote: char) -> Result<(), LexicalError> {
    let length = lexer.remainder().find(quote);
    lexer.bump(length.map_or(lexer.remainder().len(), |length| length + 1));
    length.map(|_| ()).ok_or(LexicalError::UnclosedString)
}

/// Consumes a comment to the end of its line.
fn line_comment(lexer: &mut logos::Lexer<'_, Raw>) {
    lexer.bump(lexer.remainder().find('\n').unwrap_or(lexer.remainder().len()));
}

/// Consumes a comment after its opening.
fn block_comment(lexer: &mut logos::Lexer<'_, Raw>) -> Result<(), LexicalError> {
    let length = lexer.remainder().find("*/");
    lexer.bump(length.map_or(lexer.remainder().len(), |length| length + 2));
    length.map(|_| ()).ok_or(LexicalError::UnclosedComment)
}

/// Some editors begin a file with it. Anywhere else it is no token.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads tokens, one by one. A clone reads ahead.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    raw: logos::Lexer<'a, Raw>,
    /// The error that ended the text.
    failed: Option<Token<'a>>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut raw = Raw::lexer(text);
        if text.starts_with(BYTE_ORDER_MARK) {
            raw.bump(BYTE_ORDER_MARK.len_utf8());
        }
        Self { raw, failed: None }
    }

    /// The next token that is not a comment.
    pub(crate) fn next(&mut self) -> Token<'a> {
        loop {
            let token = self.next_or_comment();
            if token.kind != TokenKind::Comment {
                return token;
            }
        }
    }

    pub(crate) fn next_or_comment(&mut self) -> Token<'a> {
        if let Some(failed) = self.failed {
            return failed;
        }
        let Some(raw) = self.raw.next() else {
            let end = self.raw.source().len();
            return Token { kind: TokenKind::End, text: "", span: Span::new(end, end) };
        };
        let (slice, range) = (self.raw.slice(), self.raw.span());
        let span = Span::new(range.start, range.end);
        let kind = match raw {
            Ok(Raw::Word) => keyword(slice).map_or(TokenKind::Identifier, TokenKind::Keyword),
            Ok(Raw::String) => {
                let inside = Span::new(span.start + 1, span.end - 1);
                return Token { kind: TokenKind::String, text: &slice[1..slice.len() - 1], span: inside };
            }
            Ok(Raw::Comment) => TokenKind::Comment,
            Ok(Raw::Symbol(symbol)) => TokenKind::Symbol(symbol),
            Err(error) => return self.fail(error, span),
        };
        Token { kind, text: slice, span }
    }

    fn fail(&mut self, error: LexicalError, span: Span) -> Token<'a> {
        let source: &'a str = self.raw.source();
        let (text, span) = match error {
            LexicalError::UnexpectedCharacter => (&source[span.start..], Span::new(span.start, span.start)),
            LexicalError::UnclosedComment => ("", Span::new(span.start, source.len())),
            LexicalError::UnclosedString => ("", Span::new(span.start + 1, source.len())),
        };
        *self.failed.insert(Token { kind: TokenKind::Error(error), text, span })
    }
}

fn keyword(word: &str) -> Option<Keyword> {
    match word {
        "class" => Some(Keyword::Class),
        "implements" => Some(Keyword::Implements),
        "this" => Some(Keyword::This),
        "ctx" => Some(Keyword::Ctx),
        _ => None,
    }
}

/// Whether a name can be written without quotes.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && keyword(name).is_none()
}

#[cfg(test)]
mod tests;
