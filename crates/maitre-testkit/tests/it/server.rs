use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

/// Request as it arrived, with header names in lower case.
pub(crate) struct ExchangeId {
    pub(crate) line: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl ExchangeId {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header.starts_with(&format!("{name}:")))
    }
}

/// Starts a server that sends these responses, one per connection. Returns its root and its requests.
pub(crate) fn answering(answers: &[&str]) -> (String, Receiver<ExchangeId>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let root = format!("http://{}", listener.local_addr().expect("an address"));
    let answers: Vec<_> = answers.iter().map(|answer| answer.replace('\n', "\r\n")).collect();
    let (arrived, arrivals) = channel();
    thread::spawn(move || {
        for (answer, stream) in answers.iter().zip(listener.incoming()) {
            let mut stream = stream.expect("a connection");
            let request = read(&stream);
            stream.write_all(answer.as_bytes()).expect("an answer");
            if arrived.send(request).is_err() {
                return;
            }
        }
    });
    (root, arrivals)
}

fn read(stream: &TcpStream) -> ExchangeId {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map(|line| line.expect("a line"));
    let line = lines.next().expect("a request line");
    let headers: Vec<_> = lines
        .take_while(|line| !line.is_empty())
        .map(|header| match header.split_once(": ") {
            Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
            None => header,
        })
        .collect();
    let length = headers.iter().find_map(|header| header.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse().expect("a length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    ExchangeId { line, headers, body: String::from_utf8(body).expect("text") }
}
