//! JSON bodies: invalid JSON, and JSON of the wrong shape at every member of every route.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::routes::{Body, Place, ROUTES, Route};
use super::verdict::{about, refused, refused_by_name, sane};
use super::wire::{Answer, Request, send};
use super::world::{ALICE, World, granted};
use crate::identity::PASSWORD;

/// A placeholder for raw bytes in a body.
const MARK: &str = "@here@";

/// Texts that no parser may accept as JSON.
fn malformed() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 24] = [
        b"{",
        b"[",
        b"{\"a\"",
        b"{\"a\":",
        b"{\"a\":\"b",
        b"{\"a\":\"b\"",
        b"{\"a\":1,}",
        b"{a:1}",
        b"{'a':1}",
        b"{\"a\":1} x",
        b"{}{}",
        b"{\"a\":tru}",
        b"{\"a\":NaN}",
        b"{\"a\":01}",
        b"{\"a\":-}",
        b"{\"a\":1e}",
        b"{\"a\":\"\x00\"}",
        b"{\"a\":\"\\x41\"}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"{\"\xff\":1}",
        b"\x00",
        b"<a/>",
        b"a=b&c=d",
    ];
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(15_000), close.repeat(15_000)).into_bytes();
    let mut all: Vec<Vec<u8>> = texts.into_iter().map(<[u8]>::to_vec).collect();
    all.extend([deep("[", "]"), deep("[", ""), deep("{\"a\":", ""), deep("{\"a\":[", "]}")]);
    all
}

/// Well-formed JSON of a type that no body has.
const NOT_A_BODY: [&str; 5] = ["null", "true", "1", "\"text\"", "[[]]"];

/// Values that make a document malformed.
const MALFORMED_VALUES: [&[u8]; 5] = [b"\"\\ud800\"", b"\"\\udc00\\ud800\"", b"\"\xff\"", b"1e999", b"\"\\u00\""];

/// Values that are unusual for most members.
fn odd_values() -> Vec<String> {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let mut values: Vec<String> =
        ["null", "true", "-1", "0", "1.5", "9223372036854775808", "-1e308", "[]", "{}", "\"\""]
            .map(str::to_owned)
            .to_vec();
    values.extend(
        ["\"\u{202e}\u{fffe}\\u0001\"", "[null]", "{\"\":null}", "\"9999999999h\"", "\"-5s\""].map(str::to_owned),
    );
    values.extend([nested(60), nested(110)]);
    // Longer than an index entry of PostgreSQL may be, and not compressible.
    let long = incompressible(70_000);
    values.extend([format!("\"{long}\""), format!("\"{}@example.org\"", &long[..4_000])]);
    values
}

/// Letters and digits without a pattern.
pub(crate) fn incompressible(length: usize) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = |_| {
        // Xorshift (Marsaglia 2003): any sequence without a pattern works.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(LETTERS[usize::try_from(state % 32).unwrap_or(0)])
    };
    (0..length).map(next).collect()
}

