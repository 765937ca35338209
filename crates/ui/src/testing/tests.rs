use super::*;

const HEAD: &str = "language-name = Test\nlanguage-direction = ltr\n";

/// Every language of this build is complete and has the same values as English.
#[test]
fn every_language_has_the_texts_of_english_with_the_same_values() {
    for (tag, source) in crate::language::FILES {
        let problems = problems_of_translation(tag, source, ENGLISH);
        assert!(problems.is_empty(), "locales/{tag}.ftl:\n{}", problems.join("\n"));
    }
}

#[test]
fn a_missing_text_a_superfluous_text_and_other_values_are_problems() {
    let english = format!(
        "{HEAD}\nmoment = {{ $year }}\npage-a = Hello {{ $name }}\npage-b = B\nmail-c =\n    .subject = S\n    .lead = L\n"
    );
    let translation = format!(
        "{HEAD}\nmoment = {{ $padded_day }}\npage-a = {{ $nom }}\npage-z = Z\nmail-c =\n    .subject = {{ $code }}\n"
    );
    assert_eq!(
        problems_of_translation("fr", &translation, &english),
        [
            "mail-c.lead: missing",
            "mail-c.subject: its values are `$code`, expected ``",
            "page-a: its values are `$nom`, expected `$name`",
            "page-b: missing",
            "page-z: superfluous, English does not have it",
        ]
    );
    let broken = format!("{HEAD}\nmoment = {{ $century }}\npage-b = One\n  two\n{HEAD}");
    let problems = problems_of_translation("fr", &broken, &format!("{HEAD}\nmoment = {{ $year }}\npage-b = B\n"));
    assert_eq!(
        problems,
        [
            "language-name: the name is used twice",
            "language-direction: the name is used twice",
            "moment: its values are `$century`, expected `$day $month $padded_day $padded_month $time $year`",
            "page-b: expected one line",
        ]
    );
}

#[test]
fn a_name_without_a_text_and_a_text_without_a_name_are_problems() {
    let name = |key: &str, values| TextName { key: key.to_owned(), values };
    let english = format!("{HEAD}\npage-a = A\npage-b = {{ $x }}\npage-c = C\nmessage-1 = M\n");
    let names = [name("page-a", &["name"]), name("page-b", &["x"]), name("page-d", &[])];
    assert_eq!(
        problems_of_names(&names, &english),
        ["page-a: its values are ``, expected `$name`", "page-d: missing", "page-c: superfluous, no code uses it"]
    );
}
