//! The self-service endpoints (`http/self_service/flows.rs` and its siblings) and their routes.

mod errors;
mod flows;
mod logout;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, delete, get};

use crate::Identity;

pub(crate) fn routes() -> Router<Arc<Identity>> {
    Router::new()
        .route("/self-service/login/browser", get(flows::begin_login_browser))
        .route("/self-service/login/api", get(flows::begin_login_api))
        .route("/self-service/login/flows", get(flows::fetch_login))
        .route("/self-service/login", get(flows::submit_login).post(flows::submit_login))
        .route("/self-service/registration/browser", get(flows::begin_registration_browser))
        .route("/self-service/registration/api", get(flows::begin_registration_api))
        .route("/self-service/registration/flows", get(flows::fetch_registration))
        .route("/self-service/registration", get(flows::submit_registration).post(flows::submit_registration))
        .route("/self-service/settings/browser", get(flows::begin_settings_browser))
        .route("/self-service/settings/api", get(flows::begin_settings_api))
        .route("/self-service/settings/flows", get(flows::fetch_settings))
        .route("/self-service/settings", get(flows::submit_settings).post(flows::submit_settings))
        .route("/self-service/recovery/browser", get(flows::begin_recovery_browser))
        .route("/self-service/recovery/api", get(flows::begin_recovery_api))
        .route("/self-service/recovery/flows", get(flows::fetch_recovery))
        .route("/self-service/recovery", get(flows::open_recovery).post(flows::submit_recovery))
        .route("/self-service/verification/browser", get(flows::begin_verification_browser))
        .route("/self-service/verification/api", get(flows::begin_verification_api))
        .route("/self-service/verification/flows", get(flows::fetch_verification))
        .route("/self-service/verification", get(flows::open_verification).post(flows::submit_verification))
        .route("/self-service/logout/browser", get(logout::begin_logout))
        .route("/self-service/logout/api", delete(logout::logout_native))
        .route("/self-service/logout", get(logout::submit_logout))
        .route("/self-service/errors", get(errors::show_error))
        .route("/sessions/whoami", any(sessions::whoami))
        .route("/sessions", get(sessions::list_sessions).delete(sessions::revoke_other_sessions))
        .route("/sessions/{id}", delete(sessions::revoke_session))
        .route("/.well-known/change-password", get(errors::change_password))
}
