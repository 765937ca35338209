//! Server reflection: describes the services of one listener, in both versions of the protocol, whose messages are the same.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use base::bounds::SMALL_LIST;
use base::shares::{Share, Shares};
use futures_util::stream::{self, StreamExt as _};
use prost::Message as _;
use prost_reflect::FileDescriptor;
use web::rpc::{Code, Status};

use super::messages::POOL;
use super::messages::reflection::server_reflection_request::MessageRequest;
use super::messages::reflection::server_reflection_response::MessageResponse;
use super::messages::reflection::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse, ServerReflectionRequest,
    ServerReflectionResponse, ServiceResponse,
};
use super::protocol::{Messages, Procedure, Requests, Services};
use crate::Permissions;

const PATHS: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];
/// Streams of all clients at the same time. A client asks its questions on one stream.
const MOST_STREAMS: usize = 100;
const SERVICES: [&str; 2] = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// Adds reflection for the services so far, and for itself.
pub(super) fn add(services: Services<Arc<Permissions>>) -> Services<Arc<Permissions>> {
    let names: Vec<&str> = services.names().into_iter().chain(SERVICES).collect();
    let (described, shares) = (Arc::new(Described::new(&names)), Shares::of(MOST_STREAMS));
    PATHS.iter().fold(services, |services, path| {
        let (described, shares) = (described.clone(), shares.clone());
        let procedure = Procedure::at(path).within(SMALL_LIST);
        services.streaming(&procedure, move |_, call, requests| match shares.take(&call.cx) {
            Ok(share) => answers(described.clone(), requests, share),
            Err(full) => {
                let message = format!("Too many streams ask for the reflection of this listener: {full}");
                stream::iter([Err(Status::new(Code::ResourceExhausted, message))]).boxed()
            }
        })
    })
}

