//! Every operation of the client for permissions, with right and wrong requests. Answers are compared whole, so that a member
//! which the client does not know, or which is missing, fails.

use anyhow::{Context as _, Result, anyhow, ensure};
use ory_keto_client::apis::configuration::Configuration;
use ory_keto_client::apis::permission_api::{self as checks, CheckPermissionOrErrorError};
use ory_keto_client::apis::relationship_api as relationships;
use ory_keto_client::apis::{Error, ResponseContent, metadata_api};
use ory_keto_client::models::expanded_permission_tree::TypeEnum;
use ory_keto_client::models::relationship_patch::ActionEnum;
use ory_keto_client::models::{
    BatchCheckPermissionBody, CheckPermissionResult, CheckPermissionResultWithError, CreateRelationshipBody,
    ErrorGeneric, ExpandedPermissionTree, PostCheckPermissionBody, PostCheckPermissionOrErrorBody, Relationship,
    RelationshipPatch, SubjectSet,
};
use serde::de::DeserializeOwned;

use super::{address, explain, ok};

struct Sdk {
    read: Configuration,
    write: Configuration,
    opl: Configuration,
}

/// A refused call: its status, and its error as the client reads it.
fn refused<T, E: std::fmt::Debug>(outcome: Result<T, Error<E>>) -> Result<ResponseContent<E>> {
    match outcome {
        Err(Error::ResponseError(content)) => Ok(content),
        Err(other) => Err(explain(other)),
        Ok(_) => Err(anyhow!("the call is not refused")),
    }
}

/// The call is refused with that status, and the reason has that text.
fn refused_with<T, E: std::fmt::Debug>(outcome: Result<T, Error<E>>, status: u16, reason: &str) -> Result<()> {
    let ResponseContent { status: found, content, entity } = refused(outcome)?;
    ensure!(found.as_u16() == status, "{found}: {content}");
    let entity = entity.with_context(|| format!("the client cannot read {content}"))?;
    ensure!(!format!("{entity:?}").contains("UnknownValue"), "the client does not know this error: {content}");
    let error = read::<ErrorGeneric>(&content)?.error;
    ensure!(error.code == Some(status.into()) && !error.message.is_empty(), "{content}");
    ensure!(error.reason.as_deref().is_some_and(|it| it.contains(reason)), "{content}");
    Ok(())
}

fn read<T: DeserializeOwned>(content: &str) -> Result<T> {
    serde_json::from_str(content).with_context(|| content.to_owned())
}

fn user(name: &str) -> SubjectSet {
    SubjectSet::new("User".to_owned(), name.to_owned(), String::new())
}

fn tuple(object: &str, relation: &str, subject: SubjectSet) -> Relationship {
    let tuple = Relationship::new("Doc".to_owned(), object.to_owned(), relation.to_owned());
    Relationship { subject_set: Some(Box::new(subject)), ..tuple }
}

fn of_id(object: &str, id: &str) -> Relationship {
    let tuple = Relationship::new("Doc".to_owned(), object.to_owned(), "viewer".to_owned());
    Relationship { subject_id: Some(id.to_owned()), ..tuple }
}

impl Sdk {
    async fn patch(&self, action: ActionEnum, tuples: &[Relationship]) -> Result<()> {
        let patch = |tuple: &Relationship| RelationshipPatch {
            action: Some(action),
            relation_tuple: Some(Box::new(tuple.clone())),
        };
        let patches = tuples.iter().map(patch).collect();
        relationships::patch_relationships(&self.write, Some(patches)).await.map_err(explain)
    }

    async fn list(&self, object: &str) -> Result<Vec<Relationship>> {
        let (namespace, object) = (Some("Doc"), Some(object));
        let listed =
            relationships::get_relationships(&self.read, None, None, namespace, object, None, None, None, None, None);
        let listed = listed.await.map_err(explain)?;
        ensure!(listed.next_page_token.as_deref() == Some(""), "{listed:?}");
        listed.relation_tuples.context("a list")
    }

    async fn write(&self) -> Result<()> {
        let created = tuple("rust/ü", "owner", user("ada"));
        let body = CreateRelationshipBody {
            namespace: Some("Doc".to_owned()),
            object: Some(created.object.clone()),
            relation: Some("owner".to_owned()),
            subject_set: created.subject_set.clone(),
            ..CreateRelationshipBody::new()
        };
        let echoed = relationships::create_relationship(&self.write, Some(body)).await.map_err(explain)?;
        ensure!(echoed == created && self.list("rust/ü").await? == [created], "{echoed:?}");
        ok("a relationship is created");
        let group = SubjectSet::new("Group".to_owned(), "rust".to_owned(), "member".to_owned());
        let tuples = [
            tuple("rust", "viewer", group),
            tuple("rust", "owner", user("ada")),
            of_id("rust", "an id"),
            of_id("rust 2", "an id"),
        ];
        self.patch(ActionEnum::Insert, &tuples).await?;
        let mut member = tuple("rust", "member", user("bob"));
        "Group".clone_into(&mut member.namespace);
        self.patch(ActionEnum::Insert, &[member]).await?;
        self.patch(ActionEnum::Delete, &tuples[3..]).await?;
        ensure!(self.list("rust 2").await?.is_empty());
        ok("relationships are inserted and deleted by a patch");
        Ok(())
    }

