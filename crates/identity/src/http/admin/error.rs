//! Errors of the admin API on the wire: each error variant has an explicit status.

use http::StatusCode;
use web::RestError;

use crate::components::hashing::HashError;
use crate::operations::batch_create::BatchError;
use crate::operations::create_identity::{ComposeError, CreateIdentityError};
use crate::operations::create_recovery::CreateRecoveryError;
use crate::operations::delete_credential::DeleteCredentialError;
use crate::operations::delete_identity::DeleteIdentityError;
use crate::operations::explain;
use crate::operations::patch_identity::PatchIdentityError;
use crate::operations::sessions::SessionError;
use crate::operations::update_identity::UpdateIdentityError;

/// The message for a missing resource, as in Kratos.
pub(super) fn not_found() -> RestError {
    RestError::new(StatusCode::NOT_FOUND, "There is no such resource")
}

fn changed() -> RestError {
    RestError::new(StatusCode::CONFLICT, "The identity was changed by another request")
        .with_reason("Another request changed this identity at the same time. Read it and try again.")
}

/// The response does not say which member conflicts, so that it reveals nothing about another account.
fn taken() -> RestError {
    RestError::conflict("Another identity holds one of these identifiers or addresses.")
}

impl From<HashError> for RestError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::TooLong { .. } => Self::bad_request(format!("credentials.password.config.password: {error}")),
            HashError::Overloaded { retry_after } => Self::unavailable(web::retry_after_seconds(retry_after)),
            HashError::Failed => {
                tracing::error!("a password could not be hashed");
                Self::internal()
            }
        }
    }
}

impl From<ComposeError> for RestError {
    fn from(error: ComposeError) -> Self {
        match error {
            ComposeError::UnknownSchema(_) => {
                Self::bad_request(format!("schema_id: {error}")).with_detail("field", "schema_id")
            }
            ComposeError::Traits(errors) => {
                let fields: Vec<_> = errors.iter().map(|error| error.pointer.clone()).collect();
                Self::bad_request(explain(&errors)).with_detail("fields", fields)
            }
            ComposeError::TooLong(ref member) => {
                let field = member.clone();
                Self::bad_request(error.to_string()).with_detail("field", field)
            }
            ComposeError::Import(error) => Self::bad_request(error.to_string()),
            ComposeError::Hash(error) => error.into(),
        }
    }
}

impl From<CreateIdentityError> for RestError {
    fn from(error: CreateIdentityError) -> Self {
        match error {
            CreateIdentityError::Compose(error) => error.into(),
            CreateIdentityError::Taken(_) => taken(),
            CreateIdentityError::Changed => changed(),
            CreateIdentityError::Database(error) => error.into(),
        }
    }
}

impl From<BatchError> for RestError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::TooMany(_) | BatchError::TooManyPasswords(_) | BatchError::Import { .. } => {
                Self::bad_request(error.to_string())
            }
        }
    }
}

impl From<UpdateIdentityError> for RestError {
    fn from(error: UpdateIdentityError) -> Self {
        match error {
            UpdateIdentityError::Unknown => not_found(),
            UpdateIdentityError::Compose(error) => error.into(),
            UpdateIdentityError::Taken(_) => taken(),
            UpdateIdentityError::Changed => changed(),
            UpdateIdentityError::Database(error) => error.into(),
        }
    }
}

impl From<PatchIdentityError> for RestError {
    fn from(error: PatchIdentityError) -> Self {
        match error {
            PatchIdentityError::Unknown => not_found(),
            PatchIdentityError::Unsupported { .. }
            | PatchIdentityError::Denied { .. }
            | PatchIdentityError::Patch(_)
            | PatchIdentityError::Invalid { .. } => Self::bad_request(error.to_string()),
            PatchIdentityError::Compose(error) => error.into(),
            PatchIdentityError::Taken(_) => taken(),
            PatchIdentityError::Changed => changed(),
            PatchIdentityError::Database(error) => error.into(),
        }
    }
}

impl From<DeleteIdentityError> for RestError {
    fn from(error: DeleteIdentityError) -> Self {
        match error {
            DeleteIdentityError::Unknown => not_found(),
            DeleteIdentityError::Database(error) => error.into(),
        }
    }
}

impl From<DeleteCredentialError> for RestError {
    fn from(error: DeleteCredentialError) -> Self {
        match error {
            DeleteCredentialError::UnknownIdentity | DeleteCredentialError::UnknownCredential => not_found(),
            DeleteCredentialError::Unsupported(_)
            | DeleteCredentialError::IdentifierMissing(_)
            | DeleteCredentialError::LastFirstFactor => Self::bad_request(error.to_string()),
            DeleteCredentialError::Changed => changed(),
            DeleteCredentialError::Database(error) => error.into(),
        }
    }
}

impl From<SessionError> for RestError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Unknown => not_found(),
            SessionError::Database(error) => error.into(),
        }
    }
}

impl From<CreateRecoveryError> for RestError {
    fn from(error: CreateRecoveryError) -> Self {
        match error {
            CreateRecoveryError::UnknownIdentity => not_found(),
            CreateRecoveryError::Disabled(_) => {
                Self::not_found(format!("This endpoint was disabled by the administrator: {error}."))
            }
            CreateRecoveryError::ReturnTo(error) => {
                let reason = format!("return_to: \"{}\" is not allowed", error.target);
                Self::bad_request(reason)
                    .with_id("self_service_flow_return_to_forbidden")
                    .with_detail("field", "return_to")
            }
            CreateRecoveryError::Database(error) => error.into(),
        }
    }
}
