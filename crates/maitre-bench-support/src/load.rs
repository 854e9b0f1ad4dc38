//! Role of the marketplace: many connections, each sending one request after another, with every response checked.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Outcome;
use crate::process::{self, Server};
use crate::requests::{RequestCycle, RequestKind, RequestSource};
use crate::serve::{Threads, runtime};
use crate::wire::Reply;

/// First argument of the load role, followed by a [`LoadSpec`].
pub const LOAD: &str = "--as-load";

/// Warm-up before a timed run, not counted.
const WARM_UP: Duration = Duration::from_millis(200);

/// Timeout of a load, in case a server does not answer.
const PATIENCE: Duration = Duration::from_mins(20);

/// Port, kind of request, number of connections and end of a load.
#[derive(Debug, Clone, Copy)]
pub struct LoadSpec {
    port: u16,
    ask: RequestKind,
    connections: u32,
    until: Until,
}

impl LoadSpec {
    /// Parses the arguments after [`LOAD`].
    ///
    /// # Errors
    /// Returns an error if the arguments are invalid.
    pub fn of(words: &[&str]) -> Outcome<Self> {
        let [port, ask, connections, unit, amount] = words[..] else { return Err("invalid load arguments".into()) };
        let until = match unit {
            "milliseconds" => Until::Time(Duration::from_millis(amount.parse()?)),
            "requests" => Until::Requests(amount.parse()?),
            other => return Err(format!("unknown unit {other:?}").into()),
        };
        Ok(Self { port: port.parse()?, ask: ask.parse()?, connections: connections.parse()?, until })
    }
}

/// End of a load.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After this time.
    Time(Duration),
    /// After as many requests on each connection.
    Requests(u64),
}

/// Result of a load.
#[derive(Debug, Clone, Copy)]
pub struct LoadReport {
    /// Requests per second on all connections.
    pub per_second: f64,
    /// 99th percentile of the latency.
    pub p99: Duration,
}

/// Runs a load in another process and waits for it.
///
/// # Errors
/// Returns an error if a response is missing or not the expected one.
pub fn start(server: &Server, ask: RequestKind, connections: u32, until: Until) -> Outcome<LoadReport> {
    let (unit, amount) = match until {
        Until::Time(length) => ("milliseconds", length.as_millis().to_string()),
        Until::Requests(requests) => ("requests", requests.to_string()),
    };
    let arguments = [LOAD, &server.port.to_string(), &ask.to_string(), &connections.to_string(), unit, &amount];
    let output = process::this()?.args(arguments).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the load of {ask} ended with {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let (per_second, p99) = text.trim().split_once(' ').ok_or("the load printed no figures")?;
    Ok(LoadReport { per_second: per_second.parse()?, p99: Duration::from_nanos(p99.parse()?) })
}

/// Runs the load role and prints the result.
///
/// # Errors
/// As [`start`].
pub fn run(order: &LoadSpec) -> Outcome<()> {
    let seen = runtime(Threads::One)?.block_on(async { timeout(PATIENCE, ask_all(order)).await })??;
    println!("{} {}", seen.per_second, seen.p99.as_nanos());
    Ok(())
}

async fn ask_all(order: &LoadSpec) -> Outcome<LoadReport> {
    let source = RequestSource::new();
    let address = ("127.0.0.1", order.port);
    let mut connections = Vec::new();
    for _ in 0..order.connections {
        connections.push((TcpStream::connect(address).await?, RequestCycle::new(&source, order.ask)));
    }
    let begin = match order.until {
        Until::Time(_) => Instant::now() + WARM_UP,
        Until::Requests(_) => Instant::now(),
    };
    let mut asking = JoinSet::new();
    for (stream, questions) in connections {
        asking.spawn(ask_on(stream, questions, begin, order.until));
    }
    let mut latencies = Vec::new();
    while let Some(done) = asking.join_next().await {
        latencies.append(&mut done??);
    }
    let elapsed = begin.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let p99 = latencies.get(latencies.len() * 99 / 100).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 requests")]
    let per_second = latencies.len() as f64 / elapsed;
    Ok(LoadReport { per_second, p99 })
}

async fn ask_on(
    mut stream: TcpStream,
    mut questions: RequestCycle,
    begin: Instant,
    until: Until,
) -> Result<Vec<Duration>, std::io::Error> {
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut asked = 0;
    loop {
        let now = Instant::now();
        let go_on = match until {
            Until::Time(length) => now < begin + length,
            Until::Requests(requests) => asked < requests,
        };
        if !go_on {
            return Ok(latencies);
        }
        asked += 1;
        stream.write_all(questions.next()).await?;
        let mut filled = 0;
        let right = loop {
            let more = stream.read(&mut buffer[filled..]).await?;
            filled += more;
            match Reply::read(&buffer[..filled]) {
                Some(reply) => break questions.is_answered_by(&reply),
                None if more == 0 => break false,
                None => {}
            }
        };
        if !right {
            let reply = String::from_utf8_lossy(&buffer[..filled]);
            return Err(std::io::Error::other(format!("unexpected response: {reply}")));
        }
        if now >= begin {
            latencies.push(now.elapsed());
        }
    }
}