/// A valid body for each route that reads JSON.
pub(crate) fn sample(world: &World, route: &Route) -> Result<Value> {
    let path = route.path.split('?').next().unwrap_or_default();
    // RFC 7517 appendix A.2.
    let key = json!({
        "kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "use": "sig",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    });
    let client = json!({
        "client_name": "name", "redirect_uris": ["https://a.example/cb"], "grant_types": ["client_credentials"],
        "response_types": ["code"], "scope": "a b", "audience": ["https://api.example"], "owner": "owner",
        "contacts": ["a@example.org"], "metadata": { "a": 1 }, "jwks": { "keys": [] }, "jwks_uri": "",
        "token_endpoint_auth_method": "client_secret_post", "client_secret": "a secret that is long", "skip_consent": false,
        "access_token_strategy": "jwt", "client_credentials_grant_access_token_lifespan": "1h",
        "post_logout_redirect_uris": ["https://a.example/bye"], "allowed_cors_origins": ["https://a.example"],
        "backchannel_logout_uri": "https://a.example/back", "subject_type": "public", "policy_uri": "https://a.example/p",
    });
    let identity = json!({
        "schema_id": "default", "state": "active", "traits": { "email": "bob@example.org", "name": { "first": "Bob", "last": "B" } },
        "metadata_public": { "a": 1 }, "metadata_admin": { "a": 1 }, "external_id": "external",
        "credentials": { "password": { "config": { "password": "another fine password" } } },
    });
    let sample = match (route.method, path) {
        ("POST", "/self-service/login") => {
            json!({ "method": "password", "identifier": ALICE, "password": PASSWORD, "csrf_token": "x" })
        }
        ("POST", "/self-service/registration") => {
            json!({ "method": "password", "password": PASSWORD, "traits": { "email": ALICE, "name": { "first": "Alice", "last": "A" } }, "transient_payload": { "a": 1 } })
        }
        ("POST", "/self-service/settings") => {
            json!({ "method": "profile", "traits": { "email": ALICE, "name": { "first": "Alice", "last": "A" } } })
        }
        ("POST", "/self-service/recovery" | "/self-service/verification") => {
            json!({ "method": "code", "email": "nobody@example.org", "code": "" })
        }
        ("DELETE", "/self-service/logout/api") => json!({ "session_token": "ory_st_unknown" }),
        ("POST", "/admin/identities") => {
            let mut identity = identity;
            identity["verifiable_addresses"] =
                json!([{ "value": "bob@example.org", "via": "email", "verified": true, "status": "completed" }]);
            identity["recovery_addresses"] = json!([{ "value": "bob@example.org", "via": "email" }]);
            identity
        }
        ("PATCH", "/admin/identities") => {
            json!({ "identities": [{ "patch_id": world.name("uuid"), "create": identity }] })
        }
        ("PUT", "/admin/identities/{identity}") => {
            let mut identity = identity;
            identity["traits"]["email"] = json!(ALICE);
            identity["external_id"] = json!("another");
            identity
        }
        ("PATCH", "/admin/identities/{identity}") => {
            json!([{ "op": "replace", "path": "/metadata_public", "value": { "a": 1 } }])
        }
        ("POST", "/admin/sessions") => json!({ "action": "disable", "sessions": [world.name("uuid")] }),
        ("POST", "/admin/recovery/code") => {
            json!({ "identity_id": world.name("identity"), "expires_in": "1h", "flow_type": "api" })
        }
        ("POST" | "PUT", "/admin/clients" | "/admin/clients/{spare}") => client,
        ("PATCH", "/admin/clients/{spare}") => json!([{ "op": "replace", "path": "/client_name", "value": "other" }]),
        ("PUT", "/admin/clients/{spare}/lifespans") => {
            json!({ "authorization_code_grant_access_token_lifespan": "1h", "refresh_token_grant_id_token_lifespan": "1h" })
        }
        ("PUT", "/admin/oauth2/auth/requests/login/accept") => {
            json!({ "subject": "alice", "remember": true, "remember_for": 60, "acr": "0", "amr": ["pwd"], "context": { "a": 1 },
                "force_subject_identifier": "a", "identity_provider_session_id": world.name("uuid") })
        }
        ("PUT", "/admin/oauth2/auth/requests/consent/accept") => {
            json!({ "grant_scope": ["openid"], "grant_access_token_audience": [], "remember": true, "remember_for": 60,
                "context": {}, "session": { "access_token": { "a": 1 }, "id_token": { "a": 1 } } })
        }
        ("PUT", "/admin/oauth2/auth/requests/login/reject" | "/admin/oauth2/auth/requests/consent/reject") => {
            json!({ "error": "access_denied", "error_description": "no", "error_hint": "h" })
        }
        ("POST", "/admin/recovery/link") => json!({ "identity_id": world.name("identity"), "expires_in": "1h" }),
        ("POST", "/admin/keys/{set}") => json!({ "alg": "ES256", "kid": "two", "use": "sig" }),
        ("PUT", "/admin/keys/{set}") => json!({ "keys": [key] }),
        ("PUT", "/admin/keys/{set}/{kid}") => key,
        ("POST", "/open/a") => json!({ "a": 1 }),
        ("POST", procedure) if procedure.contains('.') => call(procedure)?,
        (method, path) => {
            of_permissions(method, path).with_context(|| format!("no sample for {} {}", route.method, route.path))?
        }
    };
    Ok(sample)
}

/// The bodies of the permission service by REST.
fn of_permissions(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("POST", "/relation-tuples/check" | "/relation-tuples/check/openapi") => {
            let mut check = granted();
            check["context"] = json!({ "hour": 9 });
            check
        }
        ("POST", "/relation-tuples/batch/check") => json!({ "tuples": [granted()], "context": { "hour": 9 } }),
        ("POST", "/relation-tuples/objects") => {
            json!({ "namespace": "Doc", "relation": "viewer", "subject_id": "alice", "context": { "hour": 9 } })
        }
        ("POST", "/relation-tuples/subjects") => {
            json!({ "namespace": "Doc", "object": "a", "relation": "viewer", "context": { "hour": 9 } })
        }
        ("POST", "/relation-tuples/relations") => {
            json!({ "namespace": "Doc", "object": "a", "subject_id": "alice", "context": { "hour": 9 } })
        }
        ("POST", "/admin/relation-tuples/migrate-subjects") => {
            json!({ "map": [{ "pattern": "nobody_*", "namespace": "Group" }], "dry_run": true })
        }
        ("PUT", "/admin/relation-tuples") => granted(),
        ("PATCH", "/admin/relation-tuples") => json!([{ "action": "insert", "relation_tuple": granted() }]),
        ("POST", "/access/v1/evaluation") => access(),
        ("POST", "/access/v1/evaluations") => {
            let mut list = access();
            list["evaluations"] = json!([{ "resource": { "type": "Doc", "id": "b" } }]);
            list["options"] = json!({ "evaluations_semantic": "deny_on_first_deny" });
            list
        }
        ("POST", "/access/v1/search/subject") => without(access(), "/subject", "id"),
        ("POST", "/access/v1/search/resource") => without(access(), "/resource", "id"),
        ("POST", "/access/v1/search/action") => without(access(), "", "action"),
        _ => return None,
    })
}

