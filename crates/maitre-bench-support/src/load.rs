//! Role of the marketplace: many connections, each sending one request after another, with every response checked.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

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
            "paced" => {
                let (rate, length) = amount.split_once('/').ok_or("a paced load needs RATE/MILLISECONDS")?;
                Until::Paced { per_second: rate.parse()?, length: Duration::from_millis(length.parse()?) }
            }
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
    /// After this time, with a fixed number of requests per second on all connections together. The latency of a request
    /// counts from the time at which it is due, so that a slow response delays no measurement.
    Paced {
        /// Requests per second.
        per_second: u32,
        /// Duration.
        length: Duration,
    },
}

/// Result of a load.
#[derive(Debug, Clone, Copy)]
pub struct LoadReport {
    /// Requests per second on all connections.
    pub per_second: f64,
    /// Median latency.
    pub p50: Duration,
    /// 99th percentile of the latency.
    pub p99: Duration,
    /// Longest latency.
    pub max: Duration,
}

/// Runs a load in another process and waits for it.
///
/// # Errors
/// Returns an error if a response is missing or not the expected one.
pub fn start(server: &Server, ask: RequestKind, connections: u32, until: Until) -> Outcome<LoadReport> {
    let (unit, amount) = match until {
        Until::Time(length) => ("milliseconds", length.as_millis().to_string()),
        Until::Requests(requests) => ("requests", requests.to_string()),
        Until::Paced { per_second, length } => ("paced", format!("{per_second}/{}", length.as_millis())),
    };
    let arguments = [LOAD, &server.port.to_string(), &ask.to_string(), &connections.to_string(), unit, &amount];
    let output = process::this()?.args(arguments).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the load of {ask} ended with {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let figures: Vec<_> = text.split_whitespace().collect();
    let [per_second, p50, p99, max] = figures[..] else { return Err("the load printed no figures".into()) };
    let latency = |text: &str| text.parse().map(Duration::from_nanos);
    Ok(LoadReport { per_second: per_second.parse()?, p50: latency(p50)?, p99: latency(p99)?, max: latency(max)? })
}

/// Runs the load role and prints the result.
///
/// # Errors
/// As [`start`].
pub fn run(order: &LoadSpec) -> Outcome<()> {
    let seen = runtime(Threads::One)?.block_on(async { timeout(PATIENCE, ask_all(order)).await })??;
    let [p50, p99, max] = [seen.p50, seen.p99, seen.max].map(|latency| latency.as_nanos());
    println!("{} {p50} {p99} {max}", seen.per_second);
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
        Until::Time(_) | Until::Paced { .. } => Instant::now() + WARM_UP,
        Until::Requests(_) => Instant::now(),
    };
    let mut asking = JoinSet::new();
    for (place, (stream, questions)) in (0..).zip(connections) {
        let pace = Pace { begin, until: order.until, place, connections: order.connections };
        asking.spawn(ask_on(stream, questions, pace));
    }
    let mut latencies = Vec::new();
    while let Some(done) = asking.join_next().await {
        latencies.append(&mut done??);
    }
    let elapsed = begin.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let percentile = |percent| latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default();
    let (p50, p99, max) = (percentile(50), percentile(99), latencies.last().copied().unwrap_or_default());
    #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 requests")]
    let per_second = latencies.len() as f64 / elapsed;
    Ok(LoadReport { per_second, p50, p99, max })
}

/// Times at which one connection sends.
struct Pace {
    begin: Instant,
    until: Until,
    /// Index of the connection.
    place: u32,
    connections: u32,
}

impl Pace {
    /// Waits until request number `asked` is due, and returns that time; `None` at the end.
    async fn next(&self, asked: u32) -> Option<Instant> {
        let now = Instant::now();
        match self.until {
            Until::Time(length) => (now < self.begin + length).then_some(now),
            Until::Requests(requests) => (u64::from(asked) < requests).then_some(now),
            Until::Paced { per_second, length } => {
                let after = Duration::from_secs(1) * (self.place + asked * self.connections) / per_second.max(1);
                sleep_until((self.begin + after).into()).await;
                (after < length).then_some(self.begin + after)
            }
        }
    }
}

async fn ask_on(
    mut stream: TcpStream,
    mut questions: RequestCycle,
    pace: Pace,
) -> Result<Vec<Duration>, std::io::Error> {
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut asked = 0;
    loop {
        let Some(due) = pace.next(asked).await else { return Ok(latencies) };
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
        if due >= pace.begin {
            latencies.push(due.elapsed());
        }
    }
}
