//! Time limits of a connection: how long the peer may take for its next step.
//!
//! The times are measured below the HTTP library, in the stream that it reads and writes, because the library has only one
//! timer for the head of a request and for the pause before it. Three phases are distinguished: waiting for a request (a long
//! time), receiving its head (a short time, counted from its first byte), and answering a request (no limit: its body has a
//! [timer of its own](super::IdleBody)). In addition, a write must make progress. In HTTP/2 a client refuses data by its
//! windows and the stream is never blocked, so some answer must make progress, unless one waits for the server. Reads of a
//! connection that became a tunnel have no limit here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::ListenerLimits;

/// The first bytes of every HTTP/2 connection (RFC 9113 section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// Pings, settings and window updates of HTTP/2 are not larger than this together, and contain no part of an answer.
const CONTROL_BYTES: usize = 64;
/// The answer that gives a client of HTTP/1.1 the reason for the end of its connection (RFC 9110 section 15.5.9).
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The state of the requests on a stream. It is shared by a connection and its answers.
pub(super) struct Pace {
    began: Instant,
    is_http2: AtomicBool,
    is_tunnel: AtomicBool,
    /// The number of requests whose head was complete.
    begun: AtomicU64,
    /// The number of requests that were answered completely or abandoned.
    ended: AtomicU64,
    /// The number of requests whose answer waits for the server to produce it or its next piece.
    ours: AtomicU64,
    /// The time when the last piece of an answer was produced or sent, in milliseconds since the connection began.
    last_progress: AtomicU64,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            is_http2: AtomicBool::new(false),
            is_tunnel: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            ours: AtomicU64::new(0),
            last_progress: AtomicU64::new(0),
        }
    }

    /// The head of a request is complete.
    pub(super) fn begin(pace: &Arc<Self>, version: Version) -> InFlight {
        if version == Version::HTTP_2 {
            pace.is_http2.store(true, Ordering::Relaxed);
        }
        pace.begun.fetch_add(1, Ordering::Relaxed);
        pace.ours.fetch_add(1, Ordering::Relaxed);
        InFlight { pace: pace.clone(), is_ours: true }
    }

    pub(super) fn becomes_tunnel(&self) {
        self.is_tunnel.store(true, Ordering::Relaxed);
    }

    fn is_answering(&self) -> bool {
        self.begun.load(Ordering::Relaxed) != self.ended.load(Ordering::Acquire)
    }

    /// Whether every answer waits for the client to read.
    fn is_refused(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed) && self.ours.load(Ordering::Relaxed) == 0
    }

    fn note_progress(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_progress.store(now, Ordering::Relaxed);
    }

    fn last_progress(&self) -> Instant {
        self.began + Duration::from_millis(self.last_progress.load(Ordering::Relaxed))
    }
}

/// A request that is being answered.
pub(super) struct InFlight {
    pace: Arc<Pace>,
    is_ours: bool,
}

impl InFlight {
    /// Records whether the answer waits for the server.
    fn waits_for_us(&mut self, is_ours: bool) {
        if !is_ours {
            self.pace.note_progress();
        }
        match (self.is_ours, is_ours) {
            (false, true) => drop(self.pace.ours.fetch_add(1, Ordering::Relaxed)),
            (true, false) => drop(self.pace.ours.fetch_sub(1, Ordering::Relaxed)),
            (true, true) | (false, false) => {}
        }
        self.is_ours = is_ours;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.waits_for_us(false);
        self.pace.ended.fetch_add(1, Ordering::Release);
    }
}

/// The body of an answer. Its request is in progress until the body is sent or dropped.
pub(super) struct PacedBody<B> {
    inner: B,
    in_flight: InFlight,
}

impl<B> PacedBody<B> {
    pub(super) fn new(inner: B, in_flight: InFlight) -> Self {
        Self { inner, in_flight }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for PacedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        self.in_flight.waits_for_us(frame.is_pending());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A timer for a deadline that often moves: when it fires early it is set again, so that moving the deadline costs nothing.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether `deadline` has passed; if not, the task is woken when it passes.
    fn has_passed(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if deadline <= Instant::now() {
                return true;
            }
            sleep.as_mut().reset(deadline);
        }
        false
    }
}

/// A stream that fails when its peer is too slow.
pub(super) struct PacedIo<S> {
    inner: S,
    pace: Arc<Pace>,
    limits: ListenerLimits,
    /// The time when the current head began; the first one counts from the beginning of the connection.
    head_since: Option<Instant>,
    /// Whether the peer has sent anything.
    has_spoken: bool,
    /// The number of requests that had begun at the last check.
    begun: u64,
    read_alarm: Alarm,
    /// Since when nothing could be written.
    stuck_since: Option<Instant>,
    write_alarm: Alarm,
}

impl<S> PacedIo<S> {
    pub(super) fn new(inner: S, pace: Arc<Pace>, limits: ListenerLimits) -> Self {
        let head_since = Some(pace.began);
        let (read_alarm, write_alarm) = (Alarm::default(), Alarm::default());
        Self {
            inner,
            pace,
            limits,
            head_since,
            has_spoken: false,
            begun: 0,
            read_alarm,
            stuck_since: None,
            write_alarm,
        }
    }