/// The message of a remote procedure.
fn call(procedure: &str) -> Result<Value> {
    let set = json!({ "namespace": "Group", "object": "g", "relation": "" });
    let tuple = json!({ "namespace": "Doc", "object": "a", "relation": "viewer", "subject": { "set": set } });
    let query = json!({ "namespace": "Doc", "object": "a", "relation": "viewer", "subject": { "id": "alice" } });
    let (service, method) = procedure.trim_start_matches('/').split_once('/').unwrap_or((procedure, ""));
    Ok(match (service.rsplit('.').next().unwrap_or_default(), method) {
        ("CheckService", "Check") => json!({ "tuple": tuple, "latest": true, "max_depth": 3 }),
        ("CheckService", "BatchCheck") => json!({ "tuples": [tuple], "max_depth": 3 }),
        ("ExpandService", "Expand") => json!({ "subject": tuple["subject"], "max_depth": 3 }),
        ("ReadService", _) => json!({ "relation_query": query, "page_size": 10 }),
        ("RelationTupleReadService", _) => json!({ "query": query, "page_size": 10 }),
        ("WriteService", "TransactRelationTuples") => {
            json!({ "relation_tuple_deltas": [{ "action": "ACTION_INSERT", "relation_tuple": tuple }] })
        }
        ("WriteService", "DeleteRelationTuples") => json!({ "relation_query": query }),
        ("RelationTupleWriteService", _) => json!({ "inserts": [{ "tuple": tuple }], "deletes": [] }),
        ("SyntaxService", _) => json!({ "content": STANDARD.encode("class A implements Namespace {}") }),
        ("PermissionService", "Check") => {
            json!({ "tuple": tuple, "context": { "hour": 9 }, "consistency": { "fully_consistent": true }, "explain": true })
        }
        ("PermissionService", "BatchCheck") => json!({ "tuples": [tuple], "context": { "hour": 9 }, "max_depth": 3 }),
        ("PermissionService", "ListRelations") => {
            json!({ "namespace": "Doc", "object": "a", "subject": tuple["subject"], "max_depth": 3 })
        }
        ("Health", _) => json!({ "service": "" }),
        ("NamespacesService" | "VersionService", _) => json!({}),
        _ => anyhow::bail!("no message for {procedure}"),
    })
}

/// The question of an access evaluation that [`granted`] answers.
fn access() -> Value {
    json!({
        "subject": { "type": "Group", "id": "g", "properties": { "role": "admin" } },
        "action": { "name": "viewer", "properties": { "soft": true } },
        "resource": { "type": "Doc", "id": "a", "properties": { "status": "active" } },
        "context": { "hour": 9 },
    })
}

