//! The codes of failed calls, which gRPC and Connect share.

use http::StatusCode;

/// A status code of gRPC, other than OK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

impl Code {
    /// The number in `grpc-status`.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name in errors of Connect, and the HTTP status of such an error.
    pub const fn in_connect(self) -> (&'static str, StatusCode) {
        match self {
            Self::Cancelled => ("canceled", CLIENT_CLOSED_REQUEST),
            Self::Unknown => ("unknown", StatusCode::INTERNAL_SERVER_ERROR),
            Self::InvalidArgument => ("invalid_argument", StatusCode::BAD_REQUEST),
            Self::DeadlineExceeded => ("deadline_exceeded", StatusCode::GATEWAY_TIMEOUT),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND),
            Self::AlreadyExists => ("already_exists", StatusCode::CONFLICT),
            Self::PermissionDenied => ("permission_denied", StatusCode::FORBIDDEN),
            Self::ResourceExhausted => ("resource_exhausted", StatusCode::TOO_MANY_REQUESTS),
            Self::FailedPrecondition => ("failed_precondition", StatusCode::BAD_REQUEST),
            Self::Aborted => ("aborted", StatusCode::CONFLICT),
            Self::OutOfRange => ("out_of_range", StatusCode::BAD_REQUEST),
            Self::Unimplemented => ("unimplemented", StatusCode::NOT_IMPLEMENTED),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
            Self::DataLoss => ("data_loss", StatusCode::INTERNAL_SERVER_ERROR),
            Self::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED),
        }
    }

    /// The code of an answer of a layer before the service. gRPC defines some of these (`http-grpc-status-mapping`); for the
    /// others the code says the same as the status.
    pub const fn of_http(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthenticated,
            403 | 421 => Self::PermissionDenied,
            408 | 504 => Self::DeadlineExceeded,
            413 | 414 | 429 | 431 => Self::ResourceExhausted,
            400 | 411 | 415 | 422 => Self::InvalidArgument,
            // No service has this path, or not by this method.
            404 | 405 | 501 | 505 => Self::Unimplemented,
            502 | 503 => Self::Unavailable,
            500 => Self::Internal,
            _ => Self::Unknown,
        }
    }
}

/// The status of Connect for a call that the client cancelled.
const CLIENT_CLOSED_REQUEST: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
};
