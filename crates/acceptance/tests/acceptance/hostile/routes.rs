//! All routes of the services; `cargo xtask tidy` finds one that is missing. The [world](super::world) fills in `{names}`.

use anyhow::{Context as _, Result, ensure};

use super::wire::{Request, send};
use super::world::World;

/// A listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    IdentityPublic,
    IdentityAdmin,
    OauthPublic,
    OauthAdmin,
    PermissionsRead,
    PermissionsWrite,
    PermissionsOpl,
    GatewayProxy,
    GatewayApi,
}

impl Place {
    pub(crate) const ALL: [Self; 9] = [
        Self::IdentityPublic,
        Self::IdentityAdmin,
        Self::OauthPublic,
        Self::OauthAdmin,
        Self::PermissionsRead,
        Self::PermissionsWrite,
        Self::PermissionsOpl,
        Self::GatewayProxy,
        Self::GatewayApi,
    ];
}

/// The body that a route reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    /// None, and an answer without an end if the query is valid.
    NoneOfStream,
    Json,
    Form,
    /// By the content type.
    JsonOrForm,
    /// A text of the Ory Permission Language.
    Text,
    /// Messages in frames, of which these tests send none.
    Frames,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) place: Place,
    pub(crate) path: &'static str,
    pub(crate) body: Body,
}

impl Route {
    pub(crate) fn reads_json(&self) -> bool {
        matches!(self.body, Body::Json | Body::JsonOrForm)
    }

    pub(crate) fn reads_forms(&self) -> bool {
        matches!(self.body, Body::Form | Body::JsonOrForm)
    }

    /// The media type of a body, if the route reads one.
    pub(crate) fn media_type(&self) -> Option<&'static str> {
        match self.body {
            Body::None | Body::NoneOfStream | Body::Frames => None,
            Body::Json | Body::JsonOrForm => Some("application/json"),
            Body::Form => Some("application/x-www-form-urlencoded"),
            Body::Text => Some("text/plain"),
        }
    }
}

/// Expands rows `METHOD BODY "path", ...;` under their listener.
macro_rules! routes {
    ($($place:ident { $($method:ident $body:ident $path:literal;)+ })+) => {
        &[$($(Route {
            method: stringify!($method),
            place: Place::$place,
            path: $path,
            body: Body::$body,
        },)+)+]
    };
}

