//! Vercel's key set on loopback. `maitre` fetches it once.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use maitre_bench_support::{Outcome, vercel};

/// Serves the key set until the process ends. Returns its URL.
pub(crate) fn serve() -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/jwks", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // the caller reports a missing answer
            let _ = answer(stream);
        }
    });
    Ok(url)
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            more => request.extend_from_slice(&buffer[..more]),
        }
    }
    let keys = vercel::jwks();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{keys}", keys.len())
}
