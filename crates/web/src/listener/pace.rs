//! The pace of a connection: how long the far end may take for what it does next.
//!
//! The times are kept beneath the HTTP library, in the stream that it reads and writes, because the library has one timer
//! for the head of a request and for the pause before it. Three things are told apart: waiting for a request (a long
//! time), receiving its head (a short time, counted from its first byte), and everything while a request is answered (no
//! time: its body has a [clock of its own](super::IdleBody)). Beside that, a write must make progress; in HTTP/2, where a
//! client refuses data by its windows and the stream is never stuck, some answer must, unless one waits for us. Once a
//! connection became a tunnel, reading is the tunnel's business.

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
/// Pings, settings and windows of HTTP/2 are no larger together, and carry nothing of an answer.
const CONTROL_BYTES: usize = 64;
/// Tells a client of HTTP/1.1 why its connection ends (RFC 9110 section 15.5.9).
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What the stream must know of the requests on it. Shared by a connection and its answers.
pub(super) struct Pace {
    began: Instant,
    is_http2: AtomicBool,
    is_tunnel: AtomicBool,
    /// Requests whose head was complete.
    begun: AtomicU64,
    /// Requests that were answered to the last byte, or given up.
    ended: AtomicU64,
    /// Requests whose answer waits for us: it is being made, or its next piece is.
    ours: AtomicU64,
    /// When the last piece of an answer was handed out or sent, in milliseconds since the connection began.
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

    /// Whether every answer waits for the client to take more.
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
    /// Notes whose turn it is.
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

/// The body of an answer: its request is under way until it is sent, or dropped.
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

/// An alarm that is set rarely: one that rings early is set again, so that a later deadline costs nothing.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether `deadline` has passed; if not, the task is woken when it has.
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

/// A stream that fails when its far end is too slow.
pub(super) struct PacedIo<S> {
    inner: S,
    pace: Arc<Pace>,
    limits: ListenerLimits,
    /// Since when a head is being received; the first is waited for from the beginning.
    head_since: Option<Instant>,
    /// Whether the far end ever said anything.
    has_spoken: bool,
    /// The requests that had begun when that was last looked at.
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

    /// Notes that bytes came.
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

    /// Until when something must come. In HTTP/2 bytes come for many reasons, and heads have no clock of their own.
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

    /// The library refuses bytes that are no request by a status alone. In its place goes an answer with a body, which
    /// clients can show. Nothing else is written while a head is being received.
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

    /// Notes that bytes of an answer went out: one that was handed out whole is under way until then.
    fn sent(&self, written: &Poll<io::Result<usize>>) {
        let least = if self.pace.is_http2.load(Ordering::Relaxed) { CONTROL_BYTES } else { 0 };
        if matches!(written, Poll::Ready(Ok(count)) if *count > least) {
            self.pace.note_progress();
        }
    }

    /// Judges what a write came to.
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

/// What a client is waited for.
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
            // Nothing is under way: the end of the stream, and no error.
            Waiting::Request => return Poll::Ready(Ok(())),
            Waiting::Reader => return Poll::Ready(Err(does_not_read())),
            Waiting::Head => {}
        }
        // A courtesy: what cannot be written at once is not.
        let _ = Pin::new(&mut this.inner).poll_write(cx, TOO_SLOW);
        let _ = Pin::new(&mut this.inner).poll_flush(cx);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the head of a request did not come in time")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match self.with_body(bytes) {
            // It fits any buffer that is empty, and none other is left for a client that sent no request.
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
