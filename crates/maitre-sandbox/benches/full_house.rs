//! A marketplace that was used for months: does its page still open at once, and what does it weigh?
//!
//! `cargo bench -p maitre-sandbox`, and behind ` -- ` if wanted `--installs N` and `--exchanges N`. The two sandboxes,
//! one with ten of each and one with many, and the add-on are processes of their own: this executable in another role.
//! The exchanges are real ones, over sockets. Exits with 1 where a goal was missed.

use std::{process::ExitCode, time::Instant};

use axum::{Json, Router, routing::post};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use maitre_sandbox::Sandbox;
use maitre_workbench::{
    Outcome,
    process::{SERVER, Server},
    serve::{self, Threads},
    table::{Goal, Row, Table},
};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// So many are on their way at once.
const CALLERS: usize = 8;

/// Every page is opened so often at both sandboxes, by turns.
const ROUNDS: usize = 101;

/// What the page may take at most, compared with the sandbox that has ten of each.
const SLOWER: f64 = 3.0;

/// What the process may weigh at most, in MB.
const WEIGHT: f64 = 150.0;

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

/// An add-on that gives what it is asked for.
fn addon() -> Router {
    let provision = async |Json(order): Json<Value>| {
        let config =
            json!({ "BENCH_URL": format!("https://bench.example/{}", order["uuid"].as_str().unwrap_or_default()) });
        Json(json!({ "id": order["uuid"], "config": config, "message": "It is there." }))
    };
    Router::new().route("/heroku/resources", post(provision))
}

fn open(addon: &str) -> Outcome<()> {
    let manifest = json!({ "id": "bench", "name": "Bench", "api": {
        "version": "3", "password": "nobody-guesses-this-one", "sso_salt": "nor-would-they-guess-that", "regions": ["us"],
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
    let (few, many) = (Server::start(&["sandbox", &addon])?, Server::start(&["sandbox", &addon])?);
    let empty = few.resident()?;
    serve::runtime(Threads::Many)?.block_on(async {
        let (small, full) = (House::of(&few)?, House::of(&many)?);
        small.fill(10, 10).await?;
        let began = Instant::now();
        let held = full.fill(installs, exchanges).await?;
        println!("{installs} installs and {held} recorded exchanges, after {:.0} s", began.elapsed().as_secs_f64());

        let mut table = Table::of("microseconds to open", "many", "ten");
        let mut met = true;
        let half = format!("/sandbox/timeline?before={}", held / 2);
        let last = format!("/?page={}", installs / 12);
        for (what, at_full, at_small, goal) in [
            ("the page", "/", "/", Goal::AtMost(SLOWER)),
            ("the last page of installs", &*last, "/", Goal::None),
            ("the timeline, half-way down", &*half, "/sandbox/timeline", Goal::AtMost(SLOWER)),
            ("the timeline, what went wrong", "/sandbox/timeline?only=problems", "/sandbox/timeline?only=trouble", Goal::AtMost(SLOWER)),
            ("one exchange", "/sandbox/exchanges/1", "/sandbox/exchanges/1", Goal::AtMost(SLOWER)),
        ] {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                rounds.push([full.open(at_full).await?, small.open(at_small).await?]);
            }
            let row = Row::of_rounds(what, &rounds, goal);
            met &= matches!(goal, Goal::None) || row.ratio() <= SLOWER;
            table.add(row);
        }
        table.print();
        let (page, other) = (full.page("/").await?.len(), small.page("/").await?.len());
        println!("the page has {} kB, with ten of each {} kB", page / 1_000, other / 1_000);

        // KiB as the system counts, MB as people do
        let megabytes = |kibibytes: u64| f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) * 1_024.0 / 1e6;
        let weight = megabytes(many.resident()?);
        met &= weight < WEIGHT;
        println!(
            "resident memory: {weight:.0} MB with all of it (at most {WEIGHT:.0}: {}), {:.0} MB with ten of each, {:.0} MB at the start",
            if weight < WEIGHT { "met" } else { "missed" },
            megabytes(few.resident()?),
            megabytes(empty),
        );
        Ok(met)
    })
}

/// A sandbox, seen from outside.
#[derive(Clone)]
struct House {
    client: Client,
    url: String,
}

impl House {
    fn of(server: &Server) -> Outcome<Self> {
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, url: format!("http://127.0.0.1:{}", server.port) })
    }

    /// Customers order, and then the add-on is asked again and customers look, until there are enough lines. Returns
    /// how many there are.
    async fn fill(&self, installs: usize, exchanges: usize) -> Outcome<usize> {
        let order = async |house: Self, number: usize| {
            let order = house.client.post(format!("{}/apps/app-{number}/addons", house.url)).bearer_auth("sandbox");
            let status = order.json(&json!({ "plan": { "name": "bench:basic" } })).send().await?.status();
            if status == 201 { Ok(()) } else { Err(format!("an order was answered {status}").into()) }
        };
        // the first one alone, so that it is known which line is the call to the add-on
        self.all(0..1, order).await?;
        self.all(1..installs, order).await?;
        let left = exchanges.saturating_sub(self.newest().await?);
        // two by one request, and then one
        self.all(0..left.div_ceil(3), async |house, number| {
            let again = format!("{}/sandbox/exchanges/2/send", house.url);
            let status = house.client.post(again).form(&[("times", "2")]).send().await?.status();
            if status != 303 {
                return Err(format!("sending again was answered {status}").into());
            }
            let look = format!("{}/apps/app-{}/config-vars", house.url, number % installs);
            house.client.get(look).bearer_auth("sandbox").send().await?.error_for_status()?.bytes().await?;
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

    /// The number of the newest line.
    async fn newest(&self) -> Outcome<usize> {
        let page = self.page("/sandbox/timeline").await?;
        let number = page.split("data-id=\"").nth(1).and_then(|rest| rest.split('"').next());
        Ok(number.ok_or("an empty timeline")?.parse()?)
    }

    async fn page(&self, path: &str) -> Outcome<String> {
        Ok(self.client.get(format!("{}{path}", self.url)).send().await?.error_for_status()?.text().await?)
    }

    /// How long it takes to open, in microseconds.
    async fn open(&self, path: &str) -> Outcome<f64> {
        let began = Instant::now();
        self.page(path).await?;
        Ok(began.elapsed().as_secs_f64() * 1e6)
    }
}
