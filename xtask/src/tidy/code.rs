//! Splits Rust source into code and string literals, as far as the rules need it. Comments are removed. This is not a parser:
//! it recognizes strings, raw strings, characters, lifetimes and nested comments.

/// One source file.
pub(super) struct Code {
    /// The text line by line, with comments and the content of strings blanked.
    pub(super) lines: Vec<String>,
    pub(super) strings: Vec<Literal>,
}

/// A string literal and the line on which it begins, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) line: usize,
    pub(super) text: String,
}

impl Code {
    pub(super) fn read(text: &str) -> Self {
        let mut reader = Reader { rest: text, code: String::with_capacity(text.len()), strings: Vec::new(), line: 1 };
        while reader.step() {}
        Self { lines: reader.code.lines().map(str::to_owned).collect(), strings: reader.strings }
    }

    /// The lines, counted from 1, that contain `path` as a whole path and not as a part of a longer word.
    pub(super) fn lines_naming(&self, path: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            if names(line, path) {
                found.push(index + 1);
            }
        }
        found
    }

    /// The code without the items that only tests have. Line breaks are kept.
    pub(super) fn shipped(&self) -> String {
        const TEST: &str = "#[cfg(test)]";
        let text = self.lines.join("\n");
        let (mut kept, mut rest) = (String::with_capacity(text.len()), text.as_str());
        while let Some(start) = rest.find(TEST) {
            kept.push_str(&rest[..start]);
            let end = start + TEST.len() + item_length(&rest[start + TEST.len()..]);
            kept.extend(rest[start..end].chars().filter(|it| *it == '\n'));
            rest = &rest[end..];
        }
        kept + rest
    }
}

/// The length of the item that begins here: to its semicolon, or to the brace that closes its body.
fn item_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (index, character) in text.char_indices() {
        match character {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // The `}` of a list of imports is followed by the semicolon.
        let is_end = character == ';' || (character == '}' && !text[index + 1..].trim_start().starts_with(';'));
        if depth == 0 && is_end {
            return index + 1;
        }
    }
    text.len()
}

fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + path.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

struct Reader<'a> {
    rest: &'a str,
    code: String,
    strings: Vec<Literal>,
    line: usize,
}

impl Reader<'_> {
    /// Processes one token; returns false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(comment_length(self.rest));
        } else if let Some(hashes) = self.raw_string_hashes() {
            self.raw_string(hashes);
        } else if first == '"' {
            self.string();
        } else if let Some(length) = character_length(self.rest) {
            self.skip(length);
        } else {
            self.keep(first.len_utf8());
        }
        true
    }

    fn keep(&mut self, length: usize) {
        let (piece, rest) = self.rest.split_at(length);
        self.line += piece.matches('\n').count();
        self.code.push_str(piece);
        self.rest = rest;
    }

    /// Skips a token, but keeps its line breaks, so that line numbers stay correct.
    fn skip(&mut self, length: usize) {
        let (piece, rest) = self.rest.split_at(length);
        for _ in piece.matches('\n') {
            self.code.push('\n');
            self.line += 1;
        }
        self.rest = rest;
    }

    /// The number of `#` if a raw string begins here.
    fn raw_string_hashes(&self) -> Option<usize> {
        if self.code.chars().next_back().is_some_and(is_word) {
            return None; // the `r` ends an identifier
        }
        let after = self.rest.strip_prefix("br").or_else(|| self.rest.strip_prefix('r'))?;
        let hashes = after.len() - after.trim_start_matches('#').len();
        after[hashes..].starts_with('"').then_some(hashes)
    }

    fn raw_string(&mut self, hashes: usize) {
        let open = self.rest.find('"').map_or(self.rest.len(), |index| index + 1);
        let close = format!("\"{}", "#".repeat(hashes));
        let length = self.rest[open..].find(&close).unwrap_or(self.rest.len() - open);
        let end = (open + length + close.len()).min(self.rest.len());
        self.strings.push(Literal { line: self.line, text: self.rest[open..open + length].to_owned() });
        self.skip(end);
    }

    fn string(&mut self) {
        let mut escaped = false;
        let end = self.rest[1..].find(|character| {
            let closes = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            closes
        });
        let end = end.map_or(self.rest.len(), |index| index + 1);
        self.strings.push(Literal { line: self.line, text: self.rest[1..end].to_owned() });
        self.skip((end + 1).min(self.rest.len()));
    }
}

/// The length of a block comment, which can be nested.
fn comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut index = 0;
    while index < text.len() {
        let rest = &text[index..];
        if rest.starts_with("/*") {
            depth += 1;
            index += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            index += 2;
            if depth == 0 {
                return index;
            }
        } else {
            index += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the character literal that begins here; `None` for a lifetime.
fn character_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if let Some(escape) = inside.strip_prefix('\\') {
        let skipped = escape.chars().next()?.len_utf8();
        return escape[skipped..].find('\'').map(|end| 2 + skipped + end + 1);
    }
    let length = inside.chars().next()?.len_utf8();
    inside[length..].starts_with('\'').then_some(length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let code =
            Code::read("use axum; // axum\n/* a /* b */ axum */ let x = \"axum \\\" here\"; 'a' '\\''\nfn f<'a>() {}");
        assert_eq!(code.lines_naming("axum"), [1]);
        assert_eq!(code.strings, [Literal { line: 2, text: "axum \\\" here".into() }]);
        assert_eq!(code.lines[2], "fn f<'a>() {}");
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        let code = Code::read("let a = r#\"one \"two\" \n three\"#;\nlet b = br\"x\"; for\"y\"");
        let texts: Vec<_> = code.strings.iter().map(|literal| (literal.line, literal.text.as_str())).collect();
        assert_eq!(texts, [(1, "one \"two\" \n three"), (3, "x"), (3, "y")]);
    }

    #[test]
    fn items_of_tests_are_not_shipped() {
        let text = "#[cfg(test)]\nuse a::{B, C};\nfn d() {}\n#[cfg(test)]\n#[expect(e)]\nmod f {\n    fn g() { [h; 2] }\n}\nfn i() {}";
        assert_eq!(Code::read(text).shipped(), "\n\nfn d() {}\n\n\n\n\n\nfn i() {}");
    }

    #[test]
    fn only_a_whole_path_is_found() {
        let code = Code::read("use axum_extra::A;\nlet crate_env = 1;\nlet a = axum::Router::new();");
        assert_eq!(code.lines_naming("axum"), [3]);
    }
}
