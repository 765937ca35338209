//! Renders each page in every language and compares it with its snapshot.

use askama::Template;
use axum::http::StatusCode;
use base::Locale;
use ui::components::{Button, ButtonKind, Hidden};
use ui::{Config, Language, OutsideText, Page, Ui};

use super::consent::{ConsentPage, destination, permissions, remember_box};
use super::error::{ErrorPage, explanation};
use super::form_post::FormPostPage;
use super::logout::{FrontChannelLogout, LogoutPage, Notice};
use super::texts::Texts;

fn check<P: Template>(name: &str, make: impl Fn(&'static Texts) -> P) {
    let ui = Ui::new(Config::default()).unwrap();
    for &language in Language::all() {
        let locale = Locale::from_tag(language.tag()).unwrap();
        let html = ui.respond(locale, Page::titled("Sample"), &make(Texts::of(language))).into_body();
        assert!(!html.contains(" style=") && !html.contains(" onclick="), "{name}");
        let (_, card) = html.split_once("<main").unwrap();
        let (card, _) = card.split_once("</main>").unwrap();
        insta::assert_snapshot!(format!("{name}.{}", language.tag()), format!("<main{card}</main>"));
    }
}

#[test]
fn the_consent_page_matches_its_snapshot() {
    let scope: Vec<String> = ["openid", "offline", "offline_access", "photos.read"].map(str::to_owned).to_vec();
    let audience = vec!["https://api.example".to_owned()];
    check("consent", |texts| ConsentPage {
        texts,
        client_name: OutsideText::new("Photo <Printer>", 60).unwrap(),
        signed_in_as: Some("ada@example.org".to_owned()),
        permissions: permissions(texts, &scope),
        audience: &audience,
        destination: destination("https://printer.example/cb"),
        terms: Some("https://printer.example/terms"),
        privacy: Some("https://printer.example/privacy"),
        action: "https://op.example/oauth2/consent".to_owned(),
        values: [Hidden::new("consent_challenge", "c"), Hidden::new("csrf", "t")],
        remember: Some(remember_box(texts)),
        allow: Button::submit(texts.allow).sending("decision", "allow"),
        deny: Button::submit(texts.deny).sending("decision", "deny").of_kind(ButtonKind::Secondary),
    });
}

#[test]
fn the_consent_page_without_scopes_of_a_native_application_matches_its_snapshot() {
    check("consent_nothing", |texts| ConsentPage {
        texts,
        client_name: OutsideText::new("app", 60).unwrap(),
        signed_in_as: None,
        permissions: Vec::new(),
        audience: &[],
        destination: destination("com.example.app:/cb"),
        terms: None,
        privacy: None,
        action: "https://op.example/oauth2/consent".to_owned(),
        values: [Hidden::new("consent_challenge", "c"), Hidden::new("csrf", "t")],
        remember: None,
        allow: Button::submit(texts.allow).sending("decision", "allow"),
        deny: Button::submit(texts.deny).sending("decision", "deny").of_kind(ButtonKind::Secondary),
    });
}

#[test]
fn the_logout_pages_match_their_snapshots() {
    check("logout", |texts| LogoutPage {
        texts,
        client_name: OutsideText::new("Photo Printer", 60),
        action: "https://op.example/oauth2/logout".to_owned(),
        challenge: Hidden::new("logout_challenge", "c"),
        sign_out: Button::submit(texts.sign_out).sending("decision", "sign_out"),
        stay: Button::submit(texts.stay).sending("decision", "stay").of_kind(ButtonKind::Secondary),
    });
    check("signed_out", |texts| Notice { title: texts.signed_out_title, text: texts.signed_out_intro });
    check("stayed", |texts| Notice { title: texts.stayed_title, text: texts.stayed_intro });
    let pages = vec!["https://printer.example/out?iss=i&sid=s".to_owned()];
    check("front_channel_logout", |texts| FrontChannelLogout {
        texts,
        pages: &pages,
        redirect_to: "https://printer.example/bye?state=<x>",
    });
}

#[test]
fn the_error_page_matches_its_snapshot() {
    check("error", |texts| ErrorPage {
        texts,
        explanation: explanation(texts, StatusCode::BAD_REQUEST, "invalid_request"),
        name: "invalid_request",
        description: "redirect_uri is not one of the client's <registered> redirect URIs.",
        request_id: "00000000-0000-0000-0000-000000000000".to_owned(),
    });
}

#[test]
fn the_form_post_page_matches_its_snapshot() {
    check("form_post", |texts| FormPostPage {
        texts,
        action: "https://printer.example/cb",
        fields: vec![Hidden::new("code", "c"), Hidden::new("state", "\"<s>")],
        go_on: Button::submit(texts.go_on),
        script: "https://op.example/oauth2/form-post.js".to_owned(),
    });
}
