use futures_util::future::join_all;
use serde_json::{Value, json};

use super::totp::{code_of, link};
use super::{Client, FlowReply as _, PASSWORD, Reply, with_server};

fn enabled() -> Value {
    json!({"selfservice": {"methods": {"lookup_secret": {"enabled": true}, "totp": {"enabled": true}}}})
}

fn codes_node(flow: &Reply) -> &Value {
    let nodes = flow.json["ui"]["nodes"].as_array().expect("a flow");
    let found = nodes.iter().find(|node| node["attributes"]["id"] == "lookup_secret_codes");
    found.map_or(&Value::Null, |node| &node["attributes"]["text"])
}

/// The codes in a form; `None` for a used one.
pub(super) fn codes(flow: &Reply) -> Vec<Option<String>> {
    let listed = codes_node(flow)["context"]["secrets"].as_array().expect("codes");
    listed.iter().map(|message| message["context"]["secret"].as_str().map(str::to_owned)).collect()
}

fn buttons(flow: &Reply) -> Vec<String> {
    let nodes = flow.nodes().into_iter().filter(|node| node.starts_with("lookup_secret/"));
    nodes.map(|node| node.split('/').nth(1).unwrap().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Creates codes in the settings and confirms them.
async fn make(client: &mut Client) -> Vec<String> {
    let id = client.begin("settings").await;
    let made = client.submit("settings", &id, json!({"lookup_secret_regenerate": true})).await.expect(200);
    let confirmed = client.submit("settings", &id, json!({"lookup_secret_confirm": true})).await.expect(200);
    assert_eq!((confirmed.messages(), &confirmed.json["state"]), (vec![1_050_001], &json!("success")));
    codes(&made).into_iter().map(Option::unwrap).collect()
}

async fn second_factor(client: &mut Client, code: &str) -> Reply {
    let id = client.begin_with("login", "?aal=aal2").await;
    client.submit("login", &id, json!({"method": "lookup_secret", "lookup_secret": code})).await
}

#[tokio::test]
async fn codes_are_valid_once_they_are_confirmed() {
    with_server(enabled(), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin("settings").await;
        let empty = client.fetch("settings", &id).await.expect(200);
        assert_eq!(buttons(&empty), ["lookup_secret_regenerate"]);
        let early = client.submit("settings", &id, json!({"lookup_secret_confirm": true})).await.expect(400);
        assert_eq!(early.messages(), [4_000_001], "there is nothing to confirm");
        let hidden = client.submit("settings", &id, json!({"lookup_secret_reveal": true})).await.expect(400);
        assert_eq!(hidden.messages(), [4_000_014]);

        let made = client.submit("settings", &id, json!({"lookup_secret_regenerate": "true"})).await.expect(200);
        assert_eq!(
            (buttons(&made), &made.json["state"]),
            (vec!["lookup_secret_confirm".to_owned()], &json!("show_form"))
        );
        let text = codes_node(&made);
        let listed: Vec<String> = codes(&made).into_iter().map(Option::unwrap).collect();
        assert_eq!((listed.len(), &text["id"]), (12, &json!(1_050_015)));
        assert_eq!(text["text"], listed.join(", "));
        assert_eq!(client.fetch("settings", &id).await.json["ui"]["nodes"], made.json["ui"]["nodes"]);
        assert_eq!(client.whoami().await.expect(200).json["authenticator_assurance_level"], "aal1");
        assert_eq!(second_factor(&mut client, &listed[0]).await.expect(400).messages(), [4_000_014]);

        let confirmed = client.submit("settings", &id, json!({"lookup_secret_confirm": true})).await.expect(200);
        assert_eq!(buttons(&confirmed), ["lookup_secret_reveal", "lookup_secret_disable"]);
        assert_eq!(client.whoami().await.expect(200).json["authenticator_assurance_level"], "aal2");
        let twice = client.submit("settings", &id, json!({"lookup_secret_confirm": true})).await.expect(400);
        assert_eq!(twice.messages(), [4_000_001]);

        let shown = client.submit("settings", &id, json!({"lookup_secret_reveal": true})).await.expect(200);
        assert_eq!(buttons(&shown), ["lookup_secret_regenerate", "lookup_secret_disable"]);
        assert_eq!(codes(&shown).into_iter().flatten().collect::<Vec<_>>(), listed);

        let removed = client.submit("settings", &id, json!({"lookup_secret_disable": true})).await.expect(200);
        assert_eq!(buttons(&removed), ["lookup_secret_regenerate"]);
        let mut other = server.native();
        other.sign_in("a@example.org", PASSWORD).await.expect(200);
        other.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_code_works_once_and_new_codes_replace_the_old_ones() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        let old = make(&mut owner).await;

        let mut client = server.native();
        client.sign_in("a@example.org", PASSWORD).await.expect(200);
        client.whoami().await.expect(403);
        let id = client.begin_with("login", "?aal=aal2").await;
        let form = client.fetch("login", &id).await.expect(200);
        let expected = [
            "default/csrf_token/hidden/",
            "lookup_secret/lookup_secret/text/",
            "lookup_secret/method/submit/lookup_secret",
        ];
        assert_eq!(form.nodes(), expected);
        let body = |code: &str| json!({"method": "lookup_secret", "lookup_secret": code});
        assert_eq!(client.submit("login", &id, body("abcdefgh")).await.expect(400).messages(), [4_000_016]);
        let missing = client.submit("login", &id, json!({"method": "lookup_secret"})).await.expect(400);
        assert_eq!(missing.node_messages("lookup_secret"), [4_000_002]);
        let upper = old[3].to_ascii_uppercase();
        let done = client.submit("login", &id, body(&format!(" {upper} "))).await.expect(200);
        assert_eq!(done.json["session"]["authenticator_assurance_level"], "aal2");

        let mut other = server.native();
        other.sign_in("a@example.org", PASSWORD).await.expect(200);
        assert_eq!(second_factor(&mut other, &old[3]).await.expect(400).messages(), [4_000_012]);

        let settings = client.begin("settings").await;
        let shown = client.submit("settings", &settings, json!({"lookup_secret_reveal": true})).await.expect(200);
        let used: Vec<usize> =
            codes(&shown).iter().enumerate().filter(|(_, it)| it.is_none()).map(|(at, _)| at).collect();
        assert_eq!(used, [3]);
        let message = &codes_node(&shown)["context"]["secrets"][3];
        assert_eq!((&message["id"], &message["context"]["used_at_unix"]), (&json!(1_050_014), &json!(1_800_000_000)));
        assert!(!shown.text.contains(&old[3]), "a used code is not shown");

        let new = make(&mut client).await;
        assert!(new.iter().all(|code| !old.contains(code)));
        assert_eq!(second_factor(&mut other, &old[0]).await.expect(400).messages(), [4_000_016]);
        second_factor(&mut other, &new[0]).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn one_of_many_concurrent_requests_with_one_code_is_accepted() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        let made = make(&mut owner).await;
        let mut signed_in = server.native();
        signed_in.sign_in("a@example.org", PASSWORD).await.expect(200);
        let mut flows = Vec::new();
        for _ in 0..8 {
            flows.push(signed_in.begin_with("login", "?aal=aal2").await);
        }
        // Two codes concurrently: neither use may undo the other.
        let submissions = flows.iter().enumerate().map(|(at, id)| {
            let body = json!({"method": "lookup_secret", "lookup_secret": made[at % 2]});
            let mut client = signed_in.clone();
            async move { client.submit("login", id, body).await.status.as_u16() }
        });
        let statuses = join_all(submissions).await;
        assert!(statuses.iter().filter(|status| **status == 200).count() <= 2, "{statuses:?}");
        let settings = owner.begin("settings").await;
        let shown = owner.submit("settings", &settings, json!({"lookup_secret_reveal": true})).await.expect(200);
        let used = codes(&shown).iter().filter(|code| code.is_none()).count();
        let successes = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(used, successes, "{statuses:?}");
        assert!(successes >= 1);
    })
    .await;
}

#[tokio::test]
async fn a_code_replaces_a_lost_authenticator_app() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        link(&server, &mut owner).await;
        let made = make(&mut owner).await;

        let mut client = server.native();
        client.sign_in("a@example.org", PASSWORD).await.expect(200);
        let refused = client.get("/self-service/settings/api").await.expect(403);
        assert_eq!(refused.error_id(), "session_aal2_required");
        let id = client.begin_with("login", "?aal=aal2").await;
        let form = client.fetch("login", &id).await.expect(200);
        let groups = ["default/csrf", "totp/totp_code", "totp/method", "lookup_secret/lookup", "lookup_secret/method"];
        assert!(form.nodes().iter().zip(groups).all(|(node, group)| node.starts_with(group)), "{:?}", form.nodes());
        client.submit("login", &id, json!({"method": "lookup_secret", "lookup_secret": made[0]})).await.expect(200);
        let id = client.begin("settings").await;
        client.submit("settings", &id, json!({"totp_unlink": true})).await.expect(200);
        let secret = link(&server, &mut client).await;

        server.advance(60);
        let mut again = server.native();
        again.sign_in("a@example.org", PASSWORD).await.expect(200);
        let id = again.begin_with("login", "?aal=aal2").await;
        let body = json!({"method": "totp", "totp_code": code_of(&server, &secret)});
        again.submit("login", &id, body).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn codes_are_sealed_in_the_flow_and_need_a_recent_sign_in() {
    with_server(enabled(), |server| async move {
        use crate::domain::flow::{Flow, FlowId, Settings};
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin("settings").await;
        let made = client.submit("settings", &id, json!({"lookup_secret_regenerate": true})).await.expect(200);
        let code = codes(&made)[0].clone().unwrap();
        let flow: FlowId = id.parse().unwrap();
        let mut tx = server.identity.database.read(base::TenantId::DEFAULT);
        let stored: Flow<Settings> = crate::storage::flows::find(&mut tx, flow).await.unwrap().unwrap();
        assert!(!serde_json::to_string(&stored).unwrap().contains(&code));
        drop(tx);
        server.advance(2 * 3600);
        let id = client.begin("settings").await;
        for action in ["confirm", "reveal", "disable", "regenerate"] {
            let body = json!({format!("lookup_secret_{action}"): true});
            let refused = client.submit("settings", &id, body).await.expect(403);
            assert_eq!(refused.error_id(), "session_refresh_required", "{action}");
        }
    })
    .await;
}

#[tokio::test]
async fn guesses_at_codes_are_limited() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        make(&mut owner).await;
        let mut thief = server.native();
        thief.http.address = Some([198, 51, 100, 7].into());
        thief.sign_in("a@example.org", PASSWORD).await.expect(200);
        let mut checked = 0;
        for guess in 0..30 {
            if second_factor(&mut thief, &format!("guess{guess:03}")).await.status.as_u16() == 400 {
                checked += 1;
            }
        }
        assert!(checked <= 10, "{checked} guesses were checked");
    })
    .await;
}

