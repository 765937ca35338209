//! What clients of Keto rely on: the claims about its wire format (Keto 26.3) that are easy to get wrong, each with the whole
//! answer. Where `docs/compatibility.md` declares a difference, the test asserts what it declares.

mod checks;
mod expansions;
mod protocols;
mod strict_mode;
mod tuples;

use acceptance::browser::Browser;
use acceptance::page::Page;
use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf as _, BufMut as _, Bytes};
use http::Method;
use serde_json::{Value, json};
use test_client::merge;
use url::Url;

/// `Open` declares nothing, so that every relation exists. In `Doc`, `cycle` and `cycle_too` refer to each other.
const MODEL: &str = r#"
class User implements Namespace {}
class Open implements Namespace {}
class Group implements Namespace { related: { members: (User | SubjectSet<Group, "members">)[] } }
class Folder implements Namespace {
    related: { parents: Folder[], viewers: (User | SubjectSet<Group, "members">)[] }
    permits = {
        view: (ctx: Context): boolean => this.related.viewers.includes(ctx.subject) ||
            this.related.parents.traverse((p) => p.permits.view(ctx)),
    }
}
class Doc implements Namespace {
    related: { parents: Folder[], owners: User[], editors: User[], banned: User[] }
    permits = {
        view: (ctx: Context): boolean => this.related.owners.includes(ctx.subject) ||
            this.related.parents.traverse((p) => p.permits.view(ctx)),
        mixed: (ctx: Context): boolean =>
            this.related.owners.includes(ctx.subject) || this.related.editors.includes(ctx.subject) &&
            this.related.banned.includes(ctx.subject),
        cycle: (ctx: Context): boolean => this.permits.cycle_too(ctx),
        cycle_too: (ctx: Context): boolean => this.permits.cycle(ctx),
    }
}
"#;

const CHECK: &str = "/relation-tuples/check";
const OPENAPI: &str = "/relation-tuples/check/openapi";
const BATCH: &str = "/relation-tuples/batch/check";
const EXPAND: &str = "/relation-tuples/expand";
const LIST: &str = "/relation-tuples";
const TUPLES: &str = "/admin/relation-tuples";

/// Runs `test` on both engines with the model and more keys of the section. Tuples are accepted as Keto accepts them.
async fn with_keys(keys: Value, test: impl AsyncFn(Keto<'_>) -> Result<()>) -> Result<()> {
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    let mut section = json!({ "namespaces": { "location": location }, "write_validation": "lax" });
    merge(&mut section, keys);
    let config = json!({ "permissions": section });
    with_config_on_both_engines(config, async |suite| test(Keto { suite, api: suite.api() }).await).await
}

async fn with_model(test: impl AsyncFn(Keto<'_>) -> Result<()>) -> Result<()> {
    with_keys(json!({}), test).await
}

/// An answer: its status, the headers that the API defines, and its body without the id of the request.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    status: u16,
    /// Empty without a body.
    content_type: String,
    location: String,
    has_snaptoken: bool,
    body: Value,
}

impl Answer {
    fn of(page: &Page) -> Result<Self> {
        let mut body = if page.body.is_empty() { Value::Null } else { page.json()? };
        if let Some(error) = body.pointer_mut("/error").and_then(Value::as_object_mut) {
            let id = page.header("x-request-id");
            ensure!(!id.is_empty() && error.remove("request") == Some(json!(id)), "{}", page.summary());
        }
        let text = |name: &str| page.header(name).to_owned();
        Ok(Self {
            status: page.status.as_u16(),
            content_type: text("content-type"),
            location: text("location"),
            has_snaptoken: !page.header("snaptoken").is_empty(),
            body,
        })
    }

    fn json(status: u16, body: Value) -> Self {
        let content_type = "application/json".to_owned();
        Self { status, content_type, location: String::new(), has_snaptoken: false, body }
    }

    fn empty(status: u16) -> Self {
        Self { content_type: String::new(), ..Self::json(status, Value::Null) }
    }

    fn with_snaptoken(self) -> Self {
        Self { has_snaptoken: true, ..self }
    }

    /// A check with an answer.
    fn checked(status: u16, allowed: bool) -> Self {
        Self::json(status, json!({ "allowed": allowed })).with_snaptoken()
    }

    /// The error format of Keto. `field` is ours.
    fn refused(status: u16, reason: &str, field: Option<&str>) -> Self {
        let details = field.map(|field| json!({ "field": field }));
        Self::failed(status, reason, details)
    }

    /// A check without an answer.
    fn unanswered(limitation: &str, reason: &str) -> Self {
        Self::failed(422, reason, Some(json!({ "limitation": limitation })))
    }

    fn failed(status: u16, reason: &str, details: Option<Value>) -> Self {
        let (name, message) = match status {
            400 => ("Bad Request", "The request cannot be accepted as it is"),
            404 => ("Not Found", "There is no such resource"),
            _ => ("Unprocessable Entity", "The check could not be completed"),
        };
        let mut error = json!({ "code": status, "status": name, "message": message, "reason": reason });
        if let Some(details) = details {
            error["details"] = details;
        }
        Self::json(status, json!({ "error": error }))
    }
}

/// A client of a server.
struct Keto<'a> {
    suite: &'a Suite,
    api: Browser,
}

