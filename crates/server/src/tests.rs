//! Tests of the texts of the whole product: each name in the code has a text, each text is used, and a language of one added
//! file is offered.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, Response};
use serde_json::json;
use ui::Language;
use web::outbound::{Client, Destinations};

use crate::config::{Config, Service};
use crate::{Environment, demo, start};

#[test]
fn every_text_that_the_code_names_is_in_english_with_the_values_of_the_code() {
    let mut names = [ui::testing::text_names(), demo::text_names()].concat();
    names.extend(Service::ALL.iter().flat_map(|service| (service.definition().text_names)()));
    let problems = ui::testing::problems_of_names(&names, ui::testing::ENGLISH);
    assert!(problems.is_empty(), "crates/ui/locales/en.ftl:\n{}", problems.join("\n"));
}

/// A language file with a few texts.
const FRENCH: &str = "
language-name = Français
language-direction = ltr

page-sign-in = Se connecter
message-1010022 = Se connecter
message-1070001 = Mot de passe
";

async fn get(client: &Client, url: &str, language: &str, cookie: &str) -> Response<Bytes> {
    let request = Request::get(url).header(ACCEPT, "text/html").header(ACCEPT_LANGUAGE, language);
    client.send(request.header(COOKIE, cookie).body(Bytes::new()).unwrap()).await.unwrap()
}

fn cookies(headers: &HeaderMap) -> String {
    let pair = |cookie: &http::HeaderValue| cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
    headers.get_all(SET_COOKIE).iter().map(pair).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_language_of_one_file_is_chosen_by_the_browser_and_completed_by_english() {
    let folder = tempfile::tempdir().unwrap();
    let environment = Environment { data_dir: folder.path().join("data"), free_ports: true, ..Environment::system() };
    let mut config = Config::from_value(&[Service::IDENTITY], json!({"dsn": "memory"})).unwrap();
    config.shared.ui.languages = Some(vec![Language::english(), Language::read("fr", FRENCH).unwrap()]);
    let running = start(config, environment).await.unwrap();
    let (.., public) = running.addresses.iter().find(|(_, listener, ..)| *listener == "public").unwrap();
    let client = Client::new(Destinations::Any, &base::TrustStore::bundled());
    let login = format!("{public}self-service/login/browser");
    for (accepted, language, heading) in [("fr-CA, en;q=0.5", "fr", "Se connecter"), ("it", "en", "Sign in")] {
        let begun = get(&client, &login, accepted, "").await;
        let page = begun.headers()[LOCATION].to_str().unwrap();
        let shown = get(&client, page, accepted, &cookies(begun.headers())).await;
        let html = std::str::from_utf8(shown.body()).unwrap();
        assert!(html.contains(&format!("<html lang=\"{language}\" dir=\"ltr\">")), "{html}");
        assert!(html.contains(&format!("<h1>{heading}</h1>")), "{html}");
        assert_eq!(html.contains("Mot de passe"), language == "fr", "{html}");
        assert!(html.contains("Good to see you again."), "French lacks this text: {html}");
        assert_eq!(shown.headers()["content-language"], language);
    }
    running.shutdown().await;
}
