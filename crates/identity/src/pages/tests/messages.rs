//! Checks that every message of a flow has a text on the pages, in every language.

use std::fs;
use std::path::Path;

use base::Timestamp;
use serde_json::{Map, Value, json};
use ui::{Language, Localizer};

use crate::domain::message::{Message, flow, label, login, recovery, validation, verification};
use crate::domain::password_policy::PasswordRefusal;
use crate::domain::{TraitProblem, Via};
use crate::methods::lookup_secret::{self, credential::LookupCode};
use crate::methods::totp;

/// What a source file contains that creates messages.
const CREATES_MESSAGES: [&str; 3] = ["fixed!", "Message::", "fn message_id("];

/// The sources of this crate that create messages, without tests.
fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| !path.ends_with("tests") && !path.ends_with("tests.rs"));
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![text(&path)] })
        .filter(|text| CREATES_MESSAGES.iter().any(|part| text.contains(part)))
        .collect()
}

/// Numbers of seven digits in the notation of these files: `1_010_001`.
fn ids(source: &str) -> Vec<u64> {
    let words = source.split(|c: char| !c.is_ascii_digit() && c != '_');
    let numbers = words.filter(|word| word.len() == 9 && word.starts_with(|c: char| c.is_ascii_digit()));
    numbers.filter_map(|word| word.replace('_', "").parse().ok()).collect()
}

fn all_ids() -> Vec<u64> {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let all: Vec<u64> = sources.iter().flat_map(|source| ids(source)).collect();
    for example in [1_010_001, 1_050_006, 1_050_015, 4_000_032] {
        assert!(all.contains(&example), "{example} is not in the sources: {all:?}");
    }
    all
}

#[test]
fn every_id_of_a_message_has_a_text() {
    for id in all_ids() {
        assert!(ui::messages::is_known(id), "{id}: crates/ui/locales/en.ftl has no text `message-{id}`");
    }
}

const TEXT_OF_THE_API: &str = "the text of the API";

/// Whether the text of a message contains values, which the context of the message must have.
fn has_values(id: u64) -> bool {
    let message = ui::Message { id, text: TEXT_OF_THE_API.into(), kind: ui::MessageKind::Info, context: Map::new() };
    Localizer::plain(Language::english()).text(&message, None) == TEXT_OF_THE_API
}

#[test]
fn every_message_whose_text_has_values_is_tested_with_them() {
    let tested: Vec<i64> = with_values().iter().map(|message| message.id).collect();
    for id in all_ids().into_iter().filter(|id| has_values(*id) && *id != LIST) {
        assert!(i64::try_from(id).is_ok_and(|id| tested.contains(&id)), "{id}: add it to `with_values`");
    }
}

/// The list of backup codes. The pages show the messages in its context instead of its text.
const LIST: u64 = 1_050_015;

/// The messages in the list of backup codes, one for each code.
fn backup_codes(at: Timestamp) -> Vec<Message> {
    let mut used = LookupCode::unused("used-code");
    used.used_at = Some(at);
    let list = lookup_secret::messages::list(&[LookupCode::unused("new-code"), used]);
    let each = list.context.as_ref().and_then(|context| context["secrets"].as_array()).unwrap().clone();
    assert_eq!(u64::try_from(list.id), Ok(LIST));
    each.into_iter().map(|code: Value| serde_json::from_value(code).unwrap()).collect()
}

fn with_values() -> Vec<Message> {
    let at = Timestamp::EPOCH;
    let trait_problem = |problem: TraitProblem| validation::of_trait(&problem);
    let mut messages = backup_codes(at);
    messages.extend([
        totp::messages::secret("ABCDEFGH"),
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
    ]);
    messages
}

#[test]
fn every_message_has_the_values_that_its_text_uses() {
    for message in with_values() {
        let mut shown = serde_json::to_value(&message).unwrap();
        shown["text"] = TEXT_OF_THE_API.into();
        let shown: ui::Message = serde_json::from_value(shown).unwrap();
        for &language in Language::all() {
            let text = Localizer::plain(language).text(&shown, None);
            assert!(text != TEXT_OF_THE_API && !text.contains(['{', '}']), "{language:?} {message:?}: {text}");
        }
    }
}
