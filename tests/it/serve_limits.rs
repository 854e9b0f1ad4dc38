//! Limits of the server: slow clients, too many connections, and clients that are still sending when they are rejected.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream as BlockingStream};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use maitre::{Serve, ServeLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::ledger::support::short_or_long;
use crate::saas::Saas;
use crate::support::Folder;

const PARTIAL_HEAD: &[u8] = b"POST /heroku/resources HTTP/1.1\r\nhost: localhost\r\n";
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Generous, as the machine may be busy; each limit under test is much shorter or much longer.
const TIMEOUT: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(limits: ServeLimits) -> Self {
        let app = Router::new()
            .route("/", get(async || "hello"))
            .route("/slow", get(async || sleep(Duration::from_secs(1)).await))
            .route("/read", post(async |body: Bytes| body.len().to_string()));
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("a local address");
        let (stop, stopped) = oneshot::channel();
        let serving: Serve = maitre::serve(socket, app).limits(limits).deadline(Duration::from_mins(1));
        let task = tokio::spawn(serving.until(async { drop(stopped.await) }));
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("sent");
        stream
    }
}

/// Reads until the server closes the connection.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    let read = timeout(TIMEOUT, stream.read_to_end(&mut response)).await.expect("the server closes the connection");
    read.expect("closed without a reset");
    String::from_utf8_lossy(&response).into_owned()
}

