//! Words that go by more than an id: what one id stands for besides, and the titles of traits.

use super::Entry;

/// Titles that people commonly give to traits: English, German, Arabic.
pub(super) const TITLES: &[(&str, &str, &str)] = &[
    ("E-Mail", "E-Mail-Adresse", "البريد الإلكتروني"),
    ("Email", "E-Mail-Adresse", "البريد الإلكتروني"),
    ("Email address", "E-Mail-Adresse", "البريد الإلكتروني"),
    ("E-Mail address", "E-Mail-Adresse", "البريد الإلكتروني"),
    ("Your E-Mail", "E-Mail-Adresse", "البريد الإلكتروني"),
    ("Name", "Name", "الاسم"),
    ("Full name", "Name", "الاسم الكامل"),
    ("First name", "Vorname", "الاسم الأول"),
    ("Last name", "Nachname", "اسم العائلة"),
    ("Username", "Benutzername", "اسم المستخدم"),
    ("Phone", "Telefonnummer", "رقم الهاتف"),
    ("Phone number", "Telefonnummer", "رقم الهاتف"),
    ("Date of birth", "Geburtsdatum", "تاريخ الميلاد"),
    ("Address", "Anschrift", "العنوان"),
    ("City", "Ort", "المدينة"),
    ("Country", "Land", "البلد"),
    ("Language", "Sprache", "اللغة"),
    ("Website", "Website", "الموقع الإلكتروني"),
    ("Company", "Firma", "الشركة"),
];

/// What an id stands for besides, by the `variant` that the context names.
#[rustfmt::skip]
pub(super) const VARIANTS: &[(&str, Entry)] = &[
    ("own_address", Entry {
        id: 1_080_003,
        english: "We sent a code to {address}. Please enter it below.",
        german: "Wir haben einen Code an {address} geschickt. Bitte geben Sie ihn hier ein.",
        arabic: "أرسلنا رمزًا إلى {address}. يُرجى إدخاله أدناه.",
    }),
    ("own_address", Entry {
        id: 1_080_004,
        english: "We sent a code to {address} by text message. Please enter it below.",
        german: "Wir haben einen Code per SMS an {address} geschickt. Bitte geben Sie ihn hier ein.",
        arabic: "أرسلنا رمزًا في رسالة نصية إلى {address}. يُرجى إدخاله أدناه.",
    }),
    ("too_many_attempts", Entry {
        id: 4_000_001,
        english: "Too many attempts. Please try again in {minutes} minutes.",
        german: "Zu viele Versuche. Bitte versuchen Sie es in {minutes} Minuten noch einmal.",
        arabic: "محاولات كثيرة جدًا. يُرجى المحاولة مرة أخرى بعد {minutes} دقيقة.",
    }),
    ("code_exhausted", Entry {
        id: 4_000_001,
        english: "This code was tried too often. Please ask for a new one.",
        german: "Dieser Code wurde zu oft versucht. Bitte fordern Sie einen neuen an.",
        arabic: "جُرّب هذا الرمز مرات كثيرة جدًا. يُرجى طلب رمز جديد.",
    }),
    ("flow_changed", Entry {
        id: 4_000_001,
        english: "This form was changed by another request. Please check it and submit it again.",
        german: "Dieses Formular wurde durch eine andere Anfrage geändert. Bitte prüfen Sie es und senden Sie es noch einmal ab.",
        arabic: "غيّر طلب آخر هذا النموذج. يُرجى مراجعته وإرساله مرة أخرى.",
    }),
    ("signed_in_already", Entry {
        id: 4_000_001,
        english: "You are signed in already.",
        german: "Sie sind schon angemeldet.",
        arabic: "لقد سجّلت الدخول بالفعل.",
    }),
];
