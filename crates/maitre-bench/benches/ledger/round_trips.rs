//! Round trips to Postgres per provision: a proxy counts the server's `ReadyForQuery` messages.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use maitre_bench_support::Outcome;
use maitre_bench_support::load::{self, Until};
use maitre_bench_support::requests::RequestKind;
use maitre_bench_support::table::{Goal, Row, Table};

use crate::contender::Contender;
use crate::databases::Host;

const PROVISIONS: u64 = 500;

pub(crate) fn measure(host: &Host, table: &mut Table) -> Outcome<()> {
    if matches!(host, Host::Disk) {
        return Ok(());
    }
    for callers in [1, 64] {
        let figures = [Contender::Ledger, Contender::Baseline].map(|contender| a_provision(host, contender, callers));
        let [ledger, baseline] = figures;
        // in hundredths, as the table prints whole numbers
        let name = format!("baseline, {callers} at once: round trips x 100");
        table.add(Row::new(name, [ledger? * 100.0, baseline? * 100.0], Goal::AtMost(1.0)));
    }
    Ok(())
}

fn a_provision(host: &Host, contender: Contender, callers: u32) -> Outcome<f64> {
    let database = host.database()?;
    let (address, rest) =
        database.url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).ok_or("no address")?;
    let relay = Relay::to(address)?;
    let server = contender.start_at(&format!("postgres://postgres@127.0.0.1:{}/{rest}?sslmode=disable", relay.port))?;
    load::start(&server, RequestKind::Provision, callers, Until::Requests(200 / u64::from(callers) + 20))?; // statements are prepared, connections made
    let before = relay.ready.load(Ordering::SeqCst);
    let each = PROVISIONS / u64::from(callers) + 1;
    load::start(&server, RequestKind::Provision, callers, Until::Requests(each))?;
    let trips = relay.ready.load(Ordering::SeqCst) - before;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(trips as f64 / (each * u64::from(callers)) as f64)
}

struct Relay {
    port: u16,
    ready: Arc<AtomicU64>,
}

impl Relay {
    /// Starts the proxy. Its threads end with their connections or with this process.
    fn to(address: &str) -> Outcome<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let (port, ready, address) = (listener.local_addr()?.port(), Arc::<AtomicU64>::default(), address.to_owned());
        let counted = ready.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&address) else { continue };
                let Ok((to_server, from_client)) = server.try_clone().and_then(|to| Ok((to, client.try_clone()?)))
                else {
                    continue;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let counted = counted.clone();
                std::thread::spawn(move || pass_on(from_client, to_server, |_| {}));
                std::thread::spawn(move || {
                    let mut messages = Messages::default();
                    pass_on(server, client, |bytes| {
                        counted.fetch_add(messages.count_ready(bytes), Ordering::SeqCst);
                    });
                });
            }
        });
        Ok(Self { port, ready })
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, mut look: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        look(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// A server's stream: a letter, a length that counts itself, and the rest, again and again.
#[derive(Default)]
struct Messages {
    head: Vec<u8>,
    skip: usize,
}

impl Messages {
    fn count_ready(&mut self, mut bytes: &[u8]) -> u64 {
        let mut ready = 0;
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            if let [letter, a, b, c, d] = self.head[..] {
                ready += u64::from(letter == b'Z');
                self.skip = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
                self.head.clear();
            }
        }
        ready
    }
}
