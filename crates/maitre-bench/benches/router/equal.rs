//! Before anything is measured: both servers say the same, and neither lets a forger in.

use std::io::{Read, Write};
use std::net::TcpStream;

use maitre_testkit::Request;
use maitre_workbench::Outcome;
use maitre_workbench::asks::{self, Heading};
use maitre_workbench::process::Server;
use maitre_workbench::serve::Threads;
use maitre_workbench::wire::Reply;

use crate::desk::{ASKS, Desk, start};

/// What must not differ. Some headers do: `maitre` says under which id it logged the request, and keeps browsers and
/// proxies from storing a sign-on or passing on where it came from.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    body: String,
    headers: [Option<String>; 4],
}

pub(crate) fn check() -> Outcome<()> {
    let [maitre, by_hand] = Desk::BOTH.map(|desk| start(desk, Threads::Many));
    let (maitre, by_hand) = (maitre?, by_hand?);
    let heading = Heading::new();
    for ask in ASKS {
        let (_, request) = heading.request(ask);
        let answers = (answer(&maitre, &request)?, answer(&by_hand, &request)?);
        assert_eq!(answers.0, answers.1, "the two servers answer a {ask} differently");
        eprintln!("{ask}: body of {} bytes, both answer {}", request.body().len(), answers.0.status);
        let (status, forged) = heading.forged(ask);
        for server in [&maitre, &by_hand] {
            assert_eq!(answer(server, &forged)?.status, status, "a forged {ask} is not turned away");
        }
    }
    Ok(())
}

fn answer(server: &Server, request: &Request) -> Outcome<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port))?;
    stream.write_all(&asks::bytes(request))?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let more = stream.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..more]);
        if let Some(reply) = Reply::read(&bytes) {
            let header = |name| reply.header(name).map(ToOwned::to_owned);
            let headers = ["content-type", "content-length", "location", "set-cookie"].map(header);
            return Ok(Answer { status: reply.status, body: reply.body.to_owned(), headers });
        }
        if more == 0 {
            return Err("a server hung up".into());
        }
    }
}
