//! The messages of a body: each is five bytes, of which four are its length, and the message (`PROTOCOL-HTTP2`,
//! Length-Prefixed-Message). Decompression.

use std::io::Read as _;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use flate2::bufread::GzDecoder;
use http::HeaderMap;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use prost::{Message, Name};
use web::listener::Stalled;
use web::rpc::{Code, Form, Protocol, Status};

use super::encoding::{self, Shape};

/// Flags and length.
const HEAD: usize = 5;
const COMPRESSED: u8 = 1;
/// Each needs a decoder with buffers of 32 KiB, however short it is. Clients send one.
const GZIP_MEMBERS: usize = 100;

/// The messages of a request, in their order.
pub(in crate::grpc) struct Requests {
    body: Body,
    buffer: BytesMut,
    form: Form,
    shape: Shape,
    is_gzip: bool,
}

impl Requests {
    /// For text the whole body is read first.
    pub(super) async fn of(form: Form, shape: Shape, headers: &HeaderMap, body: Body) -> Result<Self, Status> {
        let is_gzip = is_gzip(form.protocol, headers)?;
        let body = if form.protocol == Protocol::GrpcWebText {
            let text = collect(body, (shape.bounds.bytes + HEAD).div_ceil(3) * 4).await?;
            let bytes = STANDARD.decode(text).map_err(|_| Status::invalid_argument("The body is not base64"))?;
            Body::from(bytes)
        } else {
            body
        };
        Ok(Self { body, buffer: BytesMut::new(), form, shape, is_gzip })
    }

    /// The next message.
    pub(in crate::grpc) async fn next<T: Message + Name + Default>(&mut self) -> Result<Option<T>, Status> {
        let Some(message) = self.next_bytes().await? else { return Ok(None) };
        encoding::decode(self.form.encoding, self.shape, &message).map(Some)
    }

    async fn next_bytes(&mut self) -> Result<Option<Bytes>, Status> {
        self.next_payload().await?.map(Payload::unpacked).transpose()
    }

    async fn next_payload(&mut self) -> Result<Option<Payload>, Status> {
        if !self.fill(HEAD).await? {
            return if self.buffer.is_empty() { Ok(None) } else { Err(incomplete()) };
        }
        let flags = self.buffer.get_u8();
        let length = usize::try_from(self.buffer.get_u32()).unwrap_or(usize::MAX);
        let most = self.shape.bounds.bytes;
        if length > most {
            return Err(too_large(most));
        }
        if !self.fill(length).await? {
            return Err(incomplete());
        }
        let bytes = self.buffer.split_to(length).freeze();
        match (flags, self.is_gzip) {
            (0, _) => Ok(Some(Payload { bytes, is_gzip: false, most })),
            (COMPRESSED, true) => Ok(Some(Payload { bytes, is_gzip: true, most })),
            (COMPRESSED, false) => {
                Err(Status::invalid_argument("A compressed message needs the header that names its encoding"))
            }
            _ => Err(Status::invalid_argument("The flags of a message must be 0 or 1")),
        }
    }

    /// The only message of a call.
    pub(super) async fn only<T: Message + Name + Default>(self) -> Result<T, Status> {
        let (encoding, shape) = (self.form.encoding, self.shape);
        encoding::decode(encoding, shape, &self.only_payload().await?.unpacked()?)
    }

    pub(super) async fn only_payload(mut self) -> Result<Payload, Status> {
        let missing = || Status::invalid_argument("The body must have one message; it has none");
        let message = self.next_payload().await?.ok_or_else(missing)?;
        match self.next_payload().await? {
            None => Ok(message),
            Some(_) => Err(Status::invalid_argument("The body must have one message; it has more")),
        }
    }

    /// Reads until there are as many bytes, or until the end of the body.
    async fn fill(&mut self, count: usize) -> Result<bool, Status> {
        while self.buffer.len() < count {
            match self.body.frame().await {
                None => return Ok(false),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.put(data);
                    }
                }
                Some(Err(error)) => return Err(broken(&error)),
            }
        }
        Ok(true)
    }
}

/// A message as it was sent.
pub(super) struct Payload {
    bytes: Bytes,
    is_gzip: bool,
    /// Of the message.
    most: usize,
}

impl Payload {
    /// Whether the message is no longer than this, as far as is known before it is unpacked.
    pub(super) fn is_at_most(&self, bytes: usize) -> bool {
        !self.is_gzip && self.bytes.len() <= bytes
    }

    pub(super) fn unpacked(self) -> Result<Bytes, Status> {
        if self.is_gzip { decompress(&self.bytes, self.most) } else { Ok(self.bytes) }
    }
}