    async fn pages(&self) -> Result<()> {
        let page = async |size: i64, token: Option<&str>| {
            let (namespace, object) = (Some("Doc"), Some("rust"));
            relationships::get_relationships(
                &self.read,
                Some(size),
                token,
                namespace,
                object,
                None,
                None,
                None,
                None,
                None,
            )
            .await
        };
        let first = page(2, None).await.map_err(explain)?;
        let token = first.next_page_token.context("a token")?;
        let second = page(2, Some(&token)).await.map_err(explain)?;
        let mut both = first.relation_tuples.unwrap_or_default();
        ensure!((both.len(), second.next_page_token.as_deref()) == (2, Some("")), "{second:?}");
        both.extend(second.relation_tuples.unwrap_or_default());
        ensure!(both == self.list("rust").await?, "{both:?}");
        let of_set = relationships::get_relationships(
            &self.read,
            None,
            None,
            None,
            None,
            None,
            None,
            Some("Group"),
            Some("rust"),
            Some("member"),
        );
        ensure!(of_set.await.map_err(explain)?.relation_tuples.map(|it| it.len()) == Some(1));
        refused_with(page(2, Some("x")).await, 400, "page_token")?;
        ok("relationships are listed by page and by subject set");
        let named = relationships::list_relationship_namespaces(&self.read).await.map_err(explain)?.namespaces;
        let names: Vec<_> = named.unwrap_or_default().into_iter().filter_map(|it| it.name).collect();
        ensure!(names == ["Doc", "Group", "User"], "{names:?}");
        ok("the namespaces of the model are listed");
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        let (namespace, object) = (Some("Doc"), Some("rust"));
        for (user, allowed) in [("ada", true), ("bob", true), ("eve", false)] {
            let set = (Some("User"), Some(user), Some(""));
            let view = Some("view");
            let result = Some(CheckPermissionResult::new(allowed));
            let got = checks::check_permission(&self.read, namespace, object, view, None, set.0, set.1, set.2, None);
            ensure!(Some(got.await.map_err(explain)?) == result, "{user}");
            let got =
                checks::check_permission_or_error(&self.read, namespace, object, view, None, set.0, set.1, set.2, None);
            ensure!(Some(mirrored(got.await, allowed)?) == result, "{user}");
            let body = PostCheckPermissionBody {
                namespace: Some("Doc".to_owned()),
                object: Some("rust".to_owned()),
                relation: Some("view".to_owned()),
                subject_set: Some(Box::new(self::user(user))),
                ..PostCheckPermissionBody::new()
            };
            let got = checks::post_check_permission(&self.read, Some(3), Some(body.clone())).await.map_err(explain)?;
            ensure!(Some(got) == result, "{user}");
            let PostCheckPermissionBody { namespace, object, relation, subject_set, .. } = body;
            let body = PostCheckPermissionOrErrorBody { namespace, object, relation, subject_set, subject_id: None };
            let got = checks::post_check_permission_or_error(&self.read, None, Some(body)).await;
            ensure!(Some(mirrored(got, allowed)?) == result, "{user}");
        }
        ok("a check is answered in four ways, and 403 is an answer");
        let got = checks::check_permission(
            &self.read,
            namespace,
            object,
            Some("viewer"),
            Some("an id"),
            None,
            None,
            None,
            Some(1),
        );
        ensure!(got.await.map_err(explain)?.allowed);
        let nobody =
            checks::check_permission(&self.read, Some("None"), object, Some("r"), Some("a"), None, None, None, None);
        ensure!(!nobody.await.map_err(explain)?.allowed);
        ok("a subject id is checked, and an unknown namespace is denied");
        Ok(())
    }

