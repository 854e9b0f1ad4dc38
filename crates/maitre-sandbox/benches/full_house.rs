//! Page load time and memory of a sandbox with a large journal.
//!
//! `cargo bench -p maitre-sandbox`, optionally with ` -- --installs N --exchanges N`. Compares a sandbox with many installs
//! and exchanges with an empty one, and with one that has ten of each. The sandboxes and the add-on are separate processes of this executable,
//! and the exchanges go over sockets. Exits with 1 if a goal was missed.

use std::{process::ExitCode, time::Instant};

use axum::{Json, Router, routing::post};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use maitre_bench_support::{
    Outcome,
    process::{SERVER, Server},
    serve::{self, Threads},
    table::{Goal, Row, Table},
};
use maitre_sandbox::Sandbox;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Number of concurrent requests while filling the journal.
const CALLERS: usize = 8;

/// Number of times each page is opened, alternately in two sandboxes.
const ROUNDS: usize = 101;

/// Maximum ratio of the load times.
const MAX_RATIO: f64 = 2.0;

/// Maximum resident memory, in MB.
const MAX_MEMORY: f64 = 150.0;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let done = match *words {
        [SERVER, "addon"] => serve::serve(Threads::Many, async { Ok(addon()) }).map(|()| true),
        [SERVER, "sandbox", addon] => open(addon).map(|()| true),
        _ if words.contains(&"--bench") => bench(&words),
        _ => Ok(true), // `cargo test` runs benchmarks to see that they build
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("full_house: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Add-on that accepts every provision.
fn addon() -> Router {
    let provision = async |Json(order): Json<Value>| {
        let config =
            json!({ "BENCH_URL": format!("https://bench.example/{}", order["uuid"].as_str().unwrap_or_default()) });
        Json(json!({ "id": order["uuid"], "config": config, "message": "Provisioned." }))
    };
    Router::new().route("/heroku/resources", post(provision))
}

fn open(addon: &str) -> Outcome<()> {
    let manifest = json!({ "id": "bench", "name": "Bench", "api": {
        "version": "3", "password": "development-password", "sso_salt": "development-salt", "regions": ["us"],
        "config_vars": ["BENCH_URL"], "config_vars_prefix": "BENCH", "requires": ["many_per_app"],
        "test": { "base_url": format!("{addon}/heroku/resources"), "sso_url": format!("{addon}/sso") },
    } });
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    serve::runtime(Threads::Many)?.block_on(async {
        let sandbox = Sandbox::builder(&manifest.to_string())?.plans(["basic"])?.open()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        let _serving = sandbox.serve(listener)?;
        std::future::pending().await
    })
}

fn bench(words: &[&str]) -> Outcome<bool> {
    let number = |name: &str, otherwise: usize| -> Outcome<usize> {
        let value = words.iter().position(|word| *word == name).and_then(|place| words.get(place + 1));
        Ok(value.map_or(Ok(otherwise), |value| value.parse())?)
    };
    let (installs, exchanges) = (number("--installs", 1_000)?, number("--exchanges", 100_000)?);
    let vendor = Server::start(&["addon"])?;
    let addon = format!("http://127.0.0.1:{}", vendor.port);
    let start = || Server::start(&["sandbox", &addon]);
    let (none, few, many) = (start()?, start()?, start()?);
    serve::runtime(Threads::Many)?.block_on(async {
        let (empty, small, full) = (SandboxClient::of(&none)?, SandboxClient::of(&few)?, SandboxClient::of(&many)?);
        small.fill(10, 10).await?;
        let began = Instant::now();
        let entries = full.fill(installs, exchanges).await?;
        println!("{installs} installs and {entries} recorded exchanges, after {:.0} s", began.elapsed().as_secs_f64());

        let mut table = Table::of("microseconds to open", "many", "few");
        let mut met = true;
        let middle = format!("/sandbox/timeline?before={}", entries / 2);
        let last = format!("/?page={}", installs / 12);
        let goal = || Goal::AtMost(MAX_RATIO);
        for (what, at_full, other, at_other, goal) in [
            ("the page, compared with an empty one", "/", &empty, "/", goal()),
            ("the page, compared with ten of each", "/", &small, "/", goal()),
            ("the last page of installs", &*last, &small, "/", Goal::None),
            ("the timeline, halfway down", &*middle, &small, "/sandbox/timeline", goal()),
            ("the timeline, only problems", "/sandbox/timeline?only=problems", &small, "/sandbox/timeline?only=problems", goal()),
            ("the timeline, only plan changes", "/sandbox/timeline?kind=PlanChange", &small, "/sandbox/timeline?kind=PlanChange", goal()),
            ("the timeline, only replayed differently", "/sandbox/timeline?only=differing", &small, "/sandbox/timeline?only=differing", goal()),
            ("a search without a match", "/sandbox/timeline?q=nowhere", &small, "/sandbox/timeline?q=nowhere", Goal::None),
            ("one exchange", "/sandbox/exchanges/1", &small, "/sandbox/exchanges/1", goal()),
        ] {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                rounds.push([full.open(at_full).await?, other.open(at_other).await?]);
            }
            let row = Row::of_rounds(what, &rounds, goal);
            met &= matches!(goal, Goal::None) || row.ratio() <= MAX_RATIO;
            table.add(row);
        }
        table.print();
        let (page, other) = (full.page("/").await?.len(), small.page("/").await?.len());
        println!("the page has {} kB, with ten of each {} kB", page / 1_000, other / 1_000);

        // the system reports KiB
        let megabytes = |kibibytes: u64| f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) * 1_024.0 / 1e6;
        let memory = megabytes(many.resident()?);
        met &= memory < MAX_MEMORY;
        println!(
            "resident memory: {memory:.0} MB with many of each (at most {MAX_MEMORY:.0}: {}), {:.0} MB with ten of each, {:.0} MB with none",
            if memory < MAX_MEMORY { "met" } else { "missed" },
            megabytes(few.resident()?),
            megabytes(none.resident()?),
        );
        Ok(met)
    })
}

