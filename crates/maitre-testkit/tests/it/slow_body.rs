use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use maitre_testkit::Heroku;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Starts a server for one connection, and returns what it reads until the end of the connection or of the body.
fn hearing(answer: impl Fn(TcpStream) + Send + 'static) -> (Heroku, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let root = format!("http://{}", listener.local_addr().expect("an address"));
    let (teller, heard) = channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut pieces = Vec::new();
        let mut buffer = vec![0; 65_536];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            pieces.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            if is_whole(&pieces.concat()) {
                answer(stream);
                break;
            }
        }
        let _ = teller.send(pieces);
    });
    (Heroku::new(&root, "tally", "password", "salt"), heard)
}

/// Returns everything that was read. The connection is closed by a task, so this must not block the thread.
async fn all(hears: Receiver<Vec<String>>) -> Vec<String> {
    tokio::task::spawn_blocking(move || hears.recv().expect("a request")).await.expect("a thread")
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    announced(head) == Some(body.len())
}

fn announced(head: &str) -> Option<usize> {
    head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
}

#[tokio::test]
async fn a_slow_body_has_an_announced_length() {
    let (heroku, hears) = hearing(|mut stream| stream.write_all(OK).expect("an answer"));
    let call = heroku.provision("basic").slow_body(4, Duration::from_millis(30));
    let sent = call.request().body().to_vec();
    call.await.expect(200);
    let pieces = all(hears).await;
    assert!(pieces.len() >= 4, "{pieces:?}");
    assert!(pieces.concat().ends_with(std::str::from_utf8(&sent).expect("text")), "{pieces:?}");
}

#[tokio::test]
async fn half_a_request_has_half_of_the_announced_body() {
    let (heroku, hears) = hearing(|_| panic!("the body is not whole"));
    heroku.provision("basic").send_half().await;
    let request = all(hears).await.concat();
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    assert_eq!(announced(head).expect("a length") / 2, body.len());
}

#[tokio::test]
async fn a_hang_up_happens_after_the_whole_request_is_sent() {
    for call in ["provision", "deprovision"] {
        let (heroku, hears) = hearing(|mut stream| {
            // until the client hangs up
            assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
        });
        let pause = Duration::from_millis(50);
        if call == "provision" {
            heroku.provision("basic").send_and_hang_up(pause).await;
        } else {
            let deprovision = heroku.deprovision("7").set("reason", "none");
            deprovision.send_and_hang_up(pause).await;
        }
        assert!(is_whole(&all(hears).await.concat()), "{call}");
    }
}