async fn read_some(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    let count = timeout(TIMEOUT, stream.read(&mut buffer)).await.expect("a response").expect("readable");
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

#[tokio::test]
async fn a_partial_head_is_closed_after_the_header_timeout() {
    let server = Server::start(ServeLimits::new().with_header_read(Duration::from_millis(300))).await;
    for partial in [b"".as_slice(), b"P", b"GET / HT", PARTIAL_HEAD, b"PRI * HTTP/2.0\r\n"] {
        let mut stream = server.send(partial).await;
        read_to_end(&mut stream).await;
    }
}

#[tokio::test]
async fn a_partial_second_head_is_closed_after_the_header_timeout() {
    let server = Server::start(ServeLimits::new().with_header_read(Duration::from_millis(300))).await;
    let mut stream = server.send(GET).await;
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200"));
    stream.write_all(PARTIAL_HEAD).await.unwrap();
    read_to_end(&mut stream).await;
}

#[tokio::test]
async fn an_idle_connection_serves_requests_until_the_idle_timeout() {
    let limits = ServeLimits::new().with_header_read(Duration::from_millis(100)).with_idle(Duration::from_millis(900));
    let server = Server::start(limits).await;
    let mut stream = server.send(GET).await;
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200"));
    sleep(Duration::from_millis(300)).await;
    stream.write_all(GET).await.unwrap();
    assert!(
        read_some(&mut stream).await.starts_with("HTTP/1.1 200"),
        "the header timeout does not run between requests"
    );
    read_to_end(&mut stream).await;
}

#[tokio::test]
async fn a_slow_response_is_not_cut_by_the_clients_limits() {
    let limits = ServeLimits::new().with_header_read(Duration::from_millis(100)).with_idle(Duration::from_millis(100));
    let server = Server::start(limits).await;
    let mut stream = server.send(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_stalled_body_ends_the_request() {
    let server = Server::start(ServeLimits::new().with_body_read(Duration::from_millis(300))).await;
    let mut stream = server.send(b"POST /read HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf").await;
    let response = read_to_end(&mut stream).await;
    assert!(response.is_empty() || response.starts_with("HTTP/1.1 4"), "{response}");
}

#[tokio::test]
async fn requests_are_answered_while_partial_heads_fill_every_connection() {
    let server = Server::start(ServeLimits::new().with_connections(10).with_header_read(TIMEOUT * 10)).await;
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(server.send(PARTIAL_HEAD).await);
    }
    for _ in 0..5 {
        let mut stream = server.send(GET).await;
        assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_new_connection_waits_while_every_other_is_busy() {
    let server = Server::start(ServeLimits::new().with_connections(2)).await;
    let slow: &[u8] = b"GET /slow HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut busy = [server.send(slow).await, server.send(slow).await];
    let mut third = server.send(GET).await;
    assert!(read_some(&mut third).await.starts_with("HTTP/1.1 200"));
    for stream in &mut busy {
        assert!(
            read_to_end(stream).await.starts_with("HTTP/1.1 200"),
            "a busy connection must not be closed for the third"
        );
    }
}

#[tokio::test]
async fn a_shutdown_closes_idle_connections_and_finishes_requests() {
    let server = Server::start(ServeLimits::new()).await;
    let mut idle = [server.connect().await, server.send(b"P").await, server.send(PARTIAL_HEAD).await];
    let mut busy = server.send(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    sleep(Duration::from_millis(200)).await;
    let begin = Instant::now();
    server.stop.send(()).unwrap();
    for stream in &mut idle {
        read_to_end(stream).await;
    }
    assert!(read_to_end(&mut busy).await.starts_with("HTTP/1.1 200"));
    timeout(TIMEOUT, server.task).await.expect("the server stops").unwrap().unwrap();
    assert!(begin.elapsed() < TIMEOUT, "the server must stop before its deadline");
}

#[tokio::test]
async fn a_client_that_still_sends_a_rejected_body_can_read_the_response() {
    let app = Router::new().route("/", post(async || (axum::http::StatusCode::PAYLOAD_TOO_LARGE, "too large")));
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(maitre::serve(socket, app).until(std::future::pending()));
    let responses =
        tokio::task::spawn_blocking(move || (0..20).map(|_| send_everything_then_read(address)).collect::<Vec<_>>());
    for response in responses.await.unwrap() {
        assert!(response.starts_with("HTTP/1.1 413"), "{response}");
    }
    task.abort();
}

/// Writes 4 MiB before it reads, as simple clients do.
fn send_everything_then_read(address: SocketAddr) -> String {
    let mut stream = BlockingStream::connect(address).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4194304\r\n\r\n").unwrap();
    for _ in 0..64 {
        stream.write_all(&vec![b'x'; 64 * 1024]).expect("the server continues to read");
    }
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("no reset");
    response
}

#[tokio::test]
async fn both_versions_of_http_are_served() {
    let server = Server::start(ServeLimits::new()).await;
    let url = format!("http://{}/", server.address);
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let response = client.get(&url).send().await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (reqwest::Version::HTTP_2, 200));
    let response = reqwest::get(&url).await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (reqwest::Version::HTTP_11, 200));
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_served() {
    let folder = Folder::new();
    let path = folder.0.join("app.sock");
    let socket = tokio::net::UnixListener::bind(&path).unwrap();
    let app = Router::new().route("/", get(async || "hello"));
    let task = tokio::spawn(maitre::serve(socket, app).until(std::future::pending()));
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut response = String::new();
    timeout(TIMEOUT, stream.read_to_string(&mut response)).await.unwrap().unwrap();
    assert!(response.ends_with("hello"), "{response}");
    task.abort();
}

/// The process may open fewer files than clients send a partial head. The long form has the numbers of docs/testing.md.
#[test]
fn a_process_out_of_file_descriptors_still_answers_requests() {
    let folder = Folder::new();
    let (descriptors, clients) = (short_or_long(256, 1024), short_or_long(300, 1100));
    let mut saas = Saas::start_with_descriptors(&folder, u32::try_from(descriptors).expect("a limit"));
    let address = saas.origin.trim_start_matches("http://").to_owned();
    let held: Vec<_> = (0..clients)
        .map(|_| {
            let mut stream = BlockingStream::connect(&address).expect("a connection");
            let _ = stream.write_all(PARTIAL_HEAD); // the server may have closed it already to free a descriptor
            stream
        })
        .collect();
    let mut longest = Duration::ZERO;
    for _ in 0..short_or_long(5, 100) {
        let began = Instant::now();
        let mut stream = BlockingStream::connect(&address).expect("a connection");
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        longest = longest.max(began.elapsed());
    }
    println!("{clients} partial heads, {descriptors} descriptors: another caller is answered within {longest:?}");
    assert!(saas.terminate().success());
    drop(held);
}

/// Without the limits, the process waits for the caller until its deadline, and then aborts.
#[test]
fn a_process_with_a_partial_head_stops_without_waiting_for_it() {
    let folder = Folder::new();
    let mut saas = Saas::start(&folder);
    let mut held = BlockingStream::connect(saas.origin.trim_start_matches("http://")).expect("a connection");
    held.write_all(PARTIAL_HEAD).unwrap();
    let began = Instant::now();
    assert!(saas.terminate().success());
    println!("SIGTERM with one partial head: the process exits after {:?}", began.elapsed());
    assert!(began.elapsed() < TIMEOUT, "less than the shutdown deadline of 25 s");
}