#[rustfmt::skip]
pub(crate) const ROUTES: &[Route] = routes! {
    IdentityPublic {
        GET None "/";
        GET None "/health/alive";
        GET None "/health/ready";
        GET None "/.well-known/change-password";
        GET None "/schemas";
        GET None "/schemas/default";
        GET None "/self-service/errors?id={uuid}";
        GET None "/self-service/login/api";
        GET None "/self-service/login/browser";
        GET None "/self-service/login/flows?id={login}";
        GET None "/self-service/login?flow={login}";
        POST JsonOrForm "/self-service/login?flow={login}";
        GET None "/self-service/registration/api";
        GET None "/self-service/registration/browser";
        GET None "/self-service/registration/flows?id={registration}";
        GET None "/self-service/registration?flow={registration}";
        POST JsonOrForm "/self-service/registration?flow={registration}";
        GET None "/self-service/settings/api";
        GET None "/self-service/settings/browser";
        GET None "/self-service/settings/flows?id={settings}";
        GET None "/self-service/settings?flow={settings}";
        POST JsonOrForm "/self-service/settings?flow={settings}";
        GET None "/self-service/recovery/api";
        GET None "/self-service/recovery/browser";
        GET None "/self-service/recovery/flows?id={recovery}";
        GET None "/self-service/recovery?flow={recovery}";
        POST JsonOrForm "/self-service/recovery?flow={recovery}";
        GET None "/self-service/verification/api";
        GET None "/self-service/verification/browser";
        GET None "/self-service/verification/flows?id={verification}";
        GET None "/self-service/verification?flow={verification}";
        POST JsonOrForm "/self-service/verification?flow={verification}";
        GET None "/self-service/logout?token={garbage}";
        GET None "/self-service/logout/browser";
        DELETE Json "/self-service/logout/api";
        GET None "/sessions";
        DELETE None "/sessions";
        GET None "/sessions/whoami";
        DELETE None "/sessions/{uuid}";
        GET None "/ui/login?flow={login}";
        GET None "/ui/registration?flow={registration}";
        GET None "/ui/recovery?flow={recovery}";
        GET None "/ui/verification?flow={verification}";
        GET None "/ui/settings?flow={settings}";
        GET None "/ui/logout";
        GET None "/ui/signed-out";
        GET None "/ui/welcome";
        GET None "/ui/error?id={uuid}";
        POST Form "/ui/sessions";
        POST Form "/ui/connections";
        GET None "/ui/static/{style}";
    }
    IdentityAdmin {
        GET None "/health/alive";
        GET None "/admin/health/ready";
        GET None "/version";
        GET None "/metrics/prometheus";
        GET None "/schemas";
        GET None "/admin/schemas/default";
        GET None "/admin/identities";
        POST Json "/admin/identities";
        PATCH Json "/admin/identities";
        GET None "/admin/identities/{identity}";
        PUT Json "/admin/identities/{identity}";
        PATCH Json "/admin/identities/{identity}";
        DELETE None "/admin/identities/{uuid}";
        GET None "/admin/identities/by/external/{garbage}";
        DELETE None "/admin/identities/{identity}/credentials/totp";
        GET None "/admin/identities/{identity}/sessions";
        DELETE None "/admin/identities/{uuid}/sessions";
        GET None "/admin/sessions";
        POST Json "/admin/sessions";
        GET None "/admin/sessions/{session}";
        DELETE None "/admin/sessions/{uuid}";
        PATCH None "/admin/sessions/{session}/extend";
        POST Json "/admin/recovery/code";
        POST Json "/admin/recovery/link";
        GET None "/admin/courier/messages";
        GET None "/admin/courier/messages/{message}";
        GET None "/admin/mailbox";
        GET None "/admin/mailbox/{message}";
        GET None "/admin/mailbox/{message}/html";
        GET None "/ui/static/{style}";
        GET None "/admin/ui/static/{style}";
    }
    OauthPublic {
        GET None "/health/alive";
        GET None "/health/ready";
        GET None "/.well-known/jwks.json";
        GET None "/.well-known/openid-configuration";
        GET None "/.well-known/oauth-authorization-server";
        GET None "/oauth2/auth?client_id={client}&response_type=code&scope=openid&state=0123456789";
        POST Form "/oauth2/auth";
        POST Form "/oauth2/token";
        POST Form "/oauth2/revoke";
        GET None "/userinfo";
        POST Form "/userinfo";
        GET None "/oauth2/sessions/logout";
        POST Form "/oauth2/sessions/logout";
        GET None "/oauth2/consent?consent_challenge={garbage}";
        POST Form "/oauth2/consent";
        GET None "/oauth2/logout?logout_challenge={garbage}";
        POST Form "/oauth2/logout";
        GET None "/oauth2/signed-out";
        POST None "/oauth2/device/auth";
        GET None "/oauth2/form-post.js";
        GET None "/ui/static/{style}";
    }
    OauthAdmin {
        GET None "/health/ready";
        GET None "/version";
        GET None "/metrics/prometheus";
        GET None "/admin/clients";
        POST Json "/admin/clients";
        GET None "/admin/clients/{client}";
        PUT Json "/admin/clients/{spare}";
        PATCH Json "/admin/clients/{spare}";
        DELETE None "/admin/clients/{garbage}";
        PUT Json "/admin/clients/{spare}/lifespans";
        POST None "/admin/clients/{spare}/secrets/rotate";
        DELETE None "/admin/clients/{spare}/secrets/rotate";
        GET None "/admin/oauth2/auth/requests/login?login_challenge={login_challenge}";
        PUT Json "/admin/oauth2/auth/requests/login/accept?login_challenge={login_challenge}";
        PUT Json "/admin/oauth2/auth/requests/login/reject?login_challenge={login_challenge}";
        GET None "/admin/oauth2/auth/requests/consent?consent_challenge={consent_challenge}";
        PUT Json "/admin/oauth2/auth/requests/consent/accept?consent_challenge={consent_challenge}";
        PUT Json "/admin/oauth2/auth/requests/consent/reject?consent_challenge={consent_challenge}";
        GET None "/admin/oauth2/auth/requests/logout?logout_challenge={logout_challenge}";
        PUT None "/admin/oauth2/auth/requests/logout/reject?logout_challenge={garbage}";
        PUT None "/admin/oauth2/auth/requests/logout/accept?logout_challenge={garbage}";
        GET None "/admin/oauth2/auth/sessions/consent?subject=alice";
        DELETE None "/admin/oauth2/auth/sessions/consent?subject=nobody&all=true";
        DELETE None "/admin/oauth2/auth/sessions/login?subject=nobody";
        POST Form "/admin/oauth2/introspect";
        DELETE None "/admin/oauth2/tokens?client_id={spare}";
        GET None "/admin/keys/{set}";
        POST Json "/admin/keys/{set}";
        PUT Json "/admin/keys/{set}";
        DELETE None "/admin/keys/nothing";
        GET None "/admin/keys/{set}/{kid}";
        PUT Json "/admin/keys/{set}/{kid}";
        DELETE None "/admin/keys/{set}/nothing";
    }
    PermissionsRead {
        GET None "/health/ready";
        GET None "/version";
        GET None "/namespaces";
        GET None "/relation-tuples";
        GET None "/relation-tuples?namespace=Doc&object=a&relation=viewer&subject_id=alice";
        GET None "/relation-tuples?subject_set.namespace=Group&subject_set.object=g&subject_set.relation=member&page_size=1";
        GET None "/relation-tuples/check/openapi?namespace=Doc&object=a&relation=viewer&subject_id=alice";
        GET None "/relation-tuples/check?namespace=Doc&object=a&relation=viewer&subject_set.namespace=Group&subject_set.object=g&subject_set.relation=";
        POST Json "/relation-tuples/check";
        POST Json "/relation-tuples/check/openapi";
        POST Json "/relation-tuples/batch/check";
        GET None "/relation-tuples/expand?namespace=Doc&object=a&relation=viewer";
        GET None "/relation-tuples/objects?namespace=Doc&relation=viewer&subject_id=alice";
        GET None "/relation-tuples/subjects?namespace=Doc&object=a&relation=viewer&page_size=1";
        GET None "/relation-tuples/relations?namespace=Doc&object=a&subject_id=alice";
        POST Json "/relation-tuples/objects";
        POST Json "/relation-tuples/subjects";
        POST Json "/relation-tuples/relations";
        GET None "/.well-known/authzen-configuration";
        POST Json "/access/v1/evaluation";
        POST Json "/access/v1/evaluations";
        POST Json "/access/v1/search/subject";
        POST Json "/access/v1/search/resource";
        POST Json "/access/v1/search/action";
        GET NoneOfStream "/relation-tuples/watch?snaptoken={garbage}";
        POST Json "/ory.keto.relation_tuples.v1alpha2.CheckService/Check";
        POST Json "/ory.keto.relation_tuples.v1alpha2.CheckService/BatchCheck";
        POST Json "/ory.keto.relation_tuples.v1alpha2.ExpandService/Expand";
        POST Json "/ory.keto.relation_tuples.v1alpha2.ReadService/ListRelationTuples";
        POST Json "/ory.keto.relation_tuples.v1alpha2.NamespacesService/ListNamespaces";
        POST Json "/ory.keto.relation_tuples.v1alpha2.VersionService/GetVersion";
        POST Json "/kleis.permissions.v1.RelationTupleReadService/ListRelationTuples";
        POST Frames "/kleis.permissions.v1.RelationTupleReadService/WatchRelationTuples";
        POST Json "/kleis.permissions.v1.PermissionService/Check";
        POST Json "/kleis.permissions.v1.PermissionService/BatchCheck";
        POST Frames "/kleis.permissions.v1.PermissionService/ListObjects";
        POST Frames "/kleis.permissions.v1.PermissionService/ListSubjects";
        POST Json "/kleis.permissions.v1.PermissionService/ListRelations";
        POST Json "/grpc.health.v1.Health/Check";
        POST Frames "/grpc.health.v1.Health/Watch";
        POST Frames "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        POST Frames "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
    }
    PermissionsWrite {
        GET None "/health/ready";
        PUT Json "/admin/relation-tuples";
        PATCH Json "/admin/relation-tuples";
        POST Json "/admin/relation-tuples/migrate-subjects";
        DELETE None "/admin/relation-tuples?namespace=Doc&object=nothing";
        POST Json "/ory.keto.relation_tuples.v1alpha2.WriteService/TransactRelationTuples";
        POST Json "/ory.keto.relation_tuples.v1alpha2.WriteService/DeleteRelationTuples";
        POST Json "/kleis.permissions.v1.RelationTupleWriteService/TransactRelationTuples";
    }
    PermissionsOpl {
        GET None "/health/ready";
        POST Text "/opl/syntax/check";
        POST Json "/ory.keto.opl.v1alpha1.SyntaxService/Check";
    }
    GatewayProxy {
        GET None "/open/a";
        POST JsonOrForm "/open/a";
        GET None "/guarded/a";
    }
    GatewayApi {
        GET None "/health/ready";
        GET None "/version";
        GET None "/rules";
        GET None "/rules/open";
        GET None "/decisions";
        GET None "/decisions/";
        GET None "/decisions/open/a";
        POST None "/decisions/open/a";
        GET None "/.well-known/jwks.json";
    }
};

/// Every route of the table exists.
#[tokio::test]
async fn every_route_of_the_table_is_served() -> Result<()> {
    let world = World::on_sqlite().await?;
    for route in ROUTES {
        let request = Request::new(route.method, world.fill(route.path));
        let answer = send(&world, route.place, &request).await?;
        let is_there = answer.status != 405 && !answer.text().contains("no such path");
        ensure!(is_there, "{} {:?} {}: {}", route.method, route.place, route.path, answer.summary());
    }
    world.end().await.context("at the end")
}
