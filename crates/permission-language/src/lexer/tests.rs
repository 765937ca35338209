use super::*;

/// The tokens of a text as kinds and texts, with comments, up to the end or an error.
fn lex(text: &str) -> Vec<(String, &str)> {
    let mut lexer = Lexer::new(text);
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next_or_comment();
        tokens.push((token.kind.to_string(), token.text));
        if matches!(token.kind, TokenKind::End | TokenKind::Error(_)) {
            return tokens;
        }
    }
}

fn texts(text: &str) -> Vec<&str> {
    lex(text).into_iter().map(|(_, text)| text).collect()
}

fn error(text: &str) -> Token<'_> {
    let mut lexer = Lexer::new(text);
    loop {
        let token = lexer.next();
        match token.kind {
            TokenKind::Error(_) => {
                assert_eq!(lexer.next(), token, "an error ends the text");
                return token;
            }
            TokenKind::End => panic!("no error in {text:?}"),
            _ => {}
        }
    }
}

#[test]
fn an_empty_text_has_only_its_end() {
    assert_eq!(lex(""), [("EOF".into(), "")]);
    assert_eq!(lex(" \t\n\u{b}\u{c}\r"), [("EOF".into(), "")]);
    let mut lexer = Lexer::new("a ");
    lexer.next();
    assert_eq!(lexer.next().span, Span::new(2, 2));
    assert_eq!(lexer.next().kind, TokenKind::End, "the end comes again");
}

#[test]
fn comments_are_tokens_of_their_own() {
    let text = "/**/ /** a\n * b\n */ class // to the end\r\n/* ünï\n\tcode ß */ x";
    assert_eq!(texts(text), ["/**/", "/** a\n * b\n */", "class", "// to the end\r", "/* ünï\n\tcode ß */", "x", ""]);
    assert_eq!(texts("// at the end"), ["// at the end", ""]);
    assert_eq!(texts("/* /* */ a"), ["/* /* */", "a", ""], "block comments do not nest");
    let mut lexer = Lexer::new("/* a */ b // c");
    assert_eq!((lexer.next().text, lexer.next().kind), ("b", TokenKind::End), "and the parser does not see them");
}

#[test]
fn an_import_is_tokens() {
    let text = "import { Alpha, Beta } from '@example/types'";
    assert_eq!(texts(text), ["import", "{", "Alpha", ",", "Beta", "}", "from", "@example/types", ""]);
}

#[test]
fn only_four_words_are_keywords() {
    let kinds: Vec<String> =
        lex("class implements this ctx related permits includes Classes _1").into_iter().map(|it| it.0).collect();
    let keywords = ["KeywordClass", "KeywordImplements", "KeywordThis", "KeywordCtx"];
    assert_eq!(kinds[..4], keywords);
    assert_eq!(kinds[4..], ["Identifier", "Identifier", "Identifier", "Identifier", "Identifier", "EOF"]);
}

#[test]
fn symbols_take_as_many_characters_as_they_can() {
    assert_eq!(texts("a=>b=c||d|e&&!f"), ["a", "=>", "b", "=", "c", "||", "d", "|", "e", "&&", "!", "f", ""]);
    assert_eq!(texts(":.()[]{}<>,;"), [":", ".", "(", ")", "[", "]", "{", "}", "<", ">", ",", ";", ""]);
    assert_eq!(texts("|||"), ["||", "|", ""]);
}

#[test]
fn a_string_is_what_is_between_its_quotes() {
    let mut lexer = Lexer::new("  'a \"b\"\nc\\' \"\" \"it's\" ");
    let first = lexer.next();
    assert_eq!((first.text, first.span), ("a \"b\"\nc\\", Span::new(3, 11)), "no escapes, and newlines are allowed");
    assert_eq!(lexer.next().text, "");
    assert_eq!(lexer.next().text, "it's");
    assert_eq!(lex("'ä// no comment'"), [("StringLiteral".into(), "ä// no comment"), ("EOF".into(), "")]);
}

#[test]
fn what_is_no_token_is_an_error_with_the_rest_of_the_text() {
    for (text, rest) in [
        ("a 1b", "1b"),
        ("* as x", "* as x"),
        ("a & b", "& b"),
        ("a ü", "ü"),
        ("`x`", "`x`"),
        ("a -", "-"),
        ("/", "/"),
        ("\u{feff}class \u{feff}", "\u{feff}"),
    ] {
        let token = error(text);
        assert_eq!(token.kind, TokenKind::Error(LexicalError::UnexpectedCharacter), "{text}");
        assert_eq!(token.text, rest);
        let at = text.len() - rest.len();
        assert_eq!(token.span, Span::new(at, at), "it is at the character");
    }
}

#[test]
fn what_is_not_closed_reaches_to_the_end() {
    let comment = error("a /* b");
    assert_eq!(comment.kind, TokenKind::Error(LexicalError::UnclosedComment));
    assert_eq!((comment.text, comment.span), ("", Span::new(2, 6)));
    assert_eq!(error("/*/").kind, TokenKind::Error(LexicalError::UnclosedComment));
    for text in ["a 'b", "a \"b'"] {
        let string = error(text);
        assert_eq!(string.kind, TokenKind::Error(LexicalError::UnclosedString));
        assert_eq!((string.text, string.span), ("", Span::new(3, text.len())));
    }
}

#[test]
fn identifiers_need_no_quotes() {
    assert!(is_identifier("a") && is_identifier("_A9"));
    for name in ["", "9a", "a.b", "ä", "class", "this", "ctx", "implements", "a b"] {
        assert!(!is_identifier(name), "{name}");
    }
}
