//! Raw HTTP over TCP, for requests that no client would send.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Server;
use super::signal::TIMEOUT;

/// Builds a request from the lines of its head and its body: `request(["POST /heroku/resources", "host: x"], "{}")`.
///
/// Adds `content-length` unless a line says how the body ends.
pub(crate) fn request<'l>(lines: impl IntoIterator<Item = &'l str>, body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut lines = lines.into_iter();
    let mut head = vec![format!("{} HTTP/1.1", lines.next().unwrap_or_default()), "host: vendor.example".to_owned()];
    head.extend(lines.map(ToOwned::to_owned));
    let (announced, body) = (["content-length:", "transfer-encoding:"], body.as_ref());
    if !body.is_empty() && !head.iter().any(|line| announced.iter().any(|name| line.starts_with(name))) {
        head.push(format!("content-length: {}", body.len()));
    }
    let head = head.join("\r\n");
    [head.as_bytes(), b"\r\n\r\n", body].concat()
}

/// One TCP connection.
pub(crate) struct Raw {
    stream: TcpStream,
    /// Whether the last request was a `HEAD`, whose response has no body.
    is_head: bool,
}

impl Raw {
    pub(crate) async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).await.expect("a connection");
        Self { stream, is_head: false }
    }

    /// Sends these bytes and reads one response.
    pub(crate) async fn exchange(server: &Server, bytes: impl AsRef<[u8]>) -> RawReply {
        let mut raw = Self::connect(server).await;
        raw.write(bytes).await.expect("a server that accepts the request");
        raw.read().await.expect("an answer")
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.is_head = bytes.as_ref().starts_with(b"HEAD ");
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Closes the sending side.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Reads one response: its head, and as much of a body as the head announces.
    pub(crate) async fn read(&mut self) -> io::Result<RawReply> {
        let reply = timeout(TIMEOUT, self.read_one()).await;
        reply.unwrap_or_else(|_| panic!("no response, and the connection stays open"))
    }

    async fn read_one(&mut self) -> io::Result<RawReply> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if self.stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let mut reply = RawReply { head: String::from_utf8_lossy(&bytes[..head]).into_owned(), body: Vec::new() };
        let announced = reply.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let length = if self.is_head { 0 } else { announced };
        reply.body = bytes.split_off(head + 4);
        while reply.body.len() < length {
            if self.stream.read_buf(&mut reply.body).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(reply)
    }
}

/// One response.
#[derive(Debug)]
pub(crate) struct RawReply {
    head: String,
    body: Vec<u8>,
}

impl RawReply {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(line_name, _)| line_name.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the whole response except the date.
    pub(crate) fn undated(&self) -> String {
        let lines = self.head.lines().filter(|line| !line.starts_with("date: "));
        format!("{}\n\n{}", lines.collect::<Vec<_>>().join("\n"), self.text())
    }
}
