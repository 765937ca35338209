//! The methods of a listener, as routes.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base::Context;
use base::bounds::{BodyBounds, DOCUMENT, LIST, LISTS_AT_ONCE, SMALL_LIST};
use futures_util::StreamExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use prost::{Message, Name};
use service::Readiness;
use tokio::sync::Semaphore;
use web::rpc::{Code, Form, Protocol, Status};
use web::{Cx, RestError};

use super::Requests;
use super::body::{self, Messages};
use super::deadline::Deadline;
use super::encoding::{self, Shape, Unknown};
use super::frames::{self, Payload};

const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// A method of a service.
#[derive(Clone)]
pub(in crate::grpc) struct Procedure {
    path: &'static str,
    shape: Shape,
    /// For a method whose request is a list: how many large ones are decoded and executed at the same time; others wait.
    turns: Option<Arc<Semaphore>>,
}

impl Procedure {
    /// A method whose request is one document. `path` is `/package.Service/Method`.
    pub(in crate::grpc) const fn at(path: &'static str) -> Self {
        Self { path, shape: Shape { bounds: DOCUMENT, unknown: Unknown::Ignored }, turns: None }
    }

    /// A method whose request is a list.
    pub(in crate::grpc) fn list(path: &'static str) -> Self {
        let turns = Some(Arc::new(Semaphore::new(LISTS_AT_ONCE)));
        Self { path, shape: Shape { bounds: LIST, unknown: Unknown::Ignored }, turns }
    }

    #[must_use]
    pub(in crate::grpc) const fn with_unknown_fields(mut self, unknown: Unknown) -> Self {
        self.shape.unknown = unknown;
        self
    }

    #[must_use]
    pub(in crate::grpc) const fn within(mut self, bounds: BodyBounds) -> Self {
        self.shape.bounds = bounds;
        self
    }
}

/// What a handler knows about its call, besides the message.
pub(in crate::grpc) struct Call {
    pub(in crate::grpc) cx: Context,
    /// Absent where nothing checks the readiness.
    pub(in crate::grpc) readiness: Option<Readiness>,
}

impl Call {
    async fn of(parts: &mut Parts) -> Self {
        let Ok(Cx(cx)) = Cx::from_request_parts(parts, &()).await;
        Self { cx, readiness: parts.extensions.get::<Readiness>().cloned() }
    }
}

/// The services of a listener. `S` is their state.
pub(in crate::grpc) struct Services<S> {
    state: S,
    router: Router,
    names: BTreeSet<&'static str>,
}

