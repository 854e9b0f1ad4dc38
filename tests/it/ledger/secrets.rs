//! Secrets: absent from the database, from the log at any level, and from responses.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{self, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use maitre::platform::Client;
use maitre::{
    Addon, CloudControl, Deprovision, Deprovisioned, Failure, Heroku, Listener, PlanChange, PlanChanged, Platform,
    Provision, Provisioned, Result, SignOn, SignedOn,
};
use maitre_bench_support::dump;
use maitre_ledger::{Keys, Ledger};
use maitre_testkit::platform::{self as play, Fault};
use maitre_testkit::{self as testkit, Browser, Reply, sign};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tower_sessions::SessionManagerLayer;
use tower_sessions::cookie::SameSite;

use super::support::{Database, key, until};
use crate::support::SLUG;
use crate::support::canaries::{self, computed};

const DATABASE: &str = "MAITRE_TEST_SECRETS";
const API: &str = "MAITRE_TEST_SECRETS_API";
const KEY: &str = "ca7a1e5ca7a1e5ca7a1e5ca7a1e5ca7a1e5ca7a1e5ca7a1e5ca7a1e5ca7a1e55";
const PASSWORD: &str = "canary-password";
const SALT: &str = "canary-salt";
const CLIENT_SECRET: &str = "canary-client-secret";

/// Not a test on its own: runs in the process that the test below starts.
#[test]
fn child_process_that_leaks_secrets() {
    let (Ok(url), Ok(api)) = (std::env::var(DATABASE), std::env::var(API)) else { return };
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    tokio::runtime::Runtime::new().expect("a runtime").block_on(serve(&url, &api));
}

async fn serve(url: &str, api: &str) {
    Ledger::migrate(url).await.expect("tables");
    let backoff = Duration::from_millis(1);
    let ledger = Ledger::builder(url)
        .keys(Keys::parse(KEY).expect("a key"))
        .max_attempts(2)
        .backoff(backoff, backoff)
        .open()
        .await;
    let ledger = ledger.expect("a ledger");
    let heroku = Heroku::new(SLUG, PASSWORD, SALT).expect("no part is empty").with_legacy_token(true);
    let client = Client::builder(CLIENT_SECRET).base_url(api).no_proxy().build().expect("a client");
    let platform = Platform::builder(SLUG, client, ledger.store()).build();
    let heroku = Addon::new(heroku, ledger.wrap(Careless).with_platform(platform.clone()));
    let cloudcontrol =
        Addon::new(CloudControl::new(SLUG, PASSWORD, SALT).expect("valid credentials"), ledger.wrap(Careless));
    let worker = ledger.worker([heroku.clone()]).add([cloudcontrol.clone()]).poll_interval(Duration::from_millis(10));
    let sessions = SessionManagerLayer::new(ledger.sessions()).with_same_site(SameSite::Lax).with_secure(false);
    let app = Router::new()
        .nest("/heroku", maitre::heroku(heroku))
        .nest("/cloudcontrol", maitre::cloudcontrol(cloudcontrol))
        .route("/names/{uuid}", get(async move |Path(uuid): Path<String>| name(&platform, &uuid).await))
        .layer(sessions);
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("\n> {}", socket.local_addr().expect("an address"));
    let terminated = maitre::shutdown_signal().expect("signals");
    maitre::serve(socket, app).worker(worker).ledger(ledger).until(terminated).await.expect("a server");
}

/// Calls Heroku with the resource's token, and logs the response.
async fn name(platform: &Platform, uuid: &str) -> String {
    let add_on = platform.call(&uuid.into(), |api| async move { api.add_on(uuid).await }).await;
    tracing::info!(?platform, ?add_on, "vendor at work");
    add_on.map_or_else(|error| error.to_string(), |add_on| add_on.name)
}

/// Vendor that logs requests and replies, and fails with its database URL, as careless vendors do.
struct Careless;

impl Careless {
    fn fail<T>() -> Result<T> {
        Err(Failure::from_display("no route to postgres://app:canary-database@db/widgets"))
    }
}

