//! Checks before the measurement: both servers answer alike, and both reject unauthenticated requests.

use std::io::{Read, Write};
use std::net::TcpStream;

use maitre_bench_support::Outcome;
use maitre_bench_support::process::Server;
use maitre_bench_support::requests::{self, RequestSource};
use maitre_bench_support::serve::Threads;
use maitre_bench_support::wire::Reply;
use maitre_testkit::Request;
use serde_json::Value;

use crate::contender::{Contender, KINDS, start};

/// Parts of a response that must not differ. Other headers do: `maitre` sends a request id, and headers that keep browsers
/// and proxies from storing a sign-on or sending a referrer.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    /// A JSON body by its value: the order of fields depends on the features of the build.
    body: Value,
    headers: [Option<String>; 4],
}

pub(crate) fn check() -> Outcome<()> {
    let [maitre, baseline] = Contender::BOTH.map(|contender| start(contender, Threads::Many));
    let (maitre, baseline) = (maitre?, baseline?);
    let source = RequestSource::new();
    for ask in KINDS {
        let (_, request) = source.request(ask);
        let answers = (answer(&maitre, &request)?, answer(&baseline, &request)?);
        assert_eq!(answers.0, answers.1, "the two servers answer a {ask} differently");
        eprintln!("{ask}: body of {} bytes, both answer {}", request.body().len(), answers.0.status);
        let (status, unauthenticated) = source.unauthenticated(ask);
        for server in [&maitre, &baseline] {
            assert_eq!(answer(server, &unauthenticated)?.status, status, "a unauthenticated {ask} is not rejected");
        }
    }
    Ok(())
}

fn answer(server: &Server, request: &Request) -> Outcome<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port))?;
    stream.write_all(&requests::bytes(request))?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let more = stream.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..more]);
        if let Some(reply) = Reply::read(&bytes) {
            let header = |name| reply.header(name).map(ToOwned::to_owned);
            let headers = ["content-type", "content-length", "location", "set-cookie"].map(header);
            let body = serde_json::from_str(reply.body).unwrap_or_else(|_| reply.body.into());
            return Ok(Answer { status: reply.status, body, headers });
        }
        if more == 0 {
            return Err("the server closed the connection".into());
        }
    }
}