/// Client of a sandbox process.
#[derive(Clone)]
struct SandboxClient {
    http: Client,
    url: String,
}

impl SandboxClient {
    fn of(server: &Server) -> Outcome<Self> {
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { http, url: format!("http://127.0.0.1:{}", server.port) })
    }

    /// Provisions installs, then resends calls and reads config vars until the journal has enough entries. Returns the
    /// number of entries.
    async fn fill(&self, installs: usize, exchanges: usize) -> Outcome<usize> {
        let provision = async |client: Self, number: usize| {
            let call = client.http.post(format!("{}/apps/app-{number}/addons", client.url)).bearer_auth("sandbox");
            let status = call.json(&json!({ "plan": { "name": "bench:basic" } })).send().await?.status();
            if status == 201 { Ok(()) } else { Err(format!("a provision was answered {status}").into()) }
        };
        // provision one first, so that entry 2 is the call to the add-on
        self.all(0..1, provision).await?;
        self.all(1..installs, provision).await?;
        let left = exchanges.saturating_sub(self.newest().await?);
        // each iteration adds three entries
        self.all(0..left.div_ceil(3), async |client, number| {
            let again = format!("{}/sandbox/exchanges/2/send", client.url);
            let status = client.http.post(again).form(&[("times", "2")]).send().await?.status();
            if status != 303 {
                return Err(format!("resending was answered {status}").into());
            }
            let read = format!("{}/apps/app-{}/config-vars", client.url, number % installs);
            client.http.get(read).bearer_auth("sandbox").send().await?.error_for_status()?.bytes().await?;
            Ok(())
        })
        .await?;
        self.newest().await
    }

    async fn all(
        &self,
        numbers: std::ops::Range<usize>,
        act: impl AsyncFn(Self, usize) -> Outcome<()> + Copy,
    ) -> Outcome<()> {
        let calls = stream::iter(numbers).map(|number| act(self.clone(), number)).buffer_unordered(CALLERS);
        calls.try_collect().await
    }

    /// Returns the id of the newest entry.
    async fn newest(&self) -> Outcome<usize> {
        let page = self.page("/sandbox/timeline").await?;
        let number = page.split("data-id=\"").nth(1).and_then(|rest| rest.split('"').next());
        Ok(number.ok_or("an empty timeline")?.parse()?)
    }

    async fn page(&self, path: &str) -> Outcome<String> {
        Ok(self.http.get(format!("{}{path}", self.url)).send().await?.error_for_status()?.text().await?)
    }

    /// Returns the load time of a page, in microseconds.
    async fn open(&self, path: &str) -> Outcome<f64> {
        let began = Instant::now();
        self.page(path).await?;
        Ok(began.elapsed().as_secs_f64() * 1e6)
    }
}