impl Listener for Careless {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        tracing::info!(?request, "vendor at work");
        match request.plan.as_str() {
            "failing" => Self::fail(),
            "panicking" => panic!("scripted panic"),
            _ => Ok(Provisioned::new(request.resource)
                .with_config("LANTERN_URL", "https://u:canary-config@eu1.lantern.example")
                .with_log_drain_url("https://canary-drain.example/canary")),
        }
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        tracing::info!(?request, "vendor at work");
        if request.plan == "failing" {
            Self::fail()
        } else {
            Ok(PlanChanged::new().with_config("LANTERN_URL", "canary"))
        }
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        tracing::info!(?request, "vendor at work");
        Self::fail()
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        let reply = SignedOn::redirect("/dashboard").with_session("widget", "canary-session-value");
        tracing::info!(?request, ?reply, "vendor at work");
        Ok(reply)
    }
}

struct ChildApp {
    process: Child,
    /// Kept open, as the process continues to write.
    _output: BufReader<ChildStdout>,
    root: String,
    log: PathBuf,
}

impl ChildApp {
    fn start(url: &str, api: &str, folder: &path::Path) -> Self {
        let log = folder.join("log");
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "ledger::secrets::child_process_that_leaks_secrets", "--nocapture"])
            .envs([(DATABASE, url), (API, api)])
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a file"))
            .spawn()
            .expect("a process");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let lines = output.by_ref().lines().map_while(std::io::Result::ok);
        let address = { lines }.find_map(|line| line.strip_prefix("> ").map(ToOwned::to_owned)).expect("an address");
        Self { process, _output: output, root: format!("http://{address}"), log }
    }

    fn stop(mut self) -> String {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        assert!(self.process.wait().expect("an exit status").success());
        std::fs::read_to_string(&self.log).expect("a log")
    }
}

impl Drop for ChildApp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the encodings of a secret: plain, hex, and base64 at any offset.
fn encodings(secret: &str) -> Vec<String> {
    let mut encodings = vec![secret.to_lowercase(), hex::encode(secret)];
    for shift in 0..3 {
        let shifted = [&b"  "[..shift.min(2)], secret.as_bytes()].concat();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            // omits the characters that depend on neighboring bytes
            let inner = text.get(shift + usize::from(shift > 0)..text.len() - 2).unwrap_or_default();
            encodings.push(inner.to_lowercase());
        }
    }
    encodings
}

fn assert_holds_none(what: &str, text: &[u8], secrets: &[String]) {
    let text = text.to_ascii_lowercase();
    for secret in secrets {
        for form in encodings(secret) {
            let found = text.windows(form.len()).position(|window| window == form.as_bytes());
            if let Some(place) = found {
                let around = &text[place.saturating_sub(200)..(place + 100).min(text.len())];
                panic!("{secret} appears in {what}: {}", String::from_utf8_lossy(around));
            }
        }
    }
}