    async fn refused_checks(&self) -> Result<()> {
        let check = async |relation: &str, id: Option<&str>, set: Option<&str>, depth: Option<i64>| {
            let namespace = Some("Doc");
            checks::check_permission(&self.read, namespace, Some("rust"), Some(relation), id, set, None, None, depth)
                .await
        };
        refused_with(check("nothing", Some("a"), None, None).await, 400, "relation \"nothing\" does not exist")?;
        refused_with(check("view", None, None, None).await, 400, "subject is not allowed to be nil")?;
        refused_with(check("view", Some("a"), Some("User"), None).await, 400, "exactly one of")?;
        refused_with(check("view", None, Some("User"), None).await, 400, "incomplete")?;
        refused_with(check("circle", Some("a"), None, None).await, 422, "cyclic permits")?;
        let parent = SubjectSet::new("Doc".to_owned(), "rust".to_owned(), String::new());
        self.patch(ActionEnum::Insert, &[tuple("rust below", "parent", parent)]).await?;
        let (namespace, object, relation) = (Some("Doc"), Some("rust below"), Some("view"));
        let deep =
            checks::check_permission(&self.read, namespace, object, relation, Some("a"), None, None, None, Some(1));
        refused_with(deep.await.map(|_| ()), 422, "depth limit")?;
        let unknown = checks::check_permission_or_error(
            &self.read,
            Some("Doc"),
            Some("rust"),
            Some("nothing"),
            Some("a"),
            None,
            None,
            None,
            None,
        );
        refused_with(unknown.await, 400, "relation \"nothing\" does not exist")?;
        let body = PostCheckPermissionOrErrorBody {
            subject_id: Some("a".to_owned()),
            ..PostCheckPermissionOrErrorBody::new()
        };
        let denied = checks::post_check_permission_or_error(&self.read, None, Some(body)).await;
        ensure!(!mirrored(denied, false)?.allowed, "a namespace without a name is unknown");
        refused_with(checks::post_check_permission(&self.read, None, None).await, 400, "")?;
        ok("wrong checks are refused with a reason");
        Ok(())
    }

    async fn batch(&self) -> Result<()> {
        let body = |tuples: Vec<Relationship>| Some(BatchCheckPermissionBody { tuples: Some(tuples) });
        let ada = tuple("rust", "view", user("ada"));
        let tuples = vec![ada.clone(), tuple("rust", "view", user("eve")), tuple("rust", "nothing", user("ada"))];
        let results = checks::batch_check_permission(&self.read, None, body(tuples)).await.map_err(explain)?.results;
        let error = Some("relation \"nothing\" does not exist".to_owned());
        let expected = [
            CheckPermissionResultWithError::new(true),
            CheckPermissionResultWithError::new(false),
            CheckPermissionResultWithError { allowed: false, error },
        ];
        ensure!(results == expected, "{results:?}");
        let refused = checks::batch_check_permission(&self.read, None, body(vec![ada; 11])).await;
        refused_with(refused, 400, "batch exceeds max size of 10")?;
        ok("a batch has a result for each tuple");
        Ok(())
    }

    async fn expand(&self) -> Result<()> {
        let expand = async |namespace: &str, depth: Option<i64>| {
            checks::expand_permissions(&self.read, namespace, "rust", "viewer", depth).await
        };
        let node = |r#type: TypeEnum, subject: Relationship, children: Option<Vec<ExpandedPermissionTree>>| {
            let named = Relationship::new(String::new(), String::new(), String::new());
            let Relationship { subject_id, subject_set, .. } = subject;
            let tuple = Some(Box::new(Relationship { subject_id, subject_set, ..named }));
            ExpandedPermissionTree { children, tuple, r#type }
        };
        let set = |namespace: &str, relation: &str| {
            SubjectSet::new(namespace.to_owned(), "rust".to_owned(), relation.to_owned())
        };
        let bob = node(TypeEnum::Leaf, tuple("", "", user("bob")), None);
        let group = node(TypeEnum::Union, tuple("", "", set("Group", "member")), Some(vec![bob]));
        let id = node(TypeEnum::Leaf, of_id("", "an id"), None);
        let root = node(TypeEnum::Union, tuple("", "", set("Doc", "viewer")), Some(vec![id, group]));
        let tree = expand("Doc", None).await.map_err(explain)?;
        ensure!(tree == root, "{tree:#?}");
        let leaf = node(TypeEnum::Leaf, tuple("", "", set("Doc", "viewer")), None);
        ensure!(expand("Doc", Some(1)).await.map_err(explain)? == leaf);
        refused_with(expand("None", None).await, 404, "no namespace \"None\"")?;
        ok("a relation is expanded to a tree");
        Ok(())
    }