impl Keto<'_> {
    async fn request(&self, listener: &'static str, method: Method, path: &str, body: &Value) -> Result<Answer> {
        let page = self.api.clone().json(method, self.suite.permissions(listener, path), body).await?;
        Answer::of(&page)
    }

    /// `GET` on the read listener.
    async fn get(&self, path: &str, query: &str) -> Result<Answer> {
        self.request("read", Method::GET, &format!("{path}?{query}"), &Value::Null).await
    }

    /// `POST` on the read listener.
    async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.request("read", Method::POST, path, body).await
    }

    /// Any method at `/admin/relation-tuples`.
    async fn write(&self, method: Method, query: &str, body: &Value) -> Result<Answer> {
        self.request("write", method, &format!("{TUPLES}{query}"), body).await
    }

    async fn insert(&self, tuples: &[&str]) -> Result<()> {
        let deltas: Value = tuples.iter().map(|it| delta("insert", it)).collect();
        let answer = self.write(Method::PATCH, "", &deltas).await?;
        ensure!(answer == Answer::empty(204).with_snaptoken(), "{answer:?}");
        Ok(())
    }

    /// The tuples that a query selects.
    async fn list(&self, query: &str) -> Result<Value> {
        let answer = self.get(LIST, query).await?;
        let tuples = answer.body["relation_tuples"].clone();
        let whole = json!({ "relation_tuples": tuples, "next_page_token": "" });
        ensure!(answer == Answer::json(200, whole), "{answer:?}");
        Ok(tuples)
    }

    /// The answer to `GET /relation-tuples/check`, after a comparison with `POST`.
    async fn check(&self, text: &str, more: &str) -> Result<Answer> {
        let answer = self.get(CHECK, &format!("{}{more}", query(text))).await?;
        let posted = self.post(&format!("{CHECK}?{}", more.trim_start_matches('&')), &tuple(text)).await?;
        ensure!(answer == posted, "{text}: {answer:?} by GET, {posted:?} by POST");
        Ok(answer)
    }

    /// The code of a call by gRPC-Web, and its messages. `method` is `package.Service/Method`; messages are JSON.
    async fn call(&self, listener: &'static str, method: &str, message: &Value) -> Result<(u16, Vec<Value>)> {
        let message = message.to_string();
        let mut frame = vec![0];
        frame.put_u32(u32::try_from(message.len())?);
        frame.put_slice(message.as_bytes());
        let url = Url::parse(&self.suite.permissions(listener, &format!("/{method}")))?;
        let form = Some("application/grpc-web+json");
        let page = self.api.clone().send(Method::POST, &url, form, frame.into()).await?;
        ensure!((page.status.as_u16(), page.header("content-type")) == (200, "application/grpc-web+json"));
        frames(page.body).with_context(|| format!("{method}: {message}"))
    }

    /// The same for the services that have names of Keto.
    async fn keto(&self, listener: &'static str, method: &str, message: &Value) -> Result<(u16, Vec<Value>)> {
        self.call(listener, &format!("ory.keto.relation_tuples.v1alpha2.{method}"), message).await
    }
}

/// The messages of a body, and the status in its trailers (`PROTOCOL-WEB`).
fn frames(mut body: Bytes) -> Result<(u16, Vec<Value>)> {
    let mut messages = Vec::new();
    while body.len() >= 5 {
        let (flags, length) = (body.get_u8(), usize::try_from(body.get_u32())?);
        ensure!(length <= body.len(), "a frame of {length} bytes, and {} are left", body.len());
        let payload = body.split_to(length);
        if flags == 0 {
            messages.push(serde_json::from_slice(&payload)?);
            continue;
        }
        let trailers = std::str::from_utf8(&payload)?;
        let status = trailers.lines().find_map(|line| line.strip_prefix("grpc-status: ")).context("a status")?;
        ensure!(flags == 0x80 && body.is_empty(), "the trailers are the last frame");
        return Ok((status.trim().parse()?, messages));
    }
    bail!("no trailers after {messages:?}")
}

/// The JSON of `Doc:a#owners@User:ada`. A subject with a colon is a subject set, others are ids.
fn tuple(text: &str) -> Value {
    let (object, subject) = text.split_once('@').unwrap_or((text, ""));
    let mut tuple = set(object);
    if subject.contains(':') {
        tuple["subject_set"] = set(subject);
    } else {
        tuple["subject_id"] = json!(subject);
    }
    tuple
}

/// The JSON of `Group:a#members`.
fn set(text: &str) -> Value {
    let (namespace, rest) = text.split_once(':').unwrap_or((text, ""));
    let (object, relation) = rest.split_once('#').unwrap_or((rest, ""));
    json!({ "namespace": namespace, "object": object, "relation": relation })
}

/// The message of a tuple.
fn message(text: &str) -> Value {
    let mut tuple = tuple(text);
    let members = tuple.as_object_mut();
    let subject = members.map(|members| match members.remove("subject_set") {
        Some(set) => json!({ "set": set }),
        None => json!({ "id": members.remove("subject_id") }),
    });
    tuple["subject"] = subject.unwrap_or_default();
    tuple
}

fn delta(action: &str, text: &str) -> Value {
    json!({ "action": action, "relation_tuple": tuple(text) })
}

/// The query of a tuple.
fn query(text: &str) -> String {
    let tuple = tuple(text);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let mut append = |prefix: &str, names: &[&str], of: &Value| {
        for name in names {
            if let Some(value) = of.get(*name).and_then(Value::as_str) {
                query.append_pair(&format!("{prefix}{name}"), value);
            }
        }
    };
    append("", &["namespace", "object", "relation", "subject_id"], &tuple);
    append("subject_set.", &["namespace", "object", "relation"], &tuple["subject_set"]);
    query.finish()
}