#[tokio::test]
async fn used_codes_are_removed_with_the_app_that_they_replaced() {
    with_server(enabled(), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        link(&server, &mut client).await;
        let made = make(&mut client).await;
        for code in &made {
            let mut other = server.native();
            other.sign_in("a@example.org", PASSWORD).await.expect(200);
            second_factor(&mut other, code).await.expect(200);
        }
        let id = client.begin("settings").await;
        client.submit("settings", &id, json!({"totp_unlink": true})).await.expect(200);
        let signed_in = server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
        assert!(signed_in.json["session"].get("identity").is_some(), "one factor is sufficient again");

        // With a code left, the codes stay the second factor.
        link(&server, &mut client).await;
        make(&mut client).await;
        let id = client.begin("settings").await;
        client.submit("settings", &id, json!({"totp_unlink": true})).await.expect(200);
        let signed_in = server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
        assert!(signed_in.json["session"].get("identity").is_none(), "the codes are still required");
    })
    .await;
}

#[tokio::test]
async fn used_codes_are_removed_with_an_app_that_an_administrator_removes() {
    with_server(enabled(), |server| async move {
        for by_patch in [false, true] {
            let address = format!("{by_patch}@example.org");
            let mut client = server.native();
            let id = client.sign_up(&address).await.expect(200).json["identity"]["id"].as_str().unwrap().to_owned();
            link(&server, &mut client).await;
            for code in &make(&mut client).await {
                let mut other = server.native();
                other.sign_in(&address, PASSWORD).await.expect(200);
                second_factor(&mut other, code).await.expect(200);
            }
            let mut operator = server.operator();
            if by_patch {
                let patch = json!([{"op": "remove", "path": "/credentials/totp"}]);
                operator.json(http::Method::PATCH, &format!("/admin/identities/{id}"), &patch).await.expect(200);
            } else {
                let url = format!("/admin/identities/{id}/credentials/totp");
                operator.request(http::Method::DELETE, &url, None).await.expect(204);
            }
            let signed_in = server.native().sign_in(&address, PASSWORD).await.expect(200);
            assert!(signed_in.json["session"].get("identity").is_some(), "one factor is sufficient again");
        }
    })
    .await;
}
