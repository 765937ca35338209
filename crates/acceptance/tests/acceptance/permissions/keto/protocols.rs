//! The syntax check, Connect, reflection and health.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::{Answer, Keto, message, with_model};

const PACKAGE: &str = "ory.keto.relation_tuples.v1alpha2";
const SERVING: &str = "SERVING";
const NOT_FOUND: u16 = 5;

/// The answer to a syntax check, as text.
async fn syntax(keto: &Keto<'_>, text: &str) -> Result<(Answer, String)> {
    let url = Url::parse(&keto.suite.permissions("opl", "/opl/syntax/check"))?;
    let body = Bytes::from(text.to_owned());
    let page = keto.api.clone().send(Method::POST, &url, Some("text/plain"), body).await?;
    Ok((Answer::of(&page)?, page.text()))
}

#[tokio::test]
async fn a_syntax_check_is_an_empty_object_or_errors_with_line_in_upper_case() -> Result<()> {
    with_model(async |keto| {
        for text in ["", "class User implements Namespace {}", super::MODEL] {
            let (answer, text) = syntax(&keto, text).await?;
            ensure!(answer == Answer::json(200, json!({})) && text == "{}", "{answer:?}");
        }
        let text = "class User implements Namespace {}\nclass Doc implements Namespace { related: { owner: Person[], \
                    other: Robot[] } }";
        let (answer, _) = syntax(&keto, text).await?;
        // `help` is declared as an addition.
        let errors = answer.body["errors"].as_array().context("errors")?.iter().map(|error| {
            let help = error["help"].as_str().filter(|help| !help.is_empty()).context("what to do")?;
            Ok(json!({ "message": error["message"], "help": help, "start": error["start"], "end": error["end"] }))
        });
        let errors: Vec<Value> = errors.collect::<Result<_>>()?;
        ensure!(answer == Answer::json(200, json!({ "errors": errors })), "{answer:?}");
        let at = |start: u32, end: u32| {
            [("start", start), ("end", end)].map(|(name, column)| (name, json!({ "Line": 2, "column": column })))
        };
        for (error, (name, places)) in errors.iter().zip([("Person", at(51, 57)), ("Robot", at(68, 73))]) {
            ensure!(error["message"] == format!("namespace \"{name}\" was not declared"), "{error}");
            ensure!(places.iter().all(|(place, position)| error[place] == *position), "{error}");
        }
        ensure!(errors.len() == 2, "{answer:?}");
        // Declared: the original stops at the first error of a text that does not follow the grammar.
        let (answer, _) = syntax(&keto, "class Doc implements Namespace { related { } }\nclass").await?;
        let messages: Vec<&str> = answer.body["errors"]
            .as_array()
            .context("errors")?
            .iter()
            .filter_map(|it| it["message"].as_str())
            .collect();
        ensure!(messages == ["expected \":\", got \"{\"", "expected identifier, got EOF"], "{answer:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_call_by_connect_is_a_post_of_json_over_http_1_1() -> Result<()> {
    with_model(async |keto| {
        keto.insert(&["Doc:a#owners@User:ada"]).await?;
        let check = async |headers: &[(&str, &str)], body: Value| {
            let path = format!("/{PACKAGE}.CheckService/Check");
            let mut api = keto.api.clone();
            for (name, value) in headers {
                api = api.with_header(name, value);
            }
            let page = api.json(Method::POST, keto.suite.permissions("read", &path), &body).await?;
            ensure!(page.header("content-type") == "application/json", "{}", page.summary());
            Ok((page.status.as_u16(), page.at("")))
        };
        for headers in [&[][..], &[("connect-protocol-version", "1")]] {
            for (text, allowed) in [("Doc:a#owners@User:ada", true), ("Doc:a#owners@User:bob", false)] {
                let (status, mut body) = check(headers, json!({ "tuple": message(text) })).await?;
                let token = body.as_object_mut().and_then(|body| body.remove("snaptoken"));
                ensure!(token.is_some_and(|it| it.as_str().is_some_and(|it| !it.is_empty())), "{body}");
                // The JSON mapping omits what has the default value.
                let expected = if allowed { json!({ "allowed": true }) } else { json!({}) };
                ensure!((status, &body) == (200, &expected), "{text}: {status} {body}");
            }
        }
        let deprecated = json!({ "namespace": "Doc", "object": "a", "relation": "owners",
            "subject": { "set": { "namespace": "User", "object": "ada" } } });
        ensure!(check(&[], deprecated).await?.1["allowed"] == true);
        for (body, status, code) in [
            (json!({ "tuple": message("Nope:a#owners@User:ada") }), 404, "not_found"),
            (json!({ "tuple": message("Doc:a#nope@User:ada") }), 400, "invalid_argument"),
            (json!({ "tuple": message("Doc:a#cycle@User:ada") }), 400, "failed_precondition"),
            (json!({ "tuple": { "namespace": "Doc" } }), 400, "invalid_argument"),
            (json!([]), 400, "invalid_argument"),
        ] {
            let (found, error) = check(&[], body.clone()).await?;
            ensure!((found, error["code"].as_str()) == (status, Some(code)), "{body}: {found} {error}");
            ensure!(error["message"].as_str().is_some_and(|it| !it.is_empty()), "{error}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn reflection_and_health_know_only_the_services_of_their_port() -> Result<()> {
    const READ: [&str; 5] = ["CheckService", "ExpandService", "NamespacesService", "ReadService", "VersionService"];
    let keto = |names: &[&str]| names.iter().map(|name| format!("{PACKAGE}.{name}")).collect::<Vec<_>>();
    let of_keto = [
        ("read", keto(&READ)),
        ("write", keto(&["VersionService", "WriteService"])),
        ("opl", [vec!["ory.keto.opl.v1alpha1.SyntaxService".to_owned()], keto(&["VersionService"])].concat()),
    ];
    with_model(async |keto| {
        for (listener, names) in &of_keto {
            for version in ["v1", "v1alpha"] {
                let method = format!("grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
                let (code, answers) = keto.call(listener, &method, &json!({ "listServices": "" })).await?;
                ensure!((code, answers.len()) == (0, 1), "{listener}: {code} {answers:?}");
                let listed = answers[0]["listServicesResponse"]["service"].as_array().context("services")?;
                let listed: Vec<&str> = listed.iter().filter_map(|it| it["name"].as_str()).collect();
                let ours = ["grpc.", "kleis."];
                let found: Vec<&&str> =
                    listed.iter().filter(|it| !ours.iter().any(|own| it.starts_with(own))).collect();
                ensure!(found == names.iter().collect::<Vec<_>>(), "{listener}: {listed:?}");
                for name in &listed {
                    let request = json!({ "fileContainingSymbol": name });
                    let (_, described) = keto.call(listener, &method, &request).await?;
                    ensure!(described[0]["fileDescriptorResponse"].is_object(), "{name}: {described:?}");
                }
            }
            let health = async |service: &str| {
                keto.call(listener, "grpc.health.v1.Health/Check", &json!({ "service": service })).await
            };
            for service in names.iter().map(String::as_str).chain([""]) {
                let answer = health(service).await?;
                ensure!(answer == (0, vec![json!({ "status": SERVING })]), "{listener} {service}: {answer:?}");
            }
            for (other, services) in of_keto.iter().filter(|(other, _)| other != listener) {
                for service in services.iter().filter(|it| !names.contains(it)) {
                    let answer = health(service).await?;
                    ensure!(answer == (NOT_FOUND, vec![]), "{service} of {other} at {listener}: {answer:?}");
                }
            }
        }
        Ok(())
    })
    .await
}
