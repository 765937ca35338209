//! Each page that is not a flow, rendered in every language and compared with its snapshot.

use askama::Template;
use base::{Locale, Timestamp};
use serde_json::json;
use ui::components::{Alert, Button, ButtonKind, Hidden};
use ui::form::FlowKind;
use ui::{
    Config, FlowContext, FlowPage, Language, MessageKind, Moment, OutsideText, Page, PageLink, Strings, Ui, Width,
};

use crate::pages::connections::{ConnectionLine, ConnectionList};
use crate::pages::error::ErrorPage;
use crate::pages::link::LinkPage;
use crate::pages::logout::{LogoutPage, SignedOutPage};
use crate::pages::mailbox::{MailLine, MailPage, MailboxPage, parts};
use crate::pages::other_browser::OtherBrowserPage;
use crate::pages::settings::{SessionLine, Sessions, SettingsPage};
use crate::pages::welcome::WelcomePage;

fn check(name: &str, make: impl Fn(&Ui, Locale, &'static Strings) -> String) {
    let ui = Ui::new(Config::default()).unwrap();
    for &language in Language::all() {
        let locale = Locale::from_tag(language.tag()).unwrap();
        let html = make(&ui, locale, Strings::of(language));
        assert!(!html.contains(" style=") && !html.contains(" onclick="), "{name}");
        insta::assert_snapshot!(format!("{name}.{}", language.tag()), mask_hashes(&html));
    }
}

fn render(ui: &Ui, locale: Locale, page: Page<'_>, body: &impl Template) -> String {
    ui.respond(locale, page, body).into_body()
}

/// The URL of a style sheet contains its hash, which is masked so that a changed style sheet does not change the snapshot.
fn mask_hashes(html: &str) -> String {
    html.split("/ui/static/")
        .enumerate()
        .map(|(index, part)| match part.split_once('.') {
            Some((name, rest)) if index > 0 => {
                format!("/ui/static/{}-HASH.{rest}", name.split('-').next().unwrap_or(name))
            }
            _ => part.to_owned(),
        })
        .collect()
}

fn at(text: &str, locale: Locale) -> Moment {
    Moment::new(text.parse::<Timestamp>().unwrap(), locale.into())
}

#[test]
fn the_settings_list_the_signed_in_devices() {
    check("settings_sessions", |ui, locale, strings| {
        let container = serde_json::from_value(json!({"action": "/a", "method": "POST", "messages": [], "nodes": []}));
        let line = |id: &str, device: &str, end: Option<Button>| SessionLine {
            id: id.to_owned(),
            device: device.to_owned(),
            origin: Some("203.0.113.7".into()),
            since: at("2026-03-05T09:07:31Z", locale),
            end: end.map(|end| end.about(id)),
        };
        let end = || Button::submit(strings.end_session).sending("session", "1").of_kind(ButtonKind::Secondary).small();
        let mut flow =
            FlowPage::new(FlowKind::Settings, &container.unwrap(), ui.localizer(locale), FlowContext::default());
        flow.arranged.alerts.push(Alert::new(MessageKind::Success, strings.sessions_ended));
        let page = SettingsPage {
            strings,
            flow,
            sessions: Sessions {
                action: "/ui/sessions".into(),
                csrf: Hidden::new("csrf_token", "sample-token"),
                current: line("session-0", "Firefox · Linux", None),
                others: vec![
                    line("session-1", "Safari · iPhone", Some(end())),
                    line("session-2", "<Chrome> · Windows", Some(end())),
                ],
                end_all: Button::submit(strings.end_other_sessions).of_kind(ButtonKind::Danger),
            },
            connections: Some(ConnectionList {
                action: "/ui/connections".into(),
                csrf: Hidden::new("csrf_token", "sample-token"),
                lines: Some(vec![ConnectionLine {
                    id: "connection-1".into(),
                    name: OutsideText::new("<Photo> Album", OutsideText::NAME).unwrap(),
                    since: at("2026-03-05T09:07:31Z", locale),
                    end: Button::submit(strings.end_connection)
                        .sending("client", "album")
                        .of_kind(ButtonKind::Secondary)
                        .about("connection-1")
                        .small(),
                }]),
            }),
            sign_out: PageLink::new(strings.sign_out, "/ui/logout"),
        };
        render(ui, locale, page.flow.page(), &page)
    });
}

#[test]
fn signing_out_asks_for_confirmation() {
    check("logout", |ui, locale, strings| {
        let page = LogoutPage {
            strings,
            signed_in_as: Some("ada@example.org".into()),
            action: "https://id.example.org/self-service/logout".into(),
            values: vec![Hidden::new("token", "sample-token")],
            confirm: Button::submit(strings.sign_out),
            stay: PageLink::new(strings.stay_signed_in, "/ui/welcome"),
        };
        render(ui, locale, Page::titled(strings.sign_out), &page)
    });
}

#[test]
fn a_sign_out_is_confirmed() {
    check("signed_out", |ui, locale, strings| {
        let page = SignedOutPage { strings, sign_in: PageLink::new(strings.sign_in, "/ui/login") };
        render(ui, locale, Page::titled(strings.signed_out), &page)
    });
}

#[test]
fn a_sign_in_is_confirmed() {
    check("welcome", |ui, locale, strings| {
        let page = WelcomePage {
            strings,
            signed_in_as: Some("ada@example.org".into()),
            settings: PageLink::new(strings.manage_account, "/ui/settings"),
            sign_out: PageLink::new(strings.sign_out, "/ui/logout"),
        };
        render(ui, locale, Page::titled(strings.welcome), &page)
    });
}

#[test]
fn an_error_is_explained_and_its_details_are_escaped() {
    check("error", |ui, locale, strings| {
        let error = json!({"id": "security_csrf_violation", "code": 403, "message": "<b>forged</b>", "reason": "why"});
        let page = ErrorPage::new(&error, strings, PageLink::new(strings.to_start, "/ui/login"));
        let frame = Page { status: page.status(), ..Page::titled(strings.error) };
        render(ui, locale, frame, &page)
    });
}

#[test]
fn the_mailbox_lists_and_shows_messages() {
    check("mailbox", |ui, locale, strings| {
        let mail = |subject: &str| MailLine {
            href: "/mailbox/1".into(),
            subject: subject.into(),
            recipient: "ada@example.org".into(),
            at: at("2026-03-05T09:07:31Z", locale),
        };
        let mails = vec![mail("Your sign-in code is 123456"), mail("Please confirm your address")];
        let page = MailboxPage { strings, mails, older: Some(PageLink::new(strings.older, "/mailbox?page_token=x")) };
        render(ui, locale, Page { width: Width::Wide, ..Page::titled(strings.mailbox) }, &page)
    });
    check("mail", |ui, locale, strings| {
        let page = MailPage {
            strings,
            subject: "Your sign-in code is 123456".into(),
            recipient: "ada@example.org".into(),
            template: "login_code_valid".into(),
            status: "sent".into(),
            at: at("2026-03-05T09:07:31Z", locale),
            parts: parts("Hello,\n\nyour code is 123456. <Or> open https://id.example.org/x?a=1&b=2.\n"),
            html: Some("1/html".into()),
            back: PageLink::new(strings.back, "/mailbox"),
        };
        render(ui, locale, Page { width: Width::Wide, ..Page::titled(strings.mailbox) }, &page)
    });
}

#[test]
fn a_link_shows_a_button() {
    for (name, kind) in [
        ("link_recovery", crate::domain::flow::FlowKind::Recovery),
        ("link_verification", crate::domain::flow::FlowKind::Verification),
    ] {
        check(name, |ui, locale, strings| {
            let page = LinkPage::new(strings, kind);
            render(ui, locale, Page::titled(page.title), &page)
        });
    }
}

#[test]
fn a_link_in_another_browser_refers_to_the_first_one() {
    check("other_browser", |ui, locale, strings| {
        let page = OtherBrowserPage { strings, start: PageLink::new(strings.to_start, "/ui/welcome") };
        render(ui, locale, Page::titled(strings.other_browser), &page)
    });
}