fn without(mut value: Value, pointer: &str, name: &str) -> Value {
    if let Some(members) = value.pointer_mut(pointer).and_then(Value::as_object_mut) {
        members.remove(name);
    }
    value
}

/// The body once for each of its members, with the placeholder in place of that member, and the member's name.
fn marked(value: &Value) -> Vec<(String, Value)> {
    let in_place = |name: String, inner: &Value, put: &dyn Fn(Value) -> Value| {
        let mut all = vec![(name.clone(), put(json!(MARK)))];
        all.extend(marked(inner).into_iter().map(|(deeper, marked)| (deeper, put(marked))));
        all
    };
    match value {
        Value::Object(members) => {
            let of_member = |(name, inner): (&String, &Value)| {
                let put = |marked| {
                    let mut copy = value.clone();
                    copy[name] = marked;
                    copy
                };
                in_place(name.clone(), inner, &put)
            };
            members.iter().flat_map(of_member).collect()
        }
        Value::Array(items) => {
            let of_item = |(index, inner): (usize, &Value)| {
                let put = |marked| {
                    let mut copy = value.clone();
                    copy[index] = marked;
                    copy
                };
                in_place(format!("{index}"), inner, &put)
            };
            items.iter().enumerate().flat_map(of_item).collect()
        }
        _ => Vec::new(),
    }
}

fn with(marked: &Value, bytes: &[u8]) -> Vec<u8> {
    let text = marked.to_string();
    let (before, after) = text.split_once(&format!("\"{MARK}\"")).unwrap_or((&text, ""));
    [before.as_bytes(), bytes, after.as_bytes()].concat()
}

async fn submit(world: &World, route: &Route, body: impl Into<Vec<u8>>) -> Result<Answer> {
    let request = Request::new(route.method, world.fill(route.path)).header("Accept", "application/json");
    let request =
        if route.path.contains("settings") { request.header("X-Session-Token", &world.session_token) } else { request };
    send(world, route.place, &request.json(body)).await
}

/// The routes that parse the body; the proxy forwards it.
fn readers() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.reads_json() && route.place != Place::GatewayProxy)
}

#[tokio::test]
async fn invalid_json_is_refused() -> Result<()> {
    let world = World::on_sqlite().await?;
    for route in readers() {
        for body in malformed() {
            let answer = submit(&world, route, body.clone()).await?;
            ensure!(answer.status == 400, "{}: {}", about(route, String::from_utf8_lossy(&body)), answer.summary());
            refused(route.place, &answer).with_context(|| about(route, String::from_utf8_lossy(&body)))?;
        }
        for body in NOT_A_BODY {
            let answer = submit(&world, route, body).await?;
            ensure!(answer.status == 400, "{}: {}", about(route, body), answer.summary());
            refused(route.place, &answer).with_context(|| about(route, body))?;
        }
    }
    world.end().await
}

#[tokio::test]
async fn an_invalid_text_or_number_is_refused_with_the_name_of_its_member() -> Result<()> {
    World::on_both_engines(async |world| {
        for route in readers() {
            for (name, body) in marked(&sample(world, route)?) {
                for value in MALFORMED_VALUES {
                    let answer = submit(world, route, with(&body, value)).await?;
                    let what = || about(route, (&name, String::from_utf8_lossy(value)));
                    ensure!(answer.status == 400, "{}: {}", what(), answer.summary());
                    refused(route.place, &answer).with_context(what)?;
                }
                // PostgreSQL cannot store U+0000 in a text.
                for value in ["\"a\\u0000b\"", "{\"a\":[\"\\u0000\"]}", "{\"\\u0000\":1}"] {
                    let answer = submit(world, route, with(&body, value.as_bytes())).await?;
                    ensure!(answer.status == 400, "{}: {}", about(route, (&name, value)), answer.summary());
                    refused_by_name(route.place, &answer, &name).with_context(|| about(route, (&name, value)))?;
                }
            }
        }
        Ok(())
    })
    .await
}

