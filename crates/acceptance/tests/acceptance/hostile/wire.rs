//! One exchange on a bare connection: exactly the bytes of a test are written, and the answer is read to its end.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::routes::Place;
use super::world::World;

/// The time limit of an answer on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The bytes of an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The target of the request, as it was sent.
    target: String,
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of the first header of that name; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(its_name, _)| its_name.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }

    /// The path of the request.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// One line for a failed assertion.
    pub(crate) fn summary(&self) -> String {
        let text: String = self.text().chars().take(600).collect();
        format!("{} {} {text}", self.status, self.header("content-type"))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let end = find(bytes, b"\r\n\r\n")
            .with_context(|| format!("no answer, but {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(200)])))?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let mut answer = Self { target: String::new(), status, head, body: bytes[end + 4..].to_vec() };
        if answer.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
            answer.body = unchunked(&answer.body).context("a chunked body that is broken off")?;
        } else if let Ok(length) = answer.header("content-length").parse::<usize>() {
            ensure!(answer.body.len() >= length, "the answer is broken off: {}", answer.summary());
            answer.body.truncate(length);
        }
        Ok(answer)
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(rest, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}

/// A request builder. It sends `Connection: close`, so that the answer ends with the connection.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    line: Vec<u8>,
    headers: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        let line = [method.as_bytes(), b" ", target.as_ref(), b" HTTP/1.1\r\n"].concat();
        Self { line, headers: Vec::new(), body: Vec::new() }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.extend([name.as_bytes(), b": ", value.as_ref(), b"\r\n"].concat());
        self
    }

    #[must_use]
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        if !content_type.is_empty() {
            self = self.header("Content-Type", content_type);
        }
        self.body = body.into();
        self
    }

    #[must_use]
    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.body("application/json", body)
    }

    #[must_use]
    pub(crate) fn form(self, body: impl Into<Vec<u8>>) -> Self {
        self.body("application/x-www-form-urlencoded", body)
    }

    fn bytes(&self, host: &str) -> Vec<u8> {
        let mut bytes = self.line.clone();
        bytes.extend(format!("Host: {host}\r\nConnection: close\r\n").as_bytes());
        bytes.extend(&self.headers);
        if !self.body.is_empty() {
            bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

/// Sends a request to a listener.
pub(crate) async fn send(world: &World, place: Place, request: &Request) -> Result<Answer> {
    let host = world.authority(place)?;
    let bytes = request.bytes(&host);
    let answered = exchange(world, place, &bytes).await;
    answered.with_context(|| {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
        format!("{place:?} {shown}")
    })
}

/// Sends bytes and reads the one answer to them.
pub(crate) async fn exchange(world: &World, place: Place, bytes: &[u8]) -> Result<Answer> {
    let answer = Answer::parse(&read_all(world, place, bytes).await?)?;
    let target = bytes.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    Ok(Answer { target: String::from_utf8_lossy(target).into_owned(), ..answer })
}

/// Sends bytes and reads until the server closes the connection; a reset is an error.
pub(crate) async fn read_all(world: &World, place: Place, bytes: &[u8]) -> Result<Vec<u8>> {
    let stream = TcpStream::connect(world.authority(place)?).await?;
    let (mut reading, mut writing) = stream.into_split();
    // Both at the same time, because a server may refuse while the client is still sending.
    let write = async {
        // If the server stopped reading, its answer shows the reason.
        let _ = writing.write_all(bytes).await;
        writing
    };
    let mut received = Vec::new();
    let read = async {
        reading.read_to_end(&mut received).await.context("the connection was reset")?;
        anyhow::Ok(())
    };
    let both = async {
        let (_writing, read) = tokio::join!(write, read);
        read
    };
    match tokio::time::timeout(PATIENCE, both).await {
        Ok(read) => read?,
        Err(_) => bail!("no end in {PATIENCE:?}"),
    }
    Ok(received)
}
