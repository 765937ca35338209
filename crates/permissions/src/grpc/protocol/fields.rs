//! The number of fields of an encoded message, counted before it is decoded: an empty message in a list takes two bytes encoded,
//! and a hundred times that decoded.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_reflect::{Kind, MessageDescriptor};

/// Messages below this size cannot hold enough fields to matter.
const SMALL: usize = 16 * 1024;

/// Too many fields, or bytes that are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    TooMany,
    Malformed,
}

/// Counts the fields of a message and of the messages in it, up to `most`.
pub(super) fn check(descriptor: &MessageDescriptor, bytes: &[u8], most: usize) -> Result<(), Refused> {
    if bytes.len() < SMALL {
        return Ok(());
    }
    count(descriptor, bytes, &mut { most }, base::MAX_NESTING)
}

fn count(descriptor: &MessageDescriptor, mut bytes: &[u8], left: &mut usize, depth: usize) -> Result<(), Refused> {
    while !bytes.is_empty() {
        *left = left.checked_sub(1).ok_or(Refused::TooMany)?;
        let (tag, wire_type) = decode_key(&mut bytes).map_err(|_| Refused::Malformed)?;
        let field = descriptor.get_field(tag);
        let is_packed = field.as_ref().is_some_and(prost_reflect::FieldDescriptor::is_list);
        match (wire_type, field.map(|field| field.kind())) {
            (WireType::LengthDelimited, kind) => {
                let length = decode_varint(&mut bytes).ok().and_then(|length| usize::try_from(length).ok());
                let (inner, rest) =
                    length.and_then(|length| bytes.split_at_checked(length)).ok_or(Refused::Malformed)?;
                bytes = rest;
                match kind {
                    Some(Kind::Message(descriptor)) => {
                        let depth = depth.checked_sub(1).ok_or(Refused::Malformed)?;
                        count(&descriptor, inner, left, depth)?;
                    }
                    Some(Kind::String | Kind::Bytes) | None => {}
                    // Numbers without keys between them.
                    Some(_) if is_packed => *left = left.checked_sub(inner.len()).ok_or(Refused::TooMany)?,
                    Some(_) => {}
                }
            }
            _ => skip_field(wire_type, tag, &mut bytes, DecodeContext::default()).map_err(|_| Refused::Malformed)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::grpc::messages::{POOL, keto};

    #[test]
    fn fields_are_counted_at_every_level() {
        let descriptor = POOL.get_message_by_name("ory.keto.relation_tuples.v1alpha2.BatchCheckRequest").unwrap();
        // Each tuple has the field of its list and two of its own.
        let tuple = keto::RelationTuple { namespace: "n".into(), object: "o".into(), ..Default::default() };
        let request = keto::BatchCheckRequest { tuples: vec![tuple; 10_000], ..Default::default() };
        let bytes = request.encode_to_vec();
        assert_eq!(check(&descriptor, &bytes, 30_000), Ok(()));
        assert_eq!(check(&descriptor, &bytes, 29_999), Err(Refused::TooMany));
        assert_eq!(check(&descriptor, &bytes[..bytes.len() - 1], 30_000), Err(Refused::Malformed));
        let empty =
            keto::BatchCheckRequest { tuples: vec![keto::RelationTuple::default(); 10_000], ..Default::default() };
        assert_eq!(check(&descriptor, &empty.encode_to_vec(), 9_999), Err(Refused::TooMany));
        assert_eq!(check(&descriptor, &[0xff; SMALL], 10), Err(Refused::Malformed));
        // Groups, which nothing uses, and which nest.
        assert_eq!(check(&descriptor, &[0x0b; SMALL], SMALL), Err(Refused::Malformed));
    }
}