/// The samples that other tests change are valid, so that a refusal there is about the change.
#[tokio::test]
async fn the_samples_are_accepted() -> Result<()> {
    let world = World::on_sqlite().await?;
    for route in readers().filter(|route| route.place != Place::IdentityPublic) {
        let answer = submit(&world, route, sample(&world, route)?.to_string()).await?;
        let is_taken = (200..300).contains(&answer.status);
        ensure!(is_taken, "{}: {}", about(route, "its sample"), answer.summary());
    }
    world.end().await
}

#[tokio::test]
async fn a_member_of_an_unusual_type_or_size_is_accepted_or_refused() -> Result<()> {
    World::on_both_engines(async |world| {
        let mut unnamed = Vec::new();
        for route in readers() {
            for (name, body) in marked(&sample(world, route)?) {
                for value in odd_values() {
                    let answer = submit(world, route, with(&body, value.as_bytes())).await?;
                    sane(route.place, &answer).with_context(|| about(route, (&name, &value)))?;
                    let text = answer.text();
                    // An item of a list is named by the list.
                    let is_place = name.bytes().all(|byte| byte.is_ascii_digit());
                    // Without a tuple a call has its deprecated members.
                    let is_absent = name == "tuple" && text.contains("subject: id or set is required");
                    // Nobody knows the names below the depth that messages may have.
                    let is_deep = ["nested deeper", "recursion limit"].iter().any(|it| text.contains(it));
                    let is_named = is_place || is_absent || is_deep || text.contains(&name);
                    // An incomplete flow names the field in its messages.
                    if answer.status == 400 && route.place != Place::IdentityPublic && !is_named {
                        unnamed.push(format!("{}: {}", about(route, (&name, &value)), answer.summary()));
                    }
                }
            }
            let body = sample(world, route)?.to_string();
            let twice = body.replacen('{', "{\"a\":1,\"a\":2,", 1);
            let inside = body.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
            let all_twice = format!("{{{inside},{inside}}}");
            for body in [twice, all_twice, format!("  {body}\r\n\t")] {
                let answer = submit(world, route, body.clone()).await?;
                sane(route.place, &answer).with_context(|| about(route, &body))?;
            }
        }
        ensure!(unnamed.is_empty(), "refusals that name no field:\n{}", unnamed.join("\n"));
        readable(world).await
    })
    .await
}

/// All stored values can be read.
async fn readable(world: &World) -> Result<()> {
    for route in ROUTES.iter().filter(|route| route.method == "GET" && route.body == Body::None) {
        let answer = send(world, route.place, &Request::new("GET", world.fill(route.path))).await?;
        sane(route.place, &answer).with_context(|| about(route, "what was stored"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_document_cannot_be_patched_deeper_than_it_can_be_read() -> Result<()> {
    World::on_both_engines(async |world| {
        let deep = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        for (place, path, member) in [
            (Place::IdentityAdmin, "/admin/identities/{identity}", "metadata_public"),
            (Place::OauthAdmin, "/admin/clients/{spare}", "metadata"),
        ] {
            for round in 0..6 {
                let pointer = format!("/{member}{}", "/a".repeat(100 * round));
                let body = format!("[{{\"op\":\"add\",\"path\":\"{pointer}\",\"value\":{}}}]", deep(100));
                let answer = send(world, place, &Request::new("PATCH", world.fill(path)).json(body)).await?;
                sane(place, &answer).with_context(|| pointer)?;
                let answer = send(world, place, &Request::new("GET", world.fill(path))).await?;
                ensure!(answer.status == 200, "after {round} rounds: {}", answer.summary());
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn json_with_another_content_type_is_refused() -> Result<()> {
    let world = World::on_sqlite().await?;
    for route in readers() {
        for content_type in
            ["text/plain", "multipart/form-data; boundary=x", "application/xml", "\u{1}", "*/*", ";;;", "a"]
        {
            let request = Request::new(route.method, world.fill(route.path)).header("Accept", "application/json");
            let answer = send(&world, route.place, &request.body(content_type, "{}")).await;
            // A control character in a header is refused by the parser.
            let Ok(answer) = answer else { continue };
            if content_type == "\u{1}" {
                ensure!(answer.status == 400, "{}", answer.summary());
                continue;
            }
            sane(route.place, &answer).with_context(|| about(route, content_type))?;
        }
    }
    world.end().await
}