/// The body of a call that is one message.
pub(super) async fn whole(shape: Shape, headers: &HeaderMap, body: Body) -> Result<Payload, Status> {
    let is_gzip = is_gzip(Protocol::Connect, headers)?;
    let bytes = collect(body, shape.bounds.bytes).await?;
    Ok(Payload { is_gzip: is_gzip && !bytes.is_empty(), bytes, most: shape.bounds.bytes })
}

/// A message with its length.
pub(super) fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEAD + message.len());
    frame.put_u8(0);
    // Answers are far smaller than 4 GiB.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

async fn collect(body: Body, most: usize) -> Result<Bytes, Status> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(most)),
        Err(error) => Err(broken(error.as_ref())),
    }
}

fn is_gzip(protocol: Protocol, headers: &HeaderMap) -> Result<bool, Status> {
    let name = match protocol {
        Protocol::Grpc | Protocol::GrpcWeb | Protocol::GrpcWebText => "grpc-encoding",
        Protocol::Connect => "content-encoding",
        Protocol::ConnectStream => "connect-content-encoding",
    };
    match headers.get(name).map(http::HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => Err(Status::new(Code::Unimplemented, format!("{name}: must be gzip or identity"))),
    }
}

/// All members in their order (RFC 1952 section 2.2); bytes that are not a member are an error. Stops at the bound, so that a small body
/// cannot become a large message.
fn decompress(bytes: &[u8], most: usize) -> Result<Bytes, Status> {
    let (mut rest, mut message) = (bytes, Vec::new());
    for _ in 0..GZIP_MEMBERS {
        let limit = u64::try_from(most - message.len()).unwrap_or(u64::MAX).saturating_add(1);
        let mut member = GzDecoder::new(rest).take(limit);
        let read = member.read_to_end(&mut message);
        read.map_err(|_| Status::invalid_argument("The message is not valid gzip"))?;
        if message.len() > most {
            return Err(too_large(most));
        }
        rest = member.into_inner().into_inner();
        if rest.is_empty() {
            return Ok(message.into());
        }
    }
    Err(Status::invalid_argument(format!("The message must have at most {GZIP_MEMBERS} gzip members")))
}

fn too_large(most: usize) -> Status {
    Status::new(Code::ResourceExhausted, format!("The message must have at most {most} bytes"))
}

fn incomplete() -> Status {
    Status::invalid_argument("The body ends within a message")
}

/// The body failed: the client was too slow, or went away.
fn broken(error: &(dyn std::error::Error + 'static)) -> Status {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    if causes.any(<dyn std::error::Error>::is::<Stalled>) {
        return Status::new(Code::DeadlineExceeded, "The body of the request stopped arriving");
    }
    Status::new(Code::Cancelled, "The request ended early")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn all_members_of_a_gzip_message_are_read_and_nothing_else_is_accepted() {
        let (first, second, empty) = (member(b"first"), member(b"second"), member(b""));
        for (members, message) in [
            (first.clone(), "first"),
            ([first.as_slice(), &second].concat(), "firstsecond"),
            ([empty.as_slice(), &first, &empty, &empty, &second, &empty].concat(), "firstsecond"),
            (empty.repeat(GZIP_MEMBERS), ""),
        ] {
            assert_eq!(decompress(&members, 11).unwrap(), message);
        }
        for rest in [
            b"trail".as_slice(),
            b"\0",
            b"\0\0\0\0\0\0\0\0",
            b"\x1f",
            b"\x1f\x8b",
            &second[..second.len() - 1],
            &second[1..],
        ] {
            let refused = decompress(&[first.as_slice(), rest].concat(), 100).unwrap_err();
            assert_eq!(refused, Status::invalid_argument("The message is not valid gzip"), "{rest:?}");
        }
        let refused = decompress(&empty.repeat(GZIP_MEMBERS + 1), 100).unwrap_err();
        assert_eq!(refused, Status::invalid_argument("The message must have at most 100 gzip members"));
        assert_eq!(decompress(&[], 100).unwrap_err(), Status::invalid_argument("The message is not valid gzip"));
    }

    #[test]
    fn the_bound_holds_for_all_members_together() {
        let of = |lengths: [usize; 3]| lengths.map(|length| member(&vec![b'a'; length])).concat();
        assert_eq!(decompress(&of([40, 0, 60]), 100).unwrap(), [b'a'; 100].as_slice());
        for members in [of([40, 0, 61]), of([101, 0, 0]), of([100, 1, 1]), of([40, 1_000_000, 0])] {
            assert_eq!(decompress(&members, 100).unwrap_err(), too_large(100));
        }
    }

    #[test]
    fn the_length_of_a_compressed_message_is_not_known_before_it_is_unpacked() {
        let payload = |is_gzip| Payload { bytes: Bytes::from_static(&[0; 8]), is_gzip, most: 100 };
        assert!(payload(false).is_at_most(8));
        assert!(!payload(false).is_at_most(7));
        assert!(!payload(true).is_at_most(100));
    }
}
