//! Parses one file to its syntax tree, by recursive descent.
//!
//! Specification: the grammar of Ory Keto 26.3 (in the README), and conditions, which are ours. After a syntax error the parser
//! goes on at the next `class`, which no class contains, so that one call reports an error of each class.
//!
//! Invariants: each token is read a bounded number of times; recursion is bounded by [`Limits::nesting`]; a file with a problem
//! has no tree.

mod expression;
mod permits;
mod types;

use crate::lexer::{Keyword, Lexer, LexicalError, Symbol, Token, TokenKind};
use crate::limits::{Limits, MAX_NESTING, MAX_PROBLEMS};
use crate::positions::position;
use crate::problem::{Kind, Problem, quote};
use crate::source::Span;
use crate::syntax::{Block, Class, Condition, Declaration, File, Members, Name};

type Parsed<T> = Result<T, Problem>;

/// Parses the file at a position of the list of files.
pub(crate) fn parse_file<'a>(file: usize, text: &'a str, limits: &Limits) -> Result<File<'a>, Vec<Problem>> {
    if text.len() > limits.file_bytes {
        return Err(vec![too_large(file, text.len(), limits.file_bytes)]);
    }
    let mut parser = Parser {
        text,
        lexer: Lexer::new(text),
        ahead: None,
        declaration: 0,
        end: 0,
        file,
        nesting: limits.nesting.min(MAX_NESTING),
        alternations: 0,
        form: CLASS,
    };
    parser.file()
}

fn too_large(file: usize, bytes: usize, limit: usize) -> Problem {
    Problem {
        kind: Kind::TooLarge,
        file,
        span: Span::default(),
        message: format!("the file has {bytes} bytes, and at most {limit} are allowed"),
        remedy: "split it into several files, which are read as one model".into(),
    }
}

const CLASS: &str = "class NAME implements Namespace { related: { … } permits = { … } }";
const RELATED: &str = "related: { NAME: TYPE[] … }";
const CONDITION: &str = "const NAME: Condition = \"EXPRESSION\"";

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    ahead: Option<Token<'a>>,
    /// Where the present class or condition begins.
    declaration: usize,
    /// Where the last consumed token ends, with its closing quote.
    end: usize,
    file: usize,
    nesting: usize,
    /// How often `&&` and `||` alternate in the present permit.
    alternations: usize,
    /// The form of what is being parsed, for remedies.
    form: &'static str,
}