impl<S: Clone + Send + Sync + 'static> Services<S> {
    pub(in crate::grpc) fn new(state: S) -> Self {
        Self { state, router: Router::new(), names: BTreeSet::new() }
    }

    /// The full names of the services.
    pub(in crate::grpc) fn names(&self) -> Vec<&'static str> {
        self.names.iter().copied().collect()
    }

    pub(in crate::grpc) fn into_router(self) -> Router {
        self.router
    }

    /// Adds a method with one request and one response.
    pub(in crate::grpc) fn unary<Req, Res, F, Fut>(self, procedure: Procedure, handler: F) -> Self
    where
        Req: Message + Name + Default + 'static,
        Res: Message + Name + 'static,
        F: Fn(S, Call, Req) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Res, Status>> + Send,
    {
        let Procedure { path, shape, turns } = procedure;
        let state = self.state.clone();
        self.route(path, move |request| {
            let (state, handler, turns) = (state.clone(), handler.clone(), turns.clone());
            answer(request, move |form, mut parts, body| async move {
                if form.protocol == Protocol::ConnectStream {
                    return Ok(unsupported_media_type());
                }
                let deadline = Deadline::of(form.protocol, &parts.headers)?;
                let work = async move {
                    let call = Call::of(&mut parts).await;
                    let payload = payload(form, shape, &parts.headers, body).await?;
                    let _turn = match &turns {
                        Some(turns) if !payload.is_at_most(SMALL_LIST.bytes) => {
                            Some(turns.acquire().await.map_err(|_| Status::unavailable())?)
                        }
                        _ => None,
                    };
                    let request = encoding::decode::<Req>(form.encoding, shape, &payload.unpacked()?)?;
                    let response = handler(state, call, request).await?;
                    Ok(body::one(form, encoding::encode(form.encoding, &response)?))
                };
                deadline.limit(work).await?
            })
        })
    }

    /// Adds a method with one request and several responses. A refusal of the handler is the whole answer.
    pub(in crate::grpc) fn server_streaming<Req, Res, F, Fut>(self, procedure: &Procedure, handler: F) -> Self
    where
        Req: Message + Name + Default + 'static,
        Res: Message + Name + 'static,
        F: Fn(S, Call, Req) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Messages<Res>, Status>> + Send + 'static,
    {
        self.streams(procedure, move |state, call, requests| {
            let handler = handler.clone();
            async move {
                let request = requests.only().await?;
                handler(state, call, request).await
            }
        })
    }

    /// Adds a method with several requests or responses.
    pub(in crate::grpc) fn streaming<Res, F>(self, procedure: &Procedure, handler: F) -> Self
    where
        Res: Message + Name + 'static,
        F: Fn(S, Call, Requests) -> Messages<Res> + Clone + Send + Sync + 'static,
    {
        self.streams(procedure, move |state, call, requests| std::future::ready(Ok(handler(state, call, requests))))
    }

    fn streams<Res, F, Fut>(self, procedure: &Procedure, handler: F) -> Self
    where
        Res: Message + Name + 'static,
        F: Fn(S, Call, Requests) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Messages<Res>, Status>> + Send,
    {
        let (state, shape) = (self.state.clone(), procedure.shape);
        self.route(procedure.path, move |request| {
            let (state, handler) = (state.clone(), handler.clone());
            answer(request, move |form, mut parts, body| async move {
                if form.protocol == Protocol::Connect {
                    return Ok(unsupported_media_type());
                }
                let deadline = Deadline::of(form.protocol, &parts.headers)?;
                let work = async move {
                    let requests = Requests::of(form, shape, &parts.headers, body).await?;
                    handler(state, Call::of(&mut parts).await, requests).await
                };
                let messages = deadline.limit(work).await??;
                let bytes = messages.map(move |message| encoding::encode(form.encoding, &message?));
                Ok(body::several(form, Box::pin(bytes), deadline))
            })
        })
    }

    fn route<F, Fut>(mut self, path: &'static str, handler: F) -> Self
    where
        F: Fn(Request) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response> + Send + 'static,
    {
        self.names.insert(path.trim_start_matches('/').split('/').next().unwrap_or_default());
        self.router = self.router.route(path, post(handler));
        self
    }
}

/// The only message of a call.
async fn payload(form: Form, shape: Shape, headers: &HeaderMap, body: Body) -> Result<Payload, Status> {
    match form.protocol {
        Protocol::Connect => frames::whole(shape, headers, body).await,
        _ => Requests::of(form, shape, headers, body).await?.only_payload().await,
    }
}

/// Answers a request in its own form.
async fn answer<F, Fut>(request: Request, call: F) -> Response
where
    F: FnOnce(Form, Parts, Body) -> Fut,
    Fut: Future<Output = Result<Response, Status>>,
{
    let (parts, body) = request.into_parts();
    let Some(form) = Form::of(parts.uri.path(), &parts.headers) else { return unsupported_media_type() };
    let outcome = match check(form, &parts) {
        Ok(()) => call(form, parts, body).await,
        Err(status) => Err(status),
    };
    outcome.unwrap_or_else(|status| {
        let mut response = status.into_response(form);
        if matches!(form.protocol, Protocol::Grpc | Protocol::GrpcWeb | Protocol::GrpcWebText) {
            response.headers_mut().insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static("identity, gzip"));
        }
        response
    })
}

fn check(form: Form, parts: &Parts) -> Result<(), Status> {
    if form.protocol == Protocol::Grpc && parts.version != Version::HTTP_2 {
        let reason = "gRPC needs HTTP/2; over HTTP/1.1 use gRPC-Web or Connect";
        return Err(Status::new(Code::Unimplemented, reason));
    }
    match parts.headers.get("connect-protocol-version") {
        Some(version) if matches!(form.protocol, Protocol::Connect | Protocol::ConnectStream) && version != "1" => {
            let name = "connect-protocol-version";
            Err(Status::invalid_argument(format!("{name}: must be 1")).with_field(name))
        }
        _ => Ok(()),
    }
}

fn unsupported_media_type() -> Response {
    let error = RestError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The media type is not supported");
    let error = error
        .with_reason("Content-Type: this method is not called with this media type; Accept-Post lists those of calls.");
    let types = HeaderValue::from_str(&Form::all()).unwrap_or(HeaderValue::from_static("application/grpc"));
    error.with_header(ACCEPT_POST, types).into_response()
}
