use super::*;

fn at(line: usize, column: usize) -> Position {
    Position { line, column }
}

#[test]
fn people_count_lines_and_characters_from_one() {
    let text = "ab\näöü x\r\n\n";
    assert_eq!(position(text, 0), at(1, 1));
    assert_eq!(position(text, 2), at(1, 3), "the newline is the last character of its line");
    assert_eq!(position(text, 3), at(2, 1));
    assert_eq!(position(text, 10), at(2, 5), "a character of two bytes is one column");
    assert_eq!(position(text, 4), at(2, 1), "a place inside a character is that character");
    assert_eq!(position(text, text.len()), at(4, 1));
    assert_eq!(position(text, 1000), at(4, 1), "a place beyond the text is its end");
    assert_eq!(position("", 0), at(1, 1));
}

#[test]
fn keto_counts_the_characters_before_a_place() {
    let text = "ab cd\nef gh";
    assert_eq!(keto_position(text, 3), at(1, 3));
    assert_eq!(keto_position(text, 5), at(1, 5));
    assert_eq!(keto_position(text, 9), at(2, 3));
    assert_eq!(keto_position(text, 11), at(2, 5), "the end of the text");
}

#[test]
fn keto_reports_the_first_place_in_column_one() {
    assert_eq!(keto_position("abc", 0), at(1, 1));
    assert_eq!(keto_position("abc", 1), at(1, 1));
    assert_eq!(keto_position("", 0), at(1, 0), "an empty text has no first character");
}

#[test]
fn keto_reports_the_beginning_of_a_line_past_the_end_of_the_line_before() {
    let text = "ab\ncd\n\nef";
    assert_eq!(keto_position(text, 3), at(1, 3));
    assert_eq!(keto_position(text, 6), at(2, 3));
    assert_eq!(keto_position(text, 7), at(3, 1));
    assert_eq!(keto_position(text, 8), at(4, 1));
}

#[test]
fn keto_takes_bytes_for_characters() {
    // `x` is at byte 4 and character 2, so it is reported two characters on.
    assert_eq!(keto_position("ääx yz", 4), at(1, 4));
    // Beyond the last character it stays at the end, and a newline there begins a line.
    assert_eq!(keto_position("äb", 3), at(1, 2));
    assert_eq!(keto_position("ä\n", 3), at(2, 0));
}

#[test]
fn an_excerpt_marks_the_span() {
    assert_eq!(excerpt("a\n  bcd e\nf", Span::new(4, 7)), "    2 |   bcd e\n      |   ^~~\n");
    assert_eq!(excerpt("ab", Span::new(2, 2)), "    1 | ab\n      |   ^\n", "an empty span is one mark");
    assert_eq!(excerpt("äöü x", Span::new(7, 8)), "    1 | äöü x\n      |     ^\n");
    assert_eq!(excerpt("", Span::new(0, 0)), "    1 | \n      | ^\n");
}

#[test]
fn an_excerpt_keeps_tabs_and_hides_what_moves_the_cursor() {
    assert_eq!(
        excerpt("\ta\u{1b}[2J\u{202e}b", Span::new(9, 10)),
        "    1 | \ta\u{fffd}[2J\u{fffd}b\n      | \t      ^\n"
    );
    assert_eq!(excerpt("a b\r\n", Span::new(2, 3)), "    1 | a b\n      |   ^\n", "the line break is not shown");
}

#[test]
fn an_excerpt_of_several_lines_shows_the_first() {
    assert_eq!(excerpt("/* a\nb", Span::new(0, 6)), "    1 | /* a\n      | ^~~~\n");
    assert_eq!(excerpt("ab\ncd", Span::new(2, 4)), "    1 | ab\n      |   ^\n");
}

#[test]
fn an_excerpt_of_a_long_line_is_short() {
    let text = format!("{}x{}", "ä".repeat(100_000), "b".repeat(100_000));
    let start = 200_000;
    let shown = excerpt(&text, Span::new(start, start + 1));
    let (source, mark) = shown.trim_end().split_once('\n').unwrap();
    assert!(source.chars().count() < 250, "{}", source.chars().count());
    let column = mark.chars().position(|it| it == '^').unwrap();
    assert_eq!(source.chars().nth(column), Some('x'), "the mark is below the place");
    let everything = excerpt(&text, Span::new(0, text.len()));
    assert!(everything.len() < 1000);
}
