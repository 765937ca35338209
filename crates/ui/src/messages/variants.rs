//! Words that go by more than an id: what one id stands for besides, and the titles of traits.

use super::Entry;

/// Titles that people commonly give to traits, in German.
pub(super) const GERMAN_TITLES: &[(&str, &str)] = &[
    ("E-Mail", "E-Mail-Adresse"),
    ("Email", "E-Mail-Adresse"),
    ("Email address", "E-Mail-Adresse"),
    ("E-Mail address", "E-Mail-Adresse"),
    ("Your E-Mail", "E-Mail-Adresse"),
    ("Name", "Name"),
    ("Full name", "Name"),
    ("First name", "Vorname"),
    ("Last name", "Nachname"),
    ("Username", "Benutzername"),
    ("Phone", "Telefonnummer"),
    ("Phone number", "Telefonnummer"),
    ("Date of birth", "Geburtsdatum"),
    ("Address", "Anschrift"),
    ("City", "Ort"),
    ("Country", "Land"),
    ("Language", "Sprache"),
    ("Website", "Website"),
    ("Company", "Firma"),
];

/// What an id stands for besides, by the `variant` that the context names.
#[rustfmt::skip]
pub(super) const VARIANTS: &[(&str, Entry)] = &[
    ("own_address", Entry {
        id: 1_080_003,
        english: "We sent a code to {address}. Please enter it below.",
        german: "Wir haben einen Code an {address} geschickt. Bitte geben Sie ihn hier ein.",
    }),
    ("own_address", Entry {
        id: 1_080_004,
        english: "We sent a code to {address} by text message. Please enter it below.",
        german: "Wir haben einen Code per SMS an {address} geschickt. Bitte geben Sie ihn hier ein.",
    }),
    ("too_many_attempts", Entry {
        id: 4_000_001,
        english: "Too many attempts. Please try again in {minutes} minutes.",
        german: "Zu viele Versuche. Bitte versuchen Sie es in {minutes} Minuten noch einmal.",
    }),
    ("code_exhausted", Entry {
        id: 4_000_001,
        english: "This code was tried too often. Please ask for a new one.",
        german: "Dieser Code wurde zu oft versucht. Bitte fordern Sie einen neuen an.",
    }),
    ("flow_changed", Entry {
        id: 4_000_001,
        english: "This form was changed by another request. Please check it and submit it again.",
        german: "Dieses Formular wurde durch eine andere Anfrage geändert. Bitte prüfen Sie es und senden Sie es noch einmal ab.",
    }),
    ("signed_in_already", Entry {
        id: 4_000_001,
        english: "You are signed in already.",
        german: "Sie sind schon angemeldet.",
    }),
];
