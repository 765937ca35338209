use base::Locale;
use serde_json::json;

use super::*;
use crate::{Localizer, Message, Moment, Strings};

/// A language file of a third party with a few texts.
const FRENCH: &str = include_str!("french.ftl");

fn french() -> Language {
    Language::read("fr", FRENCH).unwrap()
}

#[test]
fn an_unknown_locale_reads_english() {
    assert_eq!(Locale::from_tag("de-AT").map(Language::from), Language::find("de"));
    assert_eq!(Locale::from_tag("xx").map(Language::from), Some(Language::english()));
    for &language in Language::all() {
        assert_eq!(Language::from(language.locale()), language);
    }
}

#[test]
fn a_file_contains_the_name_and_the_direction_of_its_language() {
    let facts = |tag: &str| Language::find(tag).map(|it| (it.name(), it.direction()));
    assert_eq!(facts("en"), Some(("English", "ltr")));
    assert_eq!(facts("de"), Some(("Deutsch", "ltr")));
    assert_eq!(facts("ar"), Some(("العربية", "rtl")));
    assert_eq!((french().name(), french().direction(), french().tag()), ("Français", "ltr", "fr"));
    assert_eq!(Language::all()[0], Language::english());
}

#[test]
fn a_text_that_a_language_lacks_is_english() {
    let strings = Strings::of(french());
    assert_eq!(strings.sign_in, "Se connecter");
    assert_eq!(strings.sign_in_toward("Photos"), "Connectez-vous pour continuer vers Photos.");
    assert_eq!(strings.mailbox, "Mailbox");
    assert_eq!(strings.sign_up_toward("Photos"), "Create an account to continue to Photos.");
    let words = Localizer::plain(french());
    let message = |id: u64, context| -> Message {
        serde_json::from_value(json!({"id": id, "text": "wire", "type": "info", "context": context})).unwrap()
    };
    assert_eq!(words.text(&message(1_070_001, json!({})), None), "Mot de passe");
    assert_eq!(words.text(&message(1_070_002, json!({"title": "First name"})), None), "Prénom");
    assert_eq!(words.text(&message(1_070_002, json!({"title": "Last name"})), None), "Last name");
    assert_eq!(words.text(&message(1_050_001, json!({})), None), "Your changes have been saved.");
    let at = "2026-03-05T09:07:31Z".parse().unwrap();
    assert_eq!(Moment::new(at, french()).words(), "5 Mar 2026, 09:07 UTC");
}

#[test]
fn a_number_selects_the_plural_form_by_the_rules_of_the_language() {
    let waiting = |language: Language, minutes: u64| {
        let context = json!({"reason": "wire", "variant": "too_many_attempts", "minutes": minutes});
        let message = json!({"id": 4_000_001, "text": "wire", "type": "error", "context": context});
        Localizer::plain(language).text(&serde_json::from_value(message).unwrap(), None)
    };
    let arabic = Language::find("ar").unwrap();
    assert_eq!(waiting(Language::english(), 1), "Too many attempts. Please try again in one minute.");
    assert_eq!(waiting(Language::english(), 5), "Too many attempts. Please try again in 5 minutes.");
    assert!(waiting(arabic, 2).contains("دقيقتين"), "the dual: {}", waiting(arabic, 2));
    assert!(waiting(arabic, 5).contains("5 دقائق"), "the plural of few: {}", waiting(arabic, 5));
    assert!(waiting(arabic, 30).contains("30 دقيقة"), "{}", waiting(arabic, 30));
    // A missing French text is English with the plural forms of English, in which zero is plural.
    assert_eq!(waiting(french(), 0), "Too many attempts. Please try again in 0 minutes.");
}

#[test]
fn the_error_of_an_unusable_file_gives_the_reason() {
    let problem = |tag: &str, source: &str| Language::read(tag, source).unwrap_err().to_string();
    let head = "language-name = Test\nlanguage-direction = ltr\n";
    assert_eq!(problem("fr", "language-name = Test"), "language-direction: expected `ltr` or `rtl`");
    assert_eq!(problem("fr", "language-direction = rtl"), "language-name: the file must name its language");
    assert!(problem("FR", head).contains("expected two letters"), "{}", problem("FR", head));
    assert_eq!(
        problem("fr", &format!("{head}page-sign-in = A\npage-sign-in = B\n")),
        "page-sign-in: the name is used twice"
    );
    assert!(problem("fr", &format!("{head}page-sign-in = {{ $\n")).starts_with("line 3: "));
    assert!(problem("fr", &format!("{head}page-sign-in = {{ nothing }}\n")).starts_with("page-sign-in: "));
}

#[test]
fn a_configuration_names_languages_by_their_tags() {
    assert_eq!(serde_json::from_value::<Language>(json!("de")).ok(), Language::find("de"));
    let error = serde_json::from_value::<Language>(json!("xx")).unwrap_err().to_string();
    assert!(error.starts_with("`xx` is not a language of the pages; expected one of en, "), "{error}");
}