    async fn refused_writes(&self) -> Result<()> {
        let create =
            async |body: CreateRelationshipBody| relationships::create_relationship(&self.write, Some(body)).await;
        let body = CreateRelationshipBody {
            namespace: Some("Doc".to_owned()),
            object: Some("rust".to_owned()),
            relation: Some("owner".to_owned()),
            ..CreateRelationshipBody::new()
        };
        refused_with(create(body.clone()).await, 400, "subject_id or subject_set is required")?;
        let group = SubjectSet::new("Group".to_owned(), "g".to_owned(), "member".to_owned());
        let typed = CreateRelationshipBody { subject_set: Some(Box::new(group)), ..body.clone() };
        refused_with(create(typed).await, 400, "is not a type that \"owner\" of Doc accepts")?;
        let unknown =
            CreateRelationshipBody { namespace: Some("None".to_owned()), subject_id: Some("a".to_owned()), ..body };
        refused_with(create(unknown).await, 404, "no namespace \"None\"")?;
        let patch = vec![RelationshipPatch::new()];
        refused_with(relationships::patch_relationships(&self.write, Some(patch)).await, 400, "")?;
        let all = relationships::delete_relationships(&self.write, None, None, None, None, None, None, None).await;
        refused_with(all, 400, "namespace: is required")?;
        ok("wrong writes are refused with a reason");
        Ok(())
    }

    async fn syntax(&self) -> Result<()> {
        let text = "class Doc implements Namespace { related: { viewer: SubjectSet<Group, \"member\">[] } }";
        let errors = relationships::check_opl_syntax(&self.opl, Some(text)).await.map_err(explain)?.errors;
        let [error] = &errors.context("errors")?[..] else { return Err(anyhow!("one error")) };
        ensure!(error.message.as_deref() == Some("namespace \"Group\" was not declared"), "{error:?}");
        let place = |position: &Option<Box<ory_keto_client::models::SourcePosition>>| {
            position.as_ref().and_then(|it| Some((it.line?, it.column?)))
        };
        ensure!((place(&error.start), place(&error.end)) == (Some((1, 63)), Some((1, 68))), "{error:?}");
        let text = format!("{text} class Group implements Namespace {{ related: {{ member: Group[] }} }}");
        let checked = relationships::check_opl_syntax(&self.opl, Some(&text)).await.map_err(explain)?;
        ensure!(checked.errors.is_none(), "{checked:?}");
        ok("a model is checked, with the places of its errors");
        Ok(())
    }

    async fn metadata(&self) -> Result<()> {
        for listener in [&self.read, &self.write, &self.opl] {
            ensure!(metadata_api::is_alive(listener).await.map_err(explain)?.status == "ok");
            ensure!(metadata_api::is_ready(listener).await.map_err(explain)?.status == "ok");
            ensure!(!metadata_api::get_version(listener).await.map_err(explain)?.version.is_empty());
        }
        ok("every listener has its health and its version");
        Ok(())
    }

    async fn delete(&self) -> Result<()> {
        for object in ["rust", "rust/ü"] {
            for _ in 0..2 {
                let (namespace, object) = (Some("Doc"), Some(object));
                let deleted =
                    relationships::delete_relationships(&self.write, namespace, object, None, None, None, None, None);
                deleted.await.map_err(explain)?;
            }
            ensure!(self.list(object).await?.is_empty());
        }
        let deleted = relationships::delete_relationships(
            &self.write,
            Some("Group"),
            Some("rust"),
            Some("member"),
            None,
            Some("User"),
            Some("bob"),
            Some(""),
        );
        deleted.await.map_err(explain)?;
        ok("relationships are deleted by query");
        Ok(())
    }
}

/// The result of a check whose status is the answer: "no" is 403, which the client reads as an error with a result.
fn mirrored<E: std::fmt::Debug>(
    outcome: Result<CheckPermissionResult, Error<E>>,
    allowed: bool,
) -> Result<CheckPermissionResult> {
    if allowed {
        return outcome.map_err(explain);
    }
    let ResponseContent { status, content, entity } = refused(outcome)?;
    let entity = format!("{:?}", entity.context("an entity")?);
    let denied = CheckPermissionOrErrorError::Status403(CheckPermissionResult::new(false));
    ensure!(status.as_u16() == 403 && entity == format!("{denied:?}"), "{status}: {entity}");
    read(&content)
}

pub(super) async fn run() -> Result<()> {
    let at = |variable: &str| {
        Ok::<_, anyhow::Error>(Configuration { base_path: address(variable)?, ..Configuration::new() })
    };
    let sdk = Sdk {
        read: at("KLEIS_PERMISSIONS_READ")?,
        write: at("KLEIS_PERMISSIONS_WRITE")?,
        opl: at("KLEIS_PERMISSIONS_OPL")?,
    };
    sdk.write().await?;
    sdk.pages().await?;
    sdk.check().await?;
    sdk.refused_checks().await?;
    sdk.batch().await?;
    sdk.expand().await?;
    sdk.refused_writes().await?;
    sdk.syntax().await?;
    sdk.metadata().await?;
    sdk.delete().await
}
