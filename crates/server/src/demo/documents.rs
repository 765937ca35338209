//! The documents of the sample application: everyone who signs in owns one and may share it.
//!
//! Invariant: the application decides nothing. It writes relation tuples, and it opens a document through the gateway, whose rule
//! asks the permission. The reason that it shows comes from the permission service.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use web::outbound::Client;

/// The namespace of the documents.
const NAMESPACE: &str = "Document";
/// The namespace of the people.
const PEOPLE: &str = "User";

/// The permission model of the sample application.
pub(crate) const MODEL: &str = "\
class User implements Namespace {}

class Document implements Namespace {
  related: {
    owners: User[]
    readers: User[]
  }

  permits = {
    read: (ctx: Context): boolean =>
      this.related.readers.includes(ctx.subject) ||
      this.permits.share(ctx),
    share: (ctx: Context): boolean => this.related.owners.includes(ctx.subject),
  }
}
";

/// The APIs that the application uses.
#[derive(Clone, Debug)]
pub(crate) struct Apis {
    pub(crate) permissions_read: Url,
    pub(crate) permissions_write: Url,
    pub(crate) identities: Url,
}

/// The most members that are shown.
const MOST_MEMBERS: &str = "100";

pub(super) struct Documents {
    apis: Apis,
    http: Client,
}

/// Somebody who has a relation to a document.
pub(super) struct Member {
    pub(super) subject: Subject,
    /// The address of a person, or else the subject as the relation tuple has it.
    pub(super) name: String,
    /// The permissions that follow from the relation.
    pub(super) permissions: &'static str,
    /// The relation tuple.
    pub(super) because: String,
    pub(super) is_owner: bool,
}

#[derive(Deserialize)]
struct Page {
    relation_tuples: Vec<Tuple>,
}

#[derive(Deserialize)]
struct Tuple {
    relation: String,
    #[serde(flatten)]
    subject: Subject,
}

/// The subject of a relation tuple. The application writes people; other programs may write anything.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Subject {
    #[serde(rename = "subject_id")]
    Id(String),
    #[serde(rename = "subject_set")]
    Set(SubjectSet),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct SubjectSet {
    namespace: String,
    object: String,
    relation: String,
}

impl Subject {
    /// The person with this id of an identity.
    pub(super) fn person(id: &str) -> Self {
        Self::Set(SubjectSet { namespace: PEOPLE.to_owned(), object: id.to_owned(), relation: String::new() })
    }

    /// The id of the identity, if the subject is a person.
    fn identity(&self) -> Option<&str> {
        match self {
            Self::Set(set) if set.namespace == PEOPLE && set.relation.is_empty() => Some(&set.object),
            Self::Set(_) | Self::Id(_) => None,
        }
    }
}

/// As in the text of a relation tuple.
impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => f.write_str(id),
            Self::Set(SubjectSet { namespace, object, relation }) if relation.is_empty() => {
                write!(f, "{namespace}:{object}")
            }
            Self::Set(SubjectSet { namespace, object, relation }) => write!(f, "{namespace}:{object}#{relation}"),
        }
    }
}

/// Whether somebody may read a document, and why.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) allowed: bool,
    /// The way that grants, or the nearest miss.
    pub(super) why: Vec<String>,
}

#[derive(Deserialize)]
struct Checked {
    allowed: bool,
    explanation: Explanation,
}

#[derive(Deserialize)]
struct Explanation {
    #[serde(alias = "nearest_miss")]
    path: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    text: String,
}

/// An API did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ApiError(String);

impl Documents {
    pub(super) fn new(apis: Apis, http: Client) -> Self {
        Self { apis, http }
    }

    /// Makes a person the owner of their document. The id of the document is that of its owner.
    pub(super) async fn own(&self, person: &str) -> Result<(), ApiError> {
        self.write(&tuple(person, "owners", &Subject::person(person))).await
    }

    pub(super) async fn share(&self, document: &str, reader: &str) -> Result<(), ApiError> {
        self.write(&tuple(document, "readers", &Subject::person(reader))).await
    }

    pub(super) async fn revoke(&self, document: &str, reader: &Subject) -> Result<(), ApiError> {
        let mut url = at(&self.apis.permissions_write, &["admin", "relation-tuples"]);
        let subject = match reader {
            Subject::Id(id) => vec![("subject_id", id)],
            Subject::Set(SubjectSet { namespace, object, relation }) => vec![
                ("subject_set.namespace", namespace),
                ("subject_set.object", object),
                ("subject_set.relation", relation),
            ],
        };
        let tuple = [("namespace", NAMESPACE), ("object", document), ("relation", "readers")];
        url.query_pairs_mut().extend_pairs(tuple).extend_pairs(subject);
        self.send(Method::DELETE, &url, None).await.map(drop)
    }

    /// Everyone who has a relation to a document.
    pub(super) async fn members(&self, document: &str) -> Result<Vec<Member>, ApiError> {
        let mut url = at(&self.apis.permissions_read, &["relation-tuples"]);
        let query = [("namespace", NAMESPACE), ("object", document), ("page_size", MOST_MEMBERS)];
        url.query_pairs_mut().extend_pairs(query);
        let page: Page = read(&self.send(Method::GET, &url, None).await?)?;
        let mut members = Vec::new();
        for Tuple { relation, subject } in page.relation_tuples {
            members.push(Member {
                name: self.name_of(&subject).await?,
                permissions: if relation == "owners" { "read, share" } else { "read" },
                because: format!("{NAMESPACE}:{document}#{relation}@{subject}"),
                is_owner: relation == "owners",
                subject,
            });
        }
        Ok(members)
    }

