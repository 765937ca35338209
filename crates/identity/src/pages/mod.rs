//! The account pages: the built-in user interface of the flows, unless `ui_url` names another one.
//!
//! Invariants: a page reads a flow with the same operation as the API, and its forms are submitted to the action of
//! the flow, so a page has no capability that another user interface lacks. When `ui_url` is configured for a flow, the
//! built-in page redirects to it.

mod connections;
mod container;
mod device_name;
mod error;
mod flow;
mod link;
mod logout;
mod mailbox;
mod other_browser;
mod settings;
mod welcome;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base::Context;
use ui::{Page, Ui};
use web::language::{LanguageChoice, Languages, keep_choice};
use web::middleware::from_fn_with_state;

use crate::Identity;
use crate::domain::client_kind::FlowType;
use crate::domain::flow::{FlowKind, endpoint};

/// The pages on the public port. Their URLs are the defaults of `selfservice.flows.*.ui_url`.
pub(crate) fn public_routes(identity: &Arc<Identity>) -> Router<Arc<Identity>> {
    let choice = LanguageChoice {
        languages: Languages::new(identity.ui.languages().iter().map(|language| language.locale())),
        is_secure: identity.urls.public().scheme() == "https",
    };
    Router::new()
        .route("/", get(start))
        .route("/ui/login", get(flow::login))
        .route("/ui/registration", get(flow::registration))
        .route("/ui/recovery", get(flow::recovery))
        .route("/ui/verification", get(flow::verification))
        .route("/ui/settings", get(settings::show))
        .route("/ui/sessions", post(settings::end_sessions))
        .route("/ui/connections", post(connections::end))
        .route("/ui/logout", get(logout::ask))
        .route("/ui/signed-out", get(logout::signed_out))
        .route("/ui/welcome", get(welcome::show))
        .route("/ui/error", get(error::show))
        .layer(from_fn_with_state(choice, keep_choice))
        .route(ui::assets::ROUTE, get(asset))
}

/// The pages on the admin port.
pub(crate) fn admin_routes() -> Router<Arc<Identity>> {
    Router::new()
        .route("/admin/mailbox", get(mailbox::list))
        .route("/admin/mailbox/{id}", get(mailbox::show))
        .route("/admin/mailbox/{id}/html", get(mailbox::show_html))
        .route(ui::assets::ROUTE, get(asset))
        // The listener may have added its prefix to the path.
        .route("/admin/ui/static/{file}", get(asset))
}

async fn start(State(identity): State<Arc<Identity>>) -> Response {
    see_other(&identity.own_page("welcome"))
}

async fn asset(State(identity): State<Arc<Identity>>, Path(file): Path<String>) -> Response {
    identity.ui.asset(&file).into_response()
}

/// `303 See Other` (RFC 9110 section 15.4.4).
fn see_other(url: &str) -> Response {
    Redirect::to(url).into_response()
}

impl Identity {
    /// The URL of a built-in page.
    fn own_page(&self, name: &str) -> String {
        endpoint(self.urls.public(), &format!("ui/{name}")).into()
    }

    /// The URL where a browser initializes a flow.
    fn begin_url(&self, kind: FlowKind, return_to: Option<&str>) -> String {
        self.urls.init(kind, FlowType::Browser, return_to)
    }

    fn page_response(&self, cx: &Context, page: Page<'_>, body: &impl askama::Template) -> Response {
        let frame: &Ui = &self.ui;
        frame.respond(cx.locale, page, body).into_response()
    }
}
