//! The tokens of an expression.
//!
//! Specification: the CEL language definition, section "Syntax". Linear in the length of the text, without recursion.

use super::CompileError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    /// The magnitude: the sign is an operator.
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    /// One of [`SYMBOLS`].
    Symbol(&'static str),
    End,
}

/// Longer symbols stand before their prefixes.
const SYMBOLS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ",", ".", "(", ")", "[", "]",
    "{", "}",
];

/// The tokens with the offsets of their first bytes, and [`Token::End`] at the end.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, CompileError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let at = lexer.at;
        let token = lexer.token()?;
        let ends = token == Token::End;
        tokens.push((at, token));
        if ends {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.find(|it| !accept(it)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// White space, and comments to the end of their line.
    fn skip_space(&mut self) {
        loop {
            self.take_while(|it| matches!(it, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|it| it != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        let Some(first) = self.peek() else { return Ok(Token::End) };
        let second_is_digit = self.rest()[first.len_utf8()..].starts_with(|it: char| it.is_ascii_digit());
        if first.is_ascii_digit() || (first == '.' && second_is_digit) {
            return self.number();
        }
        if first == '"' || first == '\'' {
            return self.string(false);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let name = self.take_while(|it| it.is_ascii_alphanumeric() || it == '_').to_owned();
            if matches!(self.peek(), Some('"' | '\'')) {
                return match name.as_str() {
                    "r" | "R" => self.string(true),
                    _ => Err(CompileError::new(start, format!("strings with the prefix `{name}` are not supported"))),
                };
            }
            return Ok(Token::Name(name));
        }
        if let Some(symbol) = SYMBOLS.into_iter().find(|it| self.rest().starts_with(it)) {
            self.at += symbol.len();
            return Ok(Token::Symbol(symbol));
        }
        Err(CompileError::new(start, format!("unexpected character {first:?}")))
    }

    fn number(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        if self.rest().starts_with("0x") {
            self.at += 2;
            let digits = self.take_while(|it| it.is_ascii_hexdigit()).to_owned();
            return self.integer(start, u64::from_str_radix(&digits, 16).ok());
        }
        self.take_while(|it| it.is_ascii_digit());
        let mut is_double = false;
        let mut rest = self.rest().chars();
        if rest.next() == Some('.') && rest.next().is_some_and(|it| it.is_ascii_digit()) {
            is_double = true;
            self.at += 1;
            self.take_while(|it| it.is_ascii_digit());
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            is_double = true;
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.take_while(|it| it.is_ascii_digit());
        }
        let digits = &self.text[start..self.at];
        if !is_double {
            let value = digits.parse().ok();
            return self.integer(start, value);
        }
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() && !self.continues_a_word() => Ok(Token::Double(value)),
            _ => Err(CompileError::new(start, "not a number")),
        }
    }

    fn integer(&mut self, start: usize, value: Option<u64>) -> Result<Token, CompileError> {
        let unsigned = matches!(self.peek(), Some('u' | 'U'));
        if unsigned {
            self.at += 1;
        }
        match value {
            _ if self.continues_a_word() => Err(CompileError::new(start, "not a number")),
            Some(value) if unsigned => Ok(Token::Uint(value)),
            Some(value) => Ok(Token::Int(value)),
            None => Err(CompileError::new(start, "not an integer of 64 bits")),
        }
    }

    fn continues_a_word(&self) -> bool {
        self.peek().is_some_and(|it| it.is_ascii_alphanumeric() || it == '_')
    }

    fn string(&mut self, raw: bool) -> Result<Token, CompileError> {
        let start = self.at;
        let quote = if self.rest().starts_with('"') { '"' } else { '\'' };
        let triple = self.rest().starts_with(if quote == '"' { "\"\"\"" } else { "'''" });
        let end = if triple { quote.to_string().repeat(3) } else { quote.to_string() };
        self.at += end.len();
        let mut value = String::new();
        loop {
            if self.rest().starts_with(&end) {
                self.at += end.len();
                return Ok(Token::Text(value));
            }
            let at = self.at;
            match self.next() {
                Some('\\') if raw => {
                    value.push('\\');
                    value.extend(self.next());
                }
                Some('\\') => value.push(self.escape(at)?),
                Some('\n' | '\r') if !triple => {
                    return Err(CompileError::new(start, "the string does not end on its line"));
                }
                Some(it) => value.push(it),
                None => return Err(CompileError::new(start, "the string does not end")),
            }
        }
    }

    /// After the backslash at `at`.
    fn escape(&mut self, at: usize) -> Result<char, CompileError> {
        let escaped = match self.next() {
            Some(it @ ('\\' | '?' | '"' | '\'' | '`')) => Some(it),
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('v') => Some('\u{b}'),
            Some('x' | 'X') => self.code_point(2, 16),
            Some('u') => self.code_point(4, 16),
            Some('U') => self.code_point(8, 16),
            Some('0'..='3') => {
                self.at -= 1;
                self.code_point(3, 8)
            }
            _ => None,
        };
        escaped.ok_or_else(|| CompileError::new(at, "unknown escape sequence; write \\\\ for a backslash"))
    }

    fn code_point(&mut self, digits: usize, radix: u32) -> Option<char> {
        let text = self.rest().get(..digits)?;
        if !text.chars().all(|it| it.is_digit(radix)) {
            return None;
        }
        let value = char::from_u32(u32::from_str_radix(text, radix).ok()?);
        self.at += digits;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Token, CompileError> {
        tokens(text).map(|tokens| tokens[0].1.clone())
    }

    #[test]
    fn strings_are_read_with_their_escapes() {
        let text = |text: &str| Ok(Token::Text(text.to_owned()));
        assert_eq!(one(r#""a\n\x41\u00e9\U0001F600\101\"" "#), text("a\nAé😀A\""));
        assert_eq!(one(r"r'\d+'"), text(r"\d+"));
        assert_eq!(one("'''a\n'b'''"), text("a\n'b"));
        assert_eq!(one("''"), text(""));
        for wrong in ["'a", "'a\nb'", r"'\z'", r"'\u12'", r"'\ud800'", "b'a'", "'''a''", r"'\"] {
            assert!(one(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_have_a_type_and_a_range() {
        assert_eq!(one("0x1F"), Ok(Token::Int(31)));
        assert_eq!(one("7u"), Ok(Token::Uint(7)));
        assert_eq!(one("1.5e3"), Ok(Token::Double(1500.0)));
        assert_eq!(one(".5"), Ok(Token::Double(0.5)));
        for wrong in ["18446744073709551616", "1e", "1e999", "12abc", "0x", "1.5u"] {
            assert!(one(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_error_has_the_offset_of_its_token() {
        assert_eq!(tokens("é").map_err(|it| it.at), Err(0));
        assert_eq!(tokens("'é' == #").map_err(|it| it.at), Err(8));
    }
}
