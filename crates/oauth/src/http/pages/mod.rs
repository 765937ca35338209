//! The built-in pages and what they load, for operators without applications of their own.

mod asset;
mod consent;
mod form_post_script;
mod logout;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use web::language::{LanguageChoice, Languages, keep_choice};
use web::middleware::from_fn_with_state;

use crate::OAuth;
use crate::domain::logout::SIGNED_OUT_PATH;
use crate::pages;

pub(super) fn routes(oauth: &Arc<OAuth>) -> Router<Arc<OAuth>> {
    let choice = LanguageChoice {
        languages: Languages::new(oauth.ui.languages().iter().map(|language| language.locale())),
        is_secure: oauth.config.public_url("/").starts_with("https:"),
    };
    Router::new()
        .route(pages::consent::PATH, get(consent::get).post(consent::post))
        .route(pages::logout::PATH, get(logout::get).post(logout::post))
        .route(SIGNED_OUT_PATH, get(logout::signed_out))
        .layer(from_fn_with_state(choice, keep_choice))
        .route(pages::form_post::SCRIPT_PATH, get(form_post_script::get))
        .route(ui::assets::ROUTE, get(asset::get))
}