    /// Whether a person may read a document, and why.
    pub(super) async fn reading(&self, document: &str, person: &str) -> Result<Reading, ApiError> {
        let mut url = at(&self.apis.permissions_read, &["relation-tuples", "check", "openapi"]);
        url.query_pairs_mut().append_pair("explain", "true");
        let question = tuple(document, "read", &Subject::person(person));
        let answer = self.send(Method::POST, &url, Some(&question)).await?;
        let Checked { allowed, explanation } = read(&answer)?;
        Ok(Reading { allowed, why: explanation.path.into_iter().map(|step| step.text).collect() })
    }

    /// The id of the identity with this address.
    pub(super) async fn find(&self, email: &str) -> Result<Option<String>, ApiError> {
        // An empty filter lists all identities.
        if email.trim().is_empty() {
            return Ok(None);
        }
        let mut url = at(&self.apis.identities, &["admin", "identities"]);
        url.query_pairs_mut().append_pair("credentials_identifier", email);
        let found: Vec<Value> = read(&self.send(Method::GET, &url, None).await?)?;
        let [identity] = found.as_slice() else { return Ok(None) };
        Ok(identity["id"].as_str().map(str::to_owned))
    }

    /// The address of a person; of another subject, and of one without an identity, its text.
    pub(super) async fn name_of(&self, subject: &Subject) -> Result<String, ApiError> {
        let email = match subject.identity() {
            Some(id) => self.email_of(id).await?,
            None => None,
        };
        Ok(email.unwrap_or_else(|| subject.to_string()))
    }

    async fn email_of(&self, id: &str) -> Result<Option<String>, ApiError> {
        let url = at(&self.apis.identities, &["admin", "identities", id]);
        let (status, body) = self.exchange(Method::GET, &url, None).await?;
        match status {
            StatusCode::OK => Ok(read::<Value>(&body)?["traits"]["email"].as_str().map(str::to_owned)),
            // The relation tuples of a deleted identity stay, and other programs may write an id that is not one of an identity.
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Ok(None),
            status => Err(ApiError(format!("{} answers {status}", url.path()))),
        }
    }

    async fn write(&self, tuple: &Value) -> Result<(), ApiError> {
        let url = at(&self.apis.permissions_write, &["admin", "relation-tuples"]);
        self.send(Method::PUT, &url, Some(tuple)).await.map(drop)
    }

    async fn send(&self, method: Method, url: &Url, body: Option<&Value>) -> Result<Bytes, ApiError> {
        let (status, answer) = self.exchange(method, url, body).await?;
        if status.is_success() { Ok(answer) } else { Err(ApiError(format!("{} answers {status}", url.path()))) }
    }

    async fn exchange(&self, method: Method, url: &Url, body: Option<&Value>) -> Result<(StatusCode, Bytes), ApiError> {
        let mut request = Request::builder().method(method).uri(url.as_str());
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(body).map_err(|error| ApiError(error.to_string()))?;
        let answer = self.http.send(request).await.map_err(|error| ApiError(error.to_string()))?;
        Ok((answer.status(), answer.into_body()))
    }
}

/// Each segment is encoded.
fn at(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

fn tuple(document: &str, relation: &str, subject: &Subject) -> Value {
    let mut tuple = json!({ "namespace": NAMESPACE, "object": document, "relation": relation });
    match subject {
        Subject::Id(id) => tuple["subject_id"] = json!(id),
        Subject::Set(set) => tuple["subject_set"] = json!(set),
    }
    tuple
}

fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError(format!("an answer is not the expected JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use base::TrustStore;
    use permission_language::{SourceFile, format, parse};
    use web::outbound::Destinations;

    use super::*;

    #[test]
    fn every_kind_of_subject_is_a_member() {
        let page = r#"{"relation_tuples": [
            {"namespace": "Document", "object": "d", "relation": "readers", "subject_id": "bob"},
            {"namespace": "Document", "object": "d", "relation": "readers",
             "subject_set": {"namespace": "User", "object": "ada", "relation": ""}},
            {"namespace": "Document", "object": "d", "relation": "readers",
             "subject_set": {"namespace": "Group", "object": "staff", "relation": "members"}}
        ], "next_page_token": ""}"#;
        let page: Page = serde_json::from_str(page).unwrap();
        let shown: Vec<String> = page.relation_tuples.iter().map(|tuple| tuple.subject.to_string()).collect();
        assert_eq!(shown, ["bob", "User:ada", "Group:staff#members"]);
        let people: Vec<_> = page.relation_tuples.iter().map(|tuple| tuple.subject.identity()).collect();
        assert_eq!(people, [None, Some("ada"), None]);
        for tuple in page.relation_tuples {
            let sent = serde_json::to_string(&tuple.subject).unwrap();
            assert_eq!(serde_json::from_str::<Subject>(&sent).unwrap(), tuple.subject);
        }
    }

    /// An empty filter of `GET /admin/identities` lists all identities, as in Kratos.
    #[tokio::test]
    async fn an_empty_address_is_nobodys() {
        // Nothing answers there, so whoever asks gets an error.
        let url = || Url::parse("http://127.0.0.1:1/").unwrap();
        let apis = Apis { permissions_read: url(), permissions_write: url(), identities: url() };
        let documents = Documents::new(apis, Client::new(Destinations::Any, &TrustStore::bundled()));
        for empty in ["", " ", "\t\n\u{a0}"] {
            assert_eq!(documents.find(empty).await.unwrap(), None);
        }
        assert!(documents.find("ada@example.org").await.is_err());
    }

    #[test]
    fn the_model_of_the_sample_is_valid_and_in_its_layout() {
        let outcome = parse(&[SourceFile { name: "model.ts", text: MODEL }]);
        assert!(outcome.model.is_some() && outcome.problems.is_empty(), "{:?}", outcome.problems);
        assert_eq!(format(MODEL).as_deref(), Ok(MODEL));
    }
}