fn answers(described: Arc<Described>, requests: Requests, share: Share) -> Messages<ServerReflectionResponse> {
    let answers = stream::unfold(Some((described, requests, share)), |state| async move {
        let (described, mut requests, share) = state?;
        match requests.next::<ServerReflectionRequest>().await {
            Ok(Some(request)) => Some((Ok(described.answer(request)), Some((described, requests, share)))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    });
    answers.boxed()
}

/// What clients of a listener can learn.
struct Described {
    services: Vec<String>,
    /// Made for the first request, because most processes are never asked and descriptors are large.
    files: OnceLock<BTreeMap<String, FileDescriptor>>,
}

impl Described {
    fn new(services: &[&str]) -> Self {
        let mut services: Vec<String> = services.iter().map(|&name| name.to_owned()).collect();
        services.sort_unstable();
        Self { services, files: OnceLock::new() }
    }

    /// By name: the files of the services, and all that these import.
    fn files(&self) -> &BTreeMap<String, FileDescriptor> {
        self.files.get_or_init(|| {
            let services = self.services.iter().filter_map(|name| POOL.get_service_by_name(name));
            let mut waiting: Vec<FileDescriptor> = services.map(|service| service.parent_file()).collect();
            let mut files = BTreeMap::new();
            while let Some(file) = waiting.pop() {
                if !files.contains_key(file.name()) {
                    waiting.extend(file.dependencies());
                    files.insert(file.name().to_owned(), file);
                }
            }
            files
        })
    }

    fn answer(&self, request: ServerReflectionRequest) -> ServerReflectionResponse {
        let answer = match &request.message_request {
            Some(MessageRequest::ListServices(_)) => {
                let service = self.services.iter().map(|name| ServiceResponse { name: name.clone() }).collect();
                MessageResponse::ListServicesResponse(ListServiceResponse { service })
            }
            Some(MessageRequest::FileByFilename(name)) => described(self.files().get(name)),
            Some(MessageRequest::FileContainingSymbol(symbol)) => described(self.file_of(symbol)),
            // No file has extensions.
            Some(MessageRequest::FileContainingExtension(_)) => described(None),
            Some(MessageRequest::AllExtensionNumbersOfType(name)) => {
                let message = POOL.get_message_by_name(name).filter(|it| self.has(&it.parent_file()));
                message.map_or_else(not_found, |_| {
                    let base_type_name = name.clone();
                    let numbers = ExtensionNumberResponse { base_type_name, extension_number: Vec::new() };
                    MessageResponse::AllExtensionNumbersResponse(numbers)
                })
            }
            None => error(Code::InvalidArgument, "message_request: is required"),
        };
        ServerReflectionResponse {
            valid_host: request.host.clone(),
            original_request: Some(request),
            message_response: Some(answer),
        }
    }

    fn has(&self, file: &FileDescriptor) -> bool {
        self.files().contains_key(file.name())
    }

    fn file_of(&self, symbol: &str) -> Option<&FileDescriptor> {
        let file = file_of(symbol).or_else(|| {
            let (parent, name) = symbol.rsplit_once('.')?;
            has_part(parent, name).then(|| file_of(parent)).flatten()
        });
        self.files().get(file?.name())
    }
}

/// The file that declares a service, a message or an enumeration.
fn file_of(symbol: &str) -> Option<FileDescriptor> {
    let service = POOL.get_service_by_name(symbol).map(|it| it.parent_file());
    let message = || POOL.get_message_by_name(symbol).map(|it| it.parent_file());
    let enumeration = || POOL.get_enum_by_name(symbol).map(|it| it.parent_file());
    service.or_else(message).or_else(enumeration)
}

/// Whether a service has this method, or a message this field.
fn has_part(parent: &str, name: &str) -> bool {
    let is_method =
        || POOL.get_service_by_name(parent).is_some_and(|service| service.methods().any(|it| it.name() == name));
    let is_field = || {
        POOL.get_message_by_name(parent)
            .is_some_and(|it| it.get_field_by_name(name).is_some() || it.oneofs().any(|it| it.name() == name))
    };
    is_method() || is_field()
}

fn described(file: Option<&FileDescriptor>) -> MessageResponse {
    file.map_or_else(not_found, |file| {
        let bytes = file.file_descriptor_proto().encode_to_vec();
        MessageResponse::FileDescriptorResponse(FileDescriptorResponse { file_descriptor_proto: vec![bytes] })
    })
}

fn not_found() -> MessageResponse {
    error(Code::NotFound, "this listener has no such file or name")
}

fn error(code: Code, message: &str) -> MessageResponse {
    let (error_code, error_message) = (i32::from(code.number()), message.to_owned());
    MessageResponse::ErrorResponse(ErrorResponse { error_code, error_message })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(request: MessageRequest) -> MessageResponse {
        let services = ["ory.keto.relation_tuples.v1alpha2.ReadService"];
        let request = ServerReflectionRequest { host: "h".into(), message_request: Some(request) };
        Described::new(&services).answer(request).message_response.unwrap()
    }

    fn file(request: MessageRequest) -> Result<String, i32> {
        match ask(request) {
            MessageResponse::FileDescriptorResponse(files) => {
                let file = prost_types::FileDescriptorProto::decode(files.file_descriptor_proto[0].as_slice()).unwrap();
                Ok(file.name().to_owned())
            }
            MessageResponse::ErrorResponse(error) => Err(error.error_code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_the_files_of_the_services_are_described() {
        let package = "ory.keto.relation_tuples.v1alpha2";
        let by_symbol = |name: &str| file(MessageRequest::FileContainingSymbol(format!("{package}.{name}")));
        let of = |name: &str| Ok(format!("ory/keto/relation_tuples/v1alpha2/{name}.proto"));
        for (symbol, wanted) in [
            ("ReadService", of("read_service")),
            ("ReadService.ListRelationTuples", of("read_service")),
            ("ListRelationTuplesRequest.Query", of("read_service")),
            ("RelationTuple.subject", of("relation_tuples")),
            ("Subject.ref", of("relation_tuples")),
            ("ReadService.Nothing", Err(5)),
            ("RelationTuple.nothing", Err(5)),
            ("WriteService", Err(5)),
            ("WriteService.TransactRelationTuples", Err(5)),
            ("", Err(5)),
        ] {
            assert_eq!(by_symbol(symbol), wanted, "{symbol}");
        }
        assert!(file(MessageRequest::FileByFilename("google/protobuf/field_mask.proto".into())).is_ok());
        assert_eq!(file(MessageRequest::FileByFilename("google/protobuf/struct.proto".into())), Err(5));
        assert_eq!(file(MessageRequest::AllExtensionNumbersOfType(format!("{package}.CheckRequest"))), Err(5));
        let numbers = ask(MessageRequest::AllExtensionNumbersOfType(format!("{package}.RelationTuple")));
        assert!(matches!(numbers, MessageResponse::AllExtensionNumbersResponse(it) if it.extension_number.is_empty()));
    }
}
