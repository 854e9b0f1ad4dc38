//! The role of the marketplace: many connections, each with one request after another, every reply checked.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Outcome;
use crate::asks::{Ask, Asker, Heading};
use crate::process::{self, Server};
use crate::serve::{Threads, runtime};
use crate::wire::Reply;

/// The first argument of an executable that is to be the load; an [`Order`] is behind it.
pub const LOAD: &str = "--as-load";

/// Before a timed run, and not counted.
const WARM_UP: Duration = Duration::from_millis(200);

/// A server that does not answer must not hold up the bench for ever.
const PATIENCE: Duration = Duration::from_mins(20);

/// Whom to ask, what, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    port: u16,
    ask: Ask,
    connections: u32,
    until: Until,
}

impl Order {
    /// What stands behind [`LOAD`].
    ///
    /// # Errors
    /// When it is no order.
    pub fn of(words: &[&str]) -> Outcome<Self> {
        let [port, ask, connections, unit, amount] = words[..] else { return Err("no order".into()) };
        let until = match unit {
            "milliseconds" => Until::Time(Duration::from_millis(amount.parse()?)),
            "requests" => Until::Requests(amount.parse()?),
            other => return Err(format!("there is no unit {other:?}").into()),
        };
        Ok(Self { port: port.parse()?, ask: ask.parse()?, connections: connections.parse()?, until })
    }
}

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After this time.
    Time(Duration),
    /// After as many requests on each connection.
    Requests(u64),
}

/// What a load has seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Requests that were answered in a second, on all connections.
    pub per_second: f64,
    /// Of a hundred requests one took longer.
    pub p99: Duration,
}

/// Has another process ask, and waits for it.
///
/// # Errors
/// When a reply was not the right one, or none came.
pub fn order(server: &Server, ask: Ask, connections: u32, until: Until) -> Outcome<Seen> {
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
    Ok(Seen { per_second: per_second.parse()?, p99: Duration::from_nanos(p99.parse()?) })
}

/// The role itself: asks, and prints what it has seen.
///
/// # Errors
/// As [`order`].
pub fn run(order: &Order) -> Outcome<()> {
    let seen = runtime(Threads::One)?.block_on(async { timeout(PATIENCE, ask_all(order)).await })??;
    println!("{} {}", seen.per_second, seen.p99.as_nanos());
    Ok(())
}

async fn ask_all(order: &Order) -> Outcome<Seen> {
    let heading = Heading::new();
    let address = ("127.0.0.1", order.port);
    let mut connections = Vec::new();
    for _ in 0..order.connections {
        connections.push((TcpStream::connect(address).await?, Asker::new(&heading, order.ask)));
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
    Ok(Seen { per_second, p99 })
}

async fn ask_on(
    mut stream: TcpStream,
    mut questions: Asker,
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
            return Err(std::io::Error::other(format!("not the reply that was asked for: {reply}")));
        }
        if now >= begin {
            latencies.push(now.elapsed());
        }
    }
}
