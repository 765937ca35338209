//! Streams over real connections: clients that leave, that never read, and that are there at the shutdown.

use std::net::Shutdown;
use std::ops::Range;
use std::time::Duration;

use axum::extract::Request;
use base::Context;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use web::listener::{Listener, ListenerLimits};

use super::super::harness::{Harness, on_both, plain};
use super::{WATCH, framed};
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject};
use crate::domain::tuple_changes::TupleChange;

const MOST: usize = 1_000;

/// The read listener, and a client of it by HTTP/2.
struct Connected {
    stop: watch::Sender<bool>,
    serving: JoinSet<()>,
    client: JoinSet<()>,
    sender: SendRequest<Full<Bytes>>,
    /// The socket of the client.
    socket: std::net::TcpStream,
}

impl Connected {
    /// `window` is what the client takes of one answer before it reads it.
    async fn new(harness: &Harness, limits: ListenerLimits, window: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = harness.permissions.read_router().layer(axum::Extension::<Context>(harness.cx()));
        let (stop, stopped) = watch::channel(false);
        let mut serving = JoinSet::new();
        serving.spawn(Listener { socket: listener, tls: None, limits, router }.serve(stopped));
        let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(window);
        let stream = TcpStream::connect(address).await.unwrap().into_std().unwrap();
        let socket = stream.try_clone().unwrap();
        let stream = TokioIo::new(TcpStream::from_std(stream).unwrap());
        let (sender, connection) = builder.handshake(stream).await.unwrap();
        let mut client = JoinSet::new();
        client.spawn(async move { drop(connection.await) });
        Self { stop, serving, client, sender, socket }
    }

    async fn namespaces(&mut self) {
        let call = Request::get("http://read.example/namespaces").body(Full::default()).unwrap();
        let body = self.sender.send_request(call).await.unwrap().into_body();
        assert!(body.collect().await.unwrap().to_bytes().starts_with(b"{"));
    }

    async fn watch(&mut self) -> Incoming {
        let call = Request::post(format!("http://read.example/{WATCH}")).header("content-type", "application/grpc");
        let call = call.header("te", "trailers").body(Full::from(framed(b""))).unwrap();
        let response = self.sender.send_request(call).await.unwrap();
        assert_eq!(response.headers().get("grpc-status"), None);
        response.into_body()
    }
}

async fn write(harness: &Harness, numbers: Range<usize>) {
    let change = |number: usize| {
        let (namespace, object, relation) = ("Doc".to_owned(), format!("{number:0900}"), "viewer".to_owned());
        let tuple = RelationTuple { namespace, object, relation, subject: Subject::Id("ada".into()) };
        TupleChange::Insert(StoredTuple::from(tuple))
    };
    let changes: Vec<TupleChange> = numbers.map(change).collect();
    harness.permissions.transact_relation_tuples(&harness.cx(), &changes).await.unwrap();
}

/// Waits until nobody watches.
async fn nobody_watches(harness: &Harness) {
    let started = Instant::now();
    while harness.permissions.watchers.left() < MOST {
        assert!(started.elapsed() < Duration::from_secs(10), "a stream goes on without its client");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_cancelled_stream_leaves_nothing_and_its_connection_goes_on() {
    on_both(plain(), |harness| async move {
        let _following = harness.follow();
        write(&harness, 0..1).await;
        let mut connected = Connected::new(&harness, ListenerLimits::default(), 1 << 20).await;
        for _ in 0..3 {
            let mut streams = Vec::new();
            for _ in 0..20 {
                let mut stream = connected.watch().await;
                let first = timeout(Duration::from_secs(5), stream.frame()).await.unwrap().unwrap().unwrap();
                assert_eq!(first.into_data().unwrap()[0], 0);
                streams.push(stream);
            }
            assert_eq!(harness.permissions.watchers.left(), MOST - 20);
            // As RST_STREAM, of each stream alone.
            drop(streams);
            nobody_watches(&harness).await;
        }
        assert!(connected.client.try_join_next().is_none(), "the connection is closed");
        // A client that is gone altogether.
        let _stream = connected.watch().await;
        connected.socket.shutdown(Shutdown::Both).unwrap();
        nobody_watches(&harness).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_disconnected() {
    on_both(plain(), |harness| async move {
        let _following = harness.follow();
        write(&harness, 0..1).await;
        let limits = ListenerLimits { write_timeout: Duration::from_millis(300), ..ListenerLimits::default() };
        let mut connected = Connected::new(&harness, limits, 1_024).await;
        let mut streams = Vec::new();
        for _ in 0..10 {
            streams.push(connected.watch().await);
        }
        assert_eq!(harness.permissions.watchers.left(), MOST - 10);
        // More than the window, twice: from now on every stream waits for its client. That its connection is in use otherwise
        // does not help it.
        write(&harness, 0..50).await;
        write(&harness, 50..100).await;
        sleep(Duration::from_millis(50)).await;
        connected.namespaces().await;
        nobody_watches(&harness).await;
        let closed = timeout(Duration::from_secs(5), connected.client.join_next()).await;
        assert!(closed.is_ok(), "the connection goes on");
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_ends_the_streams_and_need_not_wait_for_their_clients() {
    on_both(plain(), |harness| async move {
        let following = harness.follow();
        write(&harness, 0..1).await;
        let mut connected = Connected::new(&harness, ListenerLimits::default(), 1 << 20).await;
        let mut streams = vec![connected.watch().await, connected.watch().await];
        let started = Instant::now();
        connected.stop.send_replace(true);
        following.stop().await;
        for stream in &mut streams {
            let collected = stream.collect().await.unwrap();
            assert_eq!(collected.trailers().unwrap()["grpc-status"], "14");
        }
        connected.serving.join_next().await.unwrap().unwrap();
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        nobody_watches(&harness).await;
    })
    .await;
}