on_both_databases! {
    async fn no_secret_appears_in_the_database_the_log_or_an_error(database: Database) {
        let folder = std::env::temp_dir().join(format!("maitre-secrets-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("a folder");
        let platform = play::Platform::new(SLUG, PASSWORD, CLIENT_SECRET);
        let api = platform.serve().await.expect("a port");
        let app = ChildApp::start(&database.url, api.url(), &folder);
        let heroku = testkit::Heroku::new(&format!("{}/heroku", app.root), SLUG, PASSWORD, SALT);
        let cloudcontrol = testkit::CloudControl::new(&format!("{}/cloudcontrol", app.root), SLUG, PASSWORD, SALT);
        let (made, failing, panicking) = (key(), key(), key());
        let mut secrets = vec!["canary".to_owned(), KEY.to_owned(), sign::basic(SLUG, PASSWORD).replace("Basic ", "")];
        let mut refusals: Vec<Reply> = Vec::new();

        // operations that succeed, that fail until they are parked, and that are refused
        canaries::provision(&heroku, &made, "marker-plan").await.expect(200);
        canaries::plan_change(&heroku, &made, "premium").await.expect(200);
        canaries::provision(&heroku, &made, "marker-plan").await.expect(200);
        refusals.push(canaries::provision(&heroku, &made, "other-plan").await);
        for (key, plan) in [(&failing, "failing"), (&panicking, "panicking")] {
            for _ in 0..3 {
                refusals.push(canaries::provision(&heroku, key, plan).await);
            }
        }
        refusals.push(canaries::plan_change(&heroku, &made, "failing").await);
        refusals.push(canaries::provision(&heroku, &key(), "basic").credentials(SLUG, "canary-guessed").await);
        refusals.push(canaries::provision(&heroku, &key(), "basic").body(r#"{"plan":"basic","unknown":"canary"#).await);

        // sign-ons by POST and by GET, and their replays
        let now = OffsetDateTime::now_utc();
        let mut browser = Browser::new(&app.root);
        let form = canaries::form(&heroku, &made).at(now);
        browser.post_form(form.url(), form.fields()).await.expect(302);
        let session = browser.cookie("id").expect("a session").value().to_owned();
        assert!(session.len() > 20);
        secrets.push(session);
        secrets.extend(computed(&form.request()));
        refusals.push(form.clone().await);
        browser.get("/dashboard").await.expect(404);
        let provision = cloudcontrol.provision("basic").deployment("canary-deployment@cloudcontrolled.com");
        let id = provision.await.expect(201).json()["id"].as_str().expect("an id").to_owned();
        let form = cloudcontrol.single_sign_on(&id).at(now).set("email", "canary@example.org");
        secrets.extend(computed(&form.clone().by_get().request()));
        form.clone().send_by_get().await.expect(302);
        refusals.push(form.send_by_get().await);
        refusals.push(heroku.deprovision(&made).await);

        // a grant that is exchanged for a token, which is used, and a grant that Heroku rejects
        let install = platform.install("basic");
        heroku.provision("basic").install(&install).await.expect(200);
        let answered = || install.exchanges().first().is_some_and(|exchange| exchange.status() == Some(200));
        until("the grant is exchanged", || async { answered() }).await;
        let tokens = install.exchanges()[0].response_json();
        secrets
            .extend(["access_token", "refresh_token"].map(|token| tokens[token].as_str().expect("a token").to_owned()));
        let name = format!("{}/names/{}", app.root, install.uuid());
        until("the token is used", || async {
            reqwest::get(&name).await.unwrap().text().await.unwrap() == install.name()
        })
        .await;
        platform.inject_fault(Fault::status(401).on("POST", "/oauth/token"));
        let lost = platform.install("basic");
        heroku.provision("basic").install(&lost).await.expect(200);
        let refused = || platform.exchanges().iter().any(|exchange| exchange.status() == Some(401));
        until("Heroku rejects the grant", || async { refused() }).await;
        secrets.extend([install.grant().code().to_owned(), lost.grant().code().to_owned()]);

        for refusal in &refusals {
            assert!(refusal.status() >= 400, "{refusal}");
            let headers: Vec<_> = refusal.headers().flat_map(|(name, value)| [name, ": ", value, "\n"]).collect();
            assert_holds_none("an answer", &[headers.concat().as_bytes(), refusal.body()].concat(), &secrets);
        }
        let stored = || match &database.folder {
            Some(folder) => std::fs::read_dir(folder)
                .expect("the database")
                .flat_map(|file| std::fs::read(file.expect("a file").path()).expect("its bytes"))
                .collect(),
            None => dump(&database.direct_url()),
        };
        let running: Vec<u8> = stored();
        let log = app.stop();
        for stored in [running, stored()] {
            // shows that the scan works: the plan is not a secret
            assert!(String::from_utf8_lossy(&stored).contains("marker-plan"));
            assert_holds_none("the database", &stored, &secrets);
        }
        assert!(
            log.contains("TRACE") && log.contains("vendor at work") && log.contains("operation parked"),
            "the log is detailed"
        );
        assert_holds_none("the log", log.as_bytes(), &secrets);
        std::fs::remove_dir_all(folder).expect("the folder");
    }
}

#[test]
fn the_scan_finds_every_encoding_of_a_secret() {
    for (text, holds) in [
        ("x canary x", true),
        ("x CANARY x", true),
        (r"\x2063616e617279", true),
        (&STANDARD_NO_PAD.encode("a canary in a coal mine"), true),
        (&STANDARD_NO_PAD.encode("ab canary in a coal mine"), true),
        (&STANDARD_NO_PAD.encode("abc canary in a coal mine"), true),
        ("a goldfinch", false),
    ] {
        let found = std::panic::catch_unwind(|| assert_holds_none("here", text.as_bytes(), &["canary".to_owned()]));
        assert_eq!(found.is_err(), holds, "{text}");
    }
}
