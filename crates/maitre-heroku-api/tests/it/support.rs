use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use maitre_heroku_api::{Api, Client, ClientBuilder, Token};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

pub(crate) const UUID: &str = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21";

/// Builder of a client for this server, with short pauses.
pub(crate) fn builder(url: &str) -> ClientBuilder {
    Client::builder("client s3cr3t")
        .base_url(url)
        .user_agent("lantern/2.1")
        .no_proxy()
        .backoff(Duration::from_millis(1), Duration::from_millis(5))
}

pub(crate) fn client(server: &MockServer) -> Client {
    builder(&server.uri()).build().expect("a client")
}

pub(crate) fn api(server: &MockServer) -> Api {
    client(server).api(&Token::new("HRKU-t0ken"))
}

/// Starts a server that returns these responses in order, and repeats the last one.
pub(crate) async fn server_with(answers: impl IntoIterator<Item = ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let answers: Vec<_> = answers.into_iter().collect();
    let next = AtomicUsize::new(0);
    let answer = move |_: &Request| answers[next.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)].clone();
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

pub(crate) async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("requests are recorded")
}

pub(crate) async fn request_count(server: &MockServer) -> usize {
    requests(server).await.len()
}

pub(crate) fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

/// An error response in Heroku's format.
pub(crate) fn error_response(code: u16, id: &str) -> ResponseTemplate {
    status(code).set_body_json(json!({ "id": id, "message": "A sentence." })).insert_header("request-id", "r-1")
}

pub(crate) fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.get(name).map(|value| value.to_str().expect("text"))
}

pub(crate) fn add_on() -> Value {
    json!({
        "id": UUID, "name": "lantern-curved-4821", "state": "provisioned", "provider_id": UUID,
        "plan": { "id": "11", "name": "lantern:basic" }, "addon_service": { "id": "5", "name": "lantern" },
        "app": { "id": "a1", "name": "shop" }, "config_vars": ["LANTERN_URL"], "actions": [],
        "billing_entity": { "id": "a1", "name": "shop", "type": "app" },
        "billed_price": { "cents": 500, "contract": false, "unit": "month" },
        "created_at": "2026-03-04T05:06:07Z", "updated_at": "2026-03-04T05:06:07Z",
    })
}

/// Starts a TCP server that reads one request from each connection and then passes the connection to `handle`. Returns
/// its URL and the number of connections.
pub(crate) fn tcp_server(handle: impl Fn(usize, TcpStream) + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            read_request(&mut stream);
            handle(counted.fetch_add(1, Ordering::SeqCst), stream);
        }
    });
    (url, connections)
}

fn read_request(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_complete(&request) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().expect("a length"))
}

/// Sends this text and closes the connection.
pub(crate) fn respond(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.replace('\n', "\r\n").as_bytes()).expect("an answer");
    stream.shutdown(Shutdown::Write).expect("an end");
}
