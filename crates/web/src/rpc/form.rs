//! The protocol of a call, from its media type.

use http::{HeaderMap, HeaderValue};

use crate::media_types;

/// How a call and its answer are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Messages with a length, and the status in trailers. Only over HTTP/2.
    Grpc,
    /// As gRPC, with the trailers as the last part of the body.
    GrpcWeb,
    /// gRPC-Web, in base64.
    GrpcWebText,
    /// One message is the body, without a frame. An error has an HTTP status.
    Connect,
    /// Messages with a length, and the status as the last one.
    ConnectStream,
}

/// How a message is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Protobuf,
    /// The JSON mapping of Protocol Buffers.
    Json,
}

/// The form of a call: it is the form of its answer too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub protocol: Protocol,
    pub encoding: Encoding,
}

/// The media types of calls. The first type of a pair is one that clients may abbreviate.
const FORMS: [(&str, Protocol, Encoding); 13] = [
    ("application/grpc", Protocol::Grpc, Encoding::Protobuf),
    ("application/grpc+proto", Protocol::Grpc, Encoding::Protobuf),
    ("application/grpc+json", Protocol::Grpc, Encoding::Json),
    ("application/grpc-web", Protocol::GrpcWeb, Encoding::Protobuf),
    ("application/grpc-web+proto", Protocol::GrpcWeb, Encoding::Protobuf),
    ("application/grpc-web+json", Protocol::GrpcWeb, Encoding::Json),
    ("application/grpc-web-text", Protocol::GrpcWebText, Encoding::Protobuf),
    ("application/grpc-web-text+proto", Protocol::GrpcWebText, Encoding::Protobuf),
    ("application/grpc-web-text+json", Protocol::GrpcWebText, Encoding::Json),
    ("application/proto", Protocol::Connect, Encoding::Protobuf),
    ("application/json", Protocol::Connect, Encoding::Json),
    ("application/connect+proto", Protocol::ConnectStream, Encoding::Protobuf),
    ("application/connect+json", Protocol::ConnectStream, Encoding::Json),
];

impl Form {
    /// The form of a request, if it is a call. JSON is a call only at the path of a procedure.
    pub fn of(path: &str, headers: &HeaderMap) -> Option<Self> {
        let sent = media_types::of_body(headers);
        let (_, protocol, encoding) = FORMS.iter().find(|(media_type, ..)| *media_type == sent)?;
        let is_unmistakable = matches!(protocol, Protocol::Grpc | Protocol::GrpcWeb | Protocol::GrpcWebText);
        (is_unmistakable || is_procedure(path)).then_some(Self { protocol: *protocol, encoding: *encoding })
    }

    /// The media type of the answer.
    pub fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match (self.protocol, self.encoding) {
            // Clients of gRPC expect the short form or their own, which is `+proto` or nothing.
            (Protocol::Grpc, Encoding::Protobuf) => "application/grpc",
            (Protocol::Grpc, Encoding::Json) => "application/grpc+json",
            (Protocol::GrpcWeb, Encoding::Protobuf) => "application/grpc-web+proto",
            (Protocol::GrpcWeb, Encoding::Json) => "application/grpc-web+json",
            (Protocol::GrpcWebText, Encoding::Protobuf) => "application/grpc-web-text+proto",
            (Protocol::GrpcWebText, Encoding::Json) => "application/grpc-web-text+json",
            (Protocol::Connect, Encoding::Protobuf) => "application/proto",
            (Protocol::Connect, Encoding::Json) => "application/json",
            (Protocol::ConnectStream, Encoding::Protobuf) => "application/connect+proto",
            (Protocol::ConnectStream, Encoding::Json) => "application/connect+json",
        })
    }

    /// The media types of calls, for `Accept-Post`.
    pub fn all() -> String {
        FORMS.map(|(media_type, ..)| media_type).join(", ")
    }
}

/// Whether a path is that of a procedure: `/package.Service/Method`. No path of a REST API has this shape.
pub fn is_procedure(path: &str) -> bool {
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
    };
    path.strip_prefix('/').and_then(|path| path.split_once('/')).is_some_and(|(service, method)| {
        service.contains('.') && !method.contains('.') && is_name(service) && is_name(method)
    })
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;

    use super::*;

    fn form(path: &str, media_type: &str) -> Option<(Protocol, Encoding)> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap())]);
        Form::of(path, &headers).map(|form| (form.protocol, form.encoding))
    }

    #[test]
    fn json_is_a_call_only_at_a_procedure() {
        let connect = Some((Protocol::Connect, Encoding::Json));
        assert_eq!(form("/ory.keto.A/Check", "application/json; charset=utf-8"), connect);
        assert_eq!(form("/relation-tuples/check", "application/json"), None);
        assert_eq!(form("/relation-tuples/check", "application/grpc"), Some((Protocol::Grpc, Encoding::Protobuf)));
        assert_eq!(form("/ory.keto.A/Check", "text/plain"), None);
        for path in ["/a/B", "/a.B", "/a.B/C/D", "/a.B/C.D", "/a.B/", "/.well-known/jwks.json", "//a.B/C", "/a.B/%43"] {
            assert!(!is_procedure(path), "{path}");
        }
    }

    #[test]
    fn no_form_has_a_media_type_that_a_page_may_send() {
        for media_type in ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"] {
            assert_eq!(form("/a.B/C", media_type), None);
        }
        for (media_type, protocol, encoding) in FORMS {
            let form = Form { protocol, encoding };
            let answer = form.media_type();
            let again = HeaderMap::from_iter([(CONTENT_TYPE, answer)]);
            assert_eq!(Form::of("/a.B/C", &again), Some(form), "{media_type}");
        }
    }
}
