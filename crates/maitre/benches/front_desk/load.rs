//! The role of the marketplace: many connections, each with one request after another, every reply checked.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Outcome;
use crate::asks::{Asker, Heading};
use crate::child::{self, Server};
use crate::desk::{Ask, Threads};
use crate::server::runtime;
use crate::settings::LOAD;
use crate::wire::Reply;

/// Before a timed run, and not counted.
const WARM_UP: Duration = Duration::from_millis(200);

/// A server that does not answer must not hold up the bench for ever.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct Order {
    pub(crate) port: u16,
    pub(crate) ask: Ask,
    pub(crate) connections: u32,
    pub(crate) until: Until,
}

#[derive(Clone, Copy)]
pub(crate) enum Until {
    Time(Duration),
    /// On each connection.
    Requests(u64),
}

impl Until {
    pub(crate) fn of(unit: &str, amount: &str) -> Outcome<Self> {
        match unit {
            "milliseconds" => Ok(Self::Time(Duration::from_millis(amount.parse()?))),
            "requests" => Ok(Self::Requests(amount.parse()?)),
            other => Err(format!("there is no unit {other:?}").into()),
        }
    }
}

/// What a load has seen.
pub(crate) struct Seen {
    pub(crate) per_second: f64,
    pub(crate) p99: Duration,
}

/// Has another process ask, and waits for it.
pub(crate) fn order(server: &Server, ask: Ask, connections: u32, until: Until) -> Outcome<Seen> {
    let (unit, amount) = match until {
        Until::Time(length) => ("milliseconds", length.as_millis().to_string()),
        Until::Requests(requests) => ("requests", requests.to_string()),
    };
    let arguments = [LOAD, &server.port.to_string(), &ask.to_string(), &connections.to_string(), unit, &amount];
    let output = child::this()?.args(arguments).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the load of {ask} ended with {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let (per_second, p99) = text.trim().split_once(' ').ok_or("the load printed no figures")?;
    Ok(Seen { per_second: per_second.parse()?, p99: Duration::from_nanos(p99.parse()?) })
}

pub(crate) fn run(order: &Order) -> Outcome<()> {
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