impl<'a> Parser<'a> {
    fn file(&mut self) -> Result<File<'a>, Vec<Problem>> {
        let mut declarations = Vec::new();
        let mut problems = Vec::new();
        loop {
            let token = self.peek();
            let declaration = match token.kind {
                TokenKind::End => break,
                TokenKind::Error(_) => {
                    // After another error, the rest of the file was skipped.
                    if problems.is_empty() {
                        problems.push(self.unexpected(token, String::new()));
                    }
                    break;
                }
                TokenKind::Keyword(Keyword::Class) => self.class().map(Declaration::Class),
                TokenKind::Identifier if token.text == "const" && self.begins_condition() => {
                    self.condition().map(Declaration::Condition)
                }
                _ => {
                    self.advance();
                    continue;
                }
            };
            match declaration {
                Ok(declaration) => declarations.push(declaration),
                Err(problem) => {
                    problems.push(problem);
                    if problems.len() == MAX_PROBLEMS {
                        break;
                    }
                    self.skip_to_class();
                }
            }
        }
        if problems.is_empty() { Ok(File { declarations }) } else { Err(problems) }
    }

    fn skip_to_class(&mut self) {
        while !matches!(self.peek().kind, TokenKind::Keyword(Keyword::Class) | TokenKind::End | TokenKind::Error(_)) {
            self.advance();
        }
    }

    /// Whether a `const` declares a condition. Other constants are skipped, as everything else outside of classes.
    fn begins_condition(&self) -> bool {
        let mut ahead = self.lexer.clone();
        let [name, colon, kind] = [(); 3].map(|()| ahead.next());
        name.kind == TokenKind::Identifier
            && colon.kind == TokenKind::Symbol(Symbol::Colon)
            && (kind.kind, kind.text) == (TokenKind::Identifier, "Condition")
    }

    fn condition(&mut self) -> Parsed<Condition<'a>> {
        self.form = CONDITION;
        let start = self.advance().span;
        self.declaration = start.start;
        let name = self.identifier()?;
        self.symbol(Symbol::Colon)?;
        self.word("Condition")?;
        self.symbol(Symbol::Assign)?;
        let expression = self.quoted()?;
        self.optional(Symbol::Semicolon);
        Ok(Condition { name, expression, span: Span::new(start.start, self.end) })
    }

    fn class(&mut self) -> Parsed<Class<'a>> {
        self.form = CLASS;
        let start = self.advance().span;
        self.declaration = start.start;
        let name = match self.name() {
            Ok(name) => name,
            Err(problem) => {
                // What stands in the place of the name does not begin the next class.
                self.advance();
                return Err(problem);
            }
        };
        self.keyword(Keyword::Implements)?;
        self.word("Namespace")?;
        let open = self.symbol(Symbol::BraceOpen)?;
        let mut blocks = Vec::new();
        loop {
            let token = self.peek();
            match (token.kind, token.text) {
                (TokenKind::Symbol(Symbol::BraceClose), _) => {
                    self.advance();
                    return Ok(Class { name, blocks, open, span: Span::new(start.start, self.end) });
                }
                (TokenKind::Symbol(Symbol::Semicolon), _) => {
                    self.advance();
                }
                (TokenKind::Identifier, "related") => blocks.push(self.related()?),
                (TokenKind::Identifier, "permits") => blocks.push(self.permits()?),
                _ => {
                    let message = format!("expected 'permits' or 'related', got {}", quote(token.text));
                    return Err(self.unexpected(token, message));
                }
            }
            self.form = CLASS;
        }
    }

    fn related(&mut self) -> Parsed<Block<'a>> {
        self.form = RELATED;
        let start = self.advance().span;
        self.symbol(Symbol::Colon)?;
        let open = self.symbol(Symbol::BraceOpen)?;
        let mut relations = Vec::new();
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::Symbol(Symbol::BraceClose) => {
                    self.advance();
                    let members = Members::Related(relations);
                    return Ok(Block { members, open, span: Span::new(start.start, self.end) });
                }
                TokenKind::Symbol(Symbol::Semicolon) => {
                    self.advance();
                }
                TokenKind::Identifier | TokenKind::String => relations.push(self.relation()?),
                _ => return Err(self.no_member(token)),
            }
            self.form = RELATED;
        }
    }

    fn no_member(&self, token: Token<'a>) -> Problem {
        self.unexpected(token, format!("expected identifier or '}}', got {} {}", token.kind, quote(token.text)))
    }
}