    /// Records that bytes arrived.
    fn received(&mut self, bytes: &[u8]) {
        self.has_spoken = true;
        let begun = self.pace.begun.load(Ordering::Relaxed);
        if begun == 0 && bytes.starts_with(HTTP2_PREFACE) {
            self.pace.is_http2.store(true, Ordering::Relaxed);
        }
        if begun != self.begun {
            (self.begun, self.head_since) = (begun, None);
        }
        if self.head_since.is_none() && !self.pace.is_answering() {
            self.head_since = Some(Instant::now());
        }
    }

    /// The deadline for the next bytes. In HTTP/2 bytes arrive for many reasons, and heads have no limit of their own.
    fn reading_deadline(&mut self) -> Option<(Instant, Waiting)> {
        if self.pace.is_tunnel.load(Ordering::Relaxed) {
            return None;
        }
        if self.pace.is_answering() {
            let until = self.pace.last_progress() + self.limits.write_timeout;
            return self.pace.is_refused().then_some((until, Waiting::Reader));
        }
        let begun = self.pace.begun.load(Ordering::Relaxed);
        if begun != self.begun {
            (self.begun, self.head_since) = (begun, None);
        }
        match self.head_since {
            Some(since) if !self.pace.is_http2.load(Ordering::Relaxed) => {
                let waiting = if self.has_spoken { Waiting::Head } else { Waiting::Request };
                Some((since + self.limits.header_timeout, waiting))
            }
            Some(_) | None => Some((self.pace.last_progress() + self.limits.keep_alive_timeout, Waiting::Request)),
        }
    }

    /// The library answers bytes that are not a request with a status without a body. This replaces it by an answer with a
    /// body, which clients can show. Nothing else is written while a head is being received.
    fn with_body(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let begun = self.pace.begun.load(Ordering::Relaxed);
        let is_receiving_head = self.head_since.is_some() && begun == self.begun && !self.pace.is_answering();
        if !is_receiving_head || self.pace.is_http2.load(Ordering::Relaxed) {
            return None;
        }
        let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
        let status = StatusCode::from_bytes(head.strip_prefix("HTTP/1.1 ")?.get(..3)?.as_bytes()).ok()?;
        let (before, after) = head.split_once("content-length: 0")?;
        if !status.is_client_error() && !status.is_server_error() {
            return None;
        }
        let body = (self.limits.malformed_request)(status);
        let length = body.len();
        let text = format!("{before}content-type: application/json\r\ncontent-length: {length}{after}\r\n\r\n{body}");
        Some(text.into_bytes())
    }

    /// Records that bytes of an answer were sent: a complete answer is in progress until then.
    fn sent(&self, written: &Poll<io::Result<usize>>) {
        let least = if self.pace.is_http2.load(Ordering::Relaxed) { CONTROL_BYTES } else { 0 };
        if matches!(written, Poll::Ready(Ok(count)) if *count > least) {
            self.pace.note_progress();
        }
    }

    /// Updates the state after a write.
    fn note_write<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck_since = None;
            return written;
        }
        let since = *self.stuck_since.get_or_insert_with(Instant::now);
        if self.write_alarm.has_passed(since + self.limits.write_timeout, cx) {
            return Poll::Ready(Err(does_not_read()));
        }
        Poll::Pending
    }
}

fn does_not_read() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client does not read")
}

/// What the stream waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Request,
    Head,
    Reader,
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for PacedIo<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.inner).poll_read(cx, buffer) {
            if let Some(bytes @ [_, ..]) = buffer.filled().get(before..) {
                this.received(bytes);
            }
            return Poll::Ready(read);
        }
        let Some((deadline, waiting)) = this.reading_deadline() else { return Poll::Pending };
        if !this.read_alarm.has_passed(deadline, cx) {
            return Poll::Pending;
        }
        match waiting {
            // No request is in progress: the end of the stream is not an error.
            Waiting::Request => return Poll::Ready(Ok(())),
            Waiting::Reader => return Poll::Ready(Err(does_not_read())),
            Waiting::Head => {}
        }
        // Best effort: bytes that cannot be written at once are dropped.
        let _ = Pin::new(&mut this.inner).poll_write(cx, TOO_SLOW);
        let _ = Pin::new(&mut this.inner).poll_flush(cx);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the head of a request did not arrive in time")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match self.with_body(bytes) {
            // The answer fits into an empty buffer, and the buffer is empty for a client that sent no request.
            Some(answer) => Pin::new(&mut self.inner).poll_write(cx, &answer).map_ok(|_| bytes.len()),
            None => Pin::new(&mut self.inner).poll_write(cx, bytes),
        };
        self.sent(&written);
        self.note_write(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [bytes] = slices
            && self.with_body(bytes).is_some()
        {
            return self.poll_write(cx, bytes);
        }
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.sent(&written);
        self.note_write(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.note_write(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.note_write(ended, cx)
    }
}
