//! Checks that every message of a flow has a text on the pages, in every language.

use base::Timestamp;
use serde_json::json;
use ui::{Language, Localizer};

use crate::domain::message::{Message, flow, label, login, recovery, validation, verification};
use crate::domain::password_policy::PasswordRefusal;
use crate::domain::{TraitProblem, Via};

/// The source files with message ids.
const SOURCES: [&str; 3] = [
    include_str!("../domain/message.rs"),
    include_str!("../domain/password_policy.rs"),
    include_str!("../domain/traits_schema/error.rs"),
];

/// Numbers of seven digits in the notation of these files: `1_010_001`.
fn ids(source: &str) -> Vec<u64> {
    let words = source.split(|c: char| !c.is_ascii_digit() && c != '_');
    let numbers = words.filter(|word| word.len() == 9 && word.starts_with(|c: char| c.is_ascii_digit()));
    numbers.filter_map(|word| word.replace('_', "").parse().ok()).collect()
}

#[test]
fn every_id_of_a_message_has_a_text() {
    let all: Vec<u64> = SOURCES.into_iter().flat_map(ids).collect();
    assert!(all.len() > 60, "{all:?}");
    for id in all {
        assert!(ui::messages::is_known(id), "{id}: crates/ui/locales/en.ftl has no text `message-{id}`");
    }
}

fn with_values() -> Vec<Message> {
    let at = Timestamp::EPOCH;
    let trait_problem = |problem: TraitProblem| validation::of_trait(&problem);
    vec![
        login::send_code_to("+4930123456", "sms"),
        recovery::recovered(at, Timestamp::from_unix_seconds(900)),
        label::trait_title("Email", "traits.email"),
        verification::code_sent_to(Via::Email, "a@example.org"),
        verification::code_sent_to(Via::Sms, "+4930123456"),
        validation::identifier_taken_by("a@example.org", &["password"], &[]),
        validation::too_many_attempts(5),
        validation::code_exhausted(),
        validation::flow_changed(),
        validation::signed_in_already(),
        validation::missing("email"),
        validation::of_password(PasswordRefusal::TooShort { min: 8, actual: 3 }),
        validation::of_password(PasswordRefusal::TooLong { max: 72, actual: 80 }),
        validation::of_password(PasswordRefusal::Breached { breaches: 3 }),
        trait_problem(TraitProblem::TooShort { min: 2, actual: 1 }),
        trait_problem(TraitProblem::TooLong { max: 2, actual: 3 }),
        trait_problem(TraitProblem::BelowMinimum { minimum: json!(1.5), actual: json!(1) }),
        trait_problem(TraitProblem::NotAboveMinimum { minimum: json!(1), actual: json!(1) }),
        trait_problem(TraitProblem::AboveMaximum { maximum: json!(1), actual: json!(2) }),
        trait_problem(TraitProblem::NotBelowMaximum { maximum: json!(1), actual: json!(1) }),
        trait_problem(TraitProblem::NotMultiple { base: json!(0.5), actual: json!(0.7) }),
        trait_problem(TraitProblem::TooManyItems { max: 2, actual: 3 }),
        trait_problem(TraitProblem::TooFewItems { min: 2, actual: 1 }),
        trait_problem(TraitProblem::NotTheConstant { expected: json!("yes") }),
        flow::login_expired(at, Timestamp::from_unix_seconds(90)),
    ]
}

#[test]
fn every_message_has_the_values_that_its_text_uses() {
    for message in with_values() {
        let mut shown = serde_json::to_value(&message).unwrap();
        shown["text"] = "the text of the API".into();
        let shown: ui::Message = serde_json::from_value(shown).unwrap();
        for &language in Language::all() {
            let text = Localizer::plain(language).text(&shown, None);
            assert!(text != "the text of the API" && !text.contains(['{', '}']), "{language:?} {message:?}: {text}");
        }
    }
}