/// The tokens.
impl<'a> Parser<'a> {
    fn peek(&mut self) -> Token<'a> {
        *self.ahead.get_or_insert_with(|| self.lexer.next())
    }

    fn advance(&mut self) -> Token<'a> {
        let token = self.ahead.take().unwrap_or_else(|| self.lexer.next());
        self.end = token.span.end + usize::from(token.kind == TokenKind::String);
        token
    }

    fn is_next(&mut self, symbol: Symbol) -> bool {
        self.peek().kind == TokenKind::Symbol(symbol)
    }

    fn optional(&mut self, symbol: Symbol) -> bool {
        let is_next = self.is_next(symbol);
        if is_next {
            self.advance();
        }
        is_next
    }

    fn symbol(&mut self, symbol: Symbol) -> Parsed<Span> {
        let token = self.peek();
        if token.kind == TokenKind::Symbol(symbol) {
            return Ok(self.advance().span);
        }
        Err(self.expected(symbol.text(), token))
    }

    fn keyword(&mut self, keyword: Keyword) -> Parsed<()> {
        let token = self.peek();
        if token.kind == TokenKind::Keyword(keyword) {
            self.advance();
            return Ok(());
        }
        let text = match keyword {
            Keyword::Class => "class",
            Keyword::Implements => "implements",
            Keyword::This => "this",
            Keyword::Ctx => "ctx",
        };
        Err(self.expected(text, token))
    }

    /// An identifier with a certain text.
    fn word(&mut self, word: &str) -> Parsed<()> {
        let token = self.peek();
        if token.kind == TokenKind::Identifier && token.text == word {
            self.advance();
            return Ok(());
        }
        Err(self.expected(word, token))
    }

    /// A name, with or without quotes.
    fn name(&mut self) -> Parsed<Name<'a>> {
        let token = self.peek();
        if matches!(token.kind, TokenKind::Identifier | TokenKind::String) {
            return Ok(self.take_name());
        }
        Err(self.unexpected(token, format!("expected identifier, got {}", token.kind)))
    }

    fn identifier(&mut self) -> Parsed<Name<'a>> {
        let token = self.peek();
        if token.kind == TokenKind::Identifier {
            return Ok(self.take_name());
        }
        Err(self.unexpected(token, format!("expected identifier, got {}", token.kind)))
    }

    fn quoted(&mut self) -> Parsed<Name<'a>> {
        let token = self.peek();
        if token.kind == TokenKind::String {
            return Ok(self.take_name());
        }
        Err(self.unexpected(token, format!("expected a string literal, got {}", quote(token.text))))
    }

    fn take_name(&mut self) -> Name<'a> {
        let token = self.advance();
        Name { text: token.text, span: token.span }
    }

    fn expected(&self, text: &str, token: Token<'a>) -> Problem {
        self.unexpected(token, format!("expected {}, got {}", quote(text), quote(token.text)))
    }

    /// The problem of a token that does not fit, or that is none.
    fn unexpected(&self, token: Token<'a>, message: String) -> Problem {
        let TokenKind::Error(error) = token.kind else {
            let remedy = match token.kind {
                TokenKind::End => format!("{}; the form is: {}", self.what_the_end_cuts(), self.form),
                _ => format!("the form is: {}", self.form),
            };
            return Problem { kind: Kind::Syntax, file: self.file, span: token.span, message, remedy };
        };
        let character = token.text.chars().next().unwrap_or_default();
        let (what, remedy) = match error {
            LexicalError::UnexpectedCharacter => (format!("unexpected token {character}"), remedy_for(character)),
            LexicalError::UnclosedComment => ("unclosed comment".into(), "close the comment with */"),
            LexicalError::UnclosedString => {
                ("unclosed string literal".into(), "close the string with the quote that opens it")
            }
        };
        let message = format!("fatal: at {}: {what}", quote(token.text));
        Problem { kind: Kind::Syntax, file: self.file, span: token.span, message, remedy: remedy.into() }
    }

    /// The message of the end is Keto's, which shows a token without a text, so the remedy says what is there. What was parsed has
    /// a closing bracket for each other opening one.
    fn what_the_end_cuts(&self) -> String {
        let mut lexer = Lexer::new(&self.text[self.declaration..]);
        let mut open = Vec::new();
        loop {
            let token = lexer.next();
            match token.kind {
                TokenKind::Symbol(symbol) if symbol.opens() => open.push(token),
                TokenKind::Symbol(symbol) if symbol.closes() => {
                    open.pop();
                }
                TokenKind::End | TokenKind::Error(_) => break,
                _ => {}
            }
        }
        match open.last() {
            Some(bracket) => {
                let line = position(self.text, self.declaration + bracket.span.start).line;
                format!("the file ends here, and the {} in line {line} is not closed", quote(bracket.text))
            }
            None => "the file ends here, before this declaration is complete".to_owned(),
        }
    }
}

fn remedy_for(character: char) -> &'static str {
    match character {
        '&' => "write && for \"and\"",
        '`' => "write strings with \" or '",
        '*' => "import names one by one: import { Namespace, Context } from \"…\"",
        '=' | '+' | '-' | '?' | '%' | '^' | '~' => "the language has no such operator; use &&, || and !",
        it if it.is_ascii_digit() => "names do not begin with digits, and the language has no numbers",
        it if !it.is_ascii() => "names have the characters A-Z, a-z, 0-9 and _; put another name in quotes",
        _ => "remove the character, or put the name that contains it in quotes",
    }
}

#[cfg(test)]
mod tests;
