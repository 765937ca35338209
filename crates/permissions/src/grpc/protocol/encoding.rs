//! Messages as bytes: in Protocol Buffers, or in their JSON mapping.

use std::borrow::Cow;

use base::bounds::BodyBounds;
use bytes::Bytes;
use prost::{Message, Name};
use prost_reflect::{DeserializeOptions, DynamicMessage, Kind, MessageDescriptor, SerializeOptions};
use web::check_json;
use web::rpc::{Code, Encoding, Status};

use super::fields::{self, Refused};
use crate::domain::unique_names::{Naming, check_names};
use crate::grpc::messages::POOL;

/// What happens to members of JSON that the message does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grpc) enum Unknown {
    /// As in servers of Connect, so that a newer client can call an older server.
    Ignored,
    /// Where a misspelt name would select or change more than the client means.
    Refused,
}

/// The bounds of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) bounds: BodyBounds,
    pub(super) unknown: Unknown,
}

pub(super) fn decode<T: Message + Name + Default>(encoding: Encoding, shape: Shape, bytes: &[u8]) -> Result<T, Status> {
    match encoding {
        Encoding::Protobuf => {
            let most = shape.bounds.json_values;
            fields::check(&descriptor::<T>()?, bytes, most).map_err(|refused| match refused {
                Refused::TooMany => {
                    Status::new(Code::ResourceExhausted, format!("The message must have at most {most} fields"))
                }
                Refused::Malformed => malformed(),
            })?;
            T::decode(bytes).map_err(|_| malformed())
        }
        Encoding::Json => from_json(shape, bytes),
    }
}

fn malformed() -> Status {
    Status::invalid_argument("The message is not a valid message of this method in Protocol Buffers")
}

fn from_json<T: Message + Name + Default>(shape: Shape, bytes: &[u8]) -> Result<T, Status> {
    check_json(shape.bounds, bytes).map_err(|refused| Status::invalid_argument(refused.to_string()))?;
    check_names(bytes, OfMessage(Some(descriptor::<T>()?))).map_err(|refused| {
        let status = Status::invalid_argument(format!("The message is not valid JSON of this method: {refused}"));
        if refused.path == "." { status } else { status.with_field(refused.path) }
    })?;
    let options = DeserializeOptions::new().deny_unknown_fields(shape.unknown == Unknown::Refused);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let invalid = |error: &dyn std::fmt::Display| {
        Status::invalid_argument(format!("The message is not valid JSON of this method: {error}"))
    };
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let message = DynamicMessage::deserialize_with_options(descriptor::<T>()?, tracked, &options);
    let message = message.map_err(|error| match track.path().to_string() {
        // The message itself.
        path if path == "." => invalid(&error),
        path => invalid(&format!("{path}: {error}")).with_field(path),
    })?;
    deserializer.end().map_err(|error| invalid(&error))?;
    message.transcode_to().map_err(|error| invalid(&error))
}

/// The names of a message: those of its fields have two spellings, `max_depth` and `maxDepth`. A type of Protocol Buffers with a form
/// of its own in JSON, and a map, have one spelling for each name.
#[derive(Clone)]
struct OfMessage(Option<MessageDescriptor>);

impl Naming for OfMessage {
    fn member<'n>(&self, name: &'n str) -> (Cow<'n, str>, Self) {
        let of = self.0.as_ref();
        let field = of.and_then(|of| of.get_field_by_json_name(name).or_else(|| of.get_field_by_name(name)));
        let Some(field) = field else { return (name.into(), Self(None)) };
        let message = match field.kind() {
            Kind::Message(message) if !field.is_map() && message.package_name() != "google.protobuf" => Some(message),
            _ => None,
        };
        (field.json_name().to_owned().into(), Self(message))
    }
}

pub(super) fn encode<T: Message + Name>(encoding: Encoding, message: &T) -> Result<Bytes, Status> {
    match encoding {
        Encoding::Protobuf => Ok(message.encode_to_vec().into()),
        Encoding::Json => {
            let mut dynamic = DynamicMessage::new(descriptor::<T>()?);
            dynamic.transcode_from(message).map_err(|_| Status::internal())?;
            let mut bytes = Vec::new();
            let mut serializer = serde_json::Serializer::new(&mut bytes);
            let written = dynamic.serialize_with_options(&mut serializer, &SerializeOptions::new());
            written.map_err(|_| Status::internal())?;
            Ok(bytes.into())
        }
    }
}

/// A test finds the descriptors of all methods.
fn descriptor<T: Name>() -> Result<MessageDescriptor, Status> {
    POOL.get_message_by_name(&T::full_name()).ok_or_else(Status::internal)
}
