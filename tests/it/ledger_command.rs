//! `maitre ledger` as an operator uses it: the transcripts of `docs/recovery.md`, and every command in both formats.

use std::path::Path;
use std::process::Output;

use maitre::platform::Reconcile;
use maitre_core::{Backend, ResourceId};
use maitre_testkit::platform::Fault;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::conformance::maitre;
use crate::ledger::support::{
    Act, Database, KEY, OTHER_KEY, RunningWorker, Vendor, addon, basic, deprovision, key, until,
};
use crate::platform::Fixture;
use crate::support::{Folder, PASSWORD, SLUG};

/// Key of the resource in the documented transcripts.
const DOCUMENTED_KEY: &str = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21";

/// Terminal of an operator.
struct Terminal {
    folder: Folder,
    database: String,
    api: String,
}

impl Terminal {
    fn new(database: &Database, api: &str) -> Self {
        let folder = Folder::new();
        let urls = json!({ "base_url": "https://lantern.example/heroku/resources" });
        let manifest = json!({ "id": SLUG, "api": { "version": "3", "password": PASSWORD, "config_vars": [],
            "regions": ["us"], "production": urls, "test": urls } });
        std::fs::write(folder.0.join("addon-manifest.json"), manifest.to_string()).unwrap();
        Self { folder, database: database.url.clone(), api: api.to_owned() }
    }

    fn output(&self, arguments: &[&str], more: &[(&str, &str)]) -> Output {
        let mut command = maitre(std::iter::once("ledger").chain(arguments.iter().copied()));
        command.current_dir(&self.folder.0).env("DATABASE_URL", &self.database).env("MAITRE_KEY", KEY);
        command.env("MAITRE_OPERATOR", "ada").env("HEROKU_API", &self.api).envs(more.iter().copied());
        command.output().unwrap()
    }

    /// Runs a command, and returns its exit status and standard output.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = tokio::task::block_in_place(|| self.output(arguments, &[]));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr, "", "{arguments:?}");
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--format", "json"]).collect();
        serde_json::from_str(&self.run(&arguments).1).unwrap()
    }

    /// Runs the commands of a documented transcript, whose output must be the documented one. `after` runs after each.
    async fn repeat(&self, transcript: &str, key: &str, after: impl AsyncFn()) {
        for command in transcript.split("$ maitre ledger ").skip(1) {
            let (line, expected) = command.split_once('\n').unwrap_or((command, ""));
            let line = line.replace(DOCUMENTED_KEY, key);
            let (_, output) = self.run(&words(&line).iter().map(String::as_str).collect::<Vec<_>>());
            let (mut expected, mut output) = (lines(&expected.replace(DOCUMENTED_KEY, key)), lines(&output));
            // what is days apart in the page happens within moments here
            expected.sort();
            output.sort();
            assert_eq!(expected.len(), output.len(), "maitre ledger {line}\n{output:#?}");
            for (expected, output) in expected.iter().zip(&output) {
                match expected.split_once('…') {
                    Some((start, end)) => assert!(output.starts_with(start) && output.ends_with(end), "{output}"),
                    None => assert_eq!(expected, output, "maitre ledger {line}"),
                }
            }
            after().await;
        }
    }
}

/// Splits a command line at spaces outside single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(ToOwned::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Returns the lines of an output with the same time in place of every time, and single spaces.
fn lines(output: &str) -> Vec<String> {
    let word = |word: &str| {
        let (text, end) = word.strip_suffix(':').map_or((word, ""), |text| (text, ":"));
        if OffsetDateTime::parse(text, &Rfc3339).is_ok() { format!("TIME{end}") } else { word.to_owned() }
    };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    output.trim_end().lines().map(line).collect()
}

/// Returns the transcripts below a heading of `docs/recovery.md`.
fn transcripts(heading: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recovery.md");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split(&format!("### {heading}\n")).nth(1).expect("the section").split("\n#").next().unwrap();
    let blocks = section.split("```console\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

on_both_databases! {
    async fn a_parked_provision_is_retried_as_documented(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        vendor.script(&key, (0..12).map(|_| Act::Fail("no connection")));
        let _ = ledger.wrap(vendor.clone()).provision(basic(&key)).await;
        let _worker = RunningWorker::start(&ledger, &vendor);
        let idle = async || until("all work is done", async || ledger.stats().await.unwrap().open_operations == 0).await;
        idle().await;
        let terminal = Terminal::new(&database, "");
        let [transcript] = &transcripts("A parked provision")[..] else { panic!("one transcript") };
        terminal.repeat(transcript, &key, idle).await;
        assert_eq!(vendor.widget(&key).await.as_deref(), Some("basic"));
    }

    async fn a_lost_grant_is_replaced_as_documented(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        fixture.heroku.inject_fault(Fault::drop_connection().after_work().on("POST", "/oauth/token"));
        let (install, reply) = fixture.install(&app).await;
        reply.expect(200);
        until("the job is parked", async || app.ledger.stats().await.unwrap().parked_jobs == 1).await;
        drop(app);
        fixture.heroku.update_settings(|settings| settings.grant_backfill = true);
        let change = |platform: maitre::platform::PlatformBuilder| platform.password(PASSWORD).request_replacement_grants();
        let app = fixture.start_app_with(fixture.options(), change).await;
        let terminal = Terminal::new(&fixture.database, fixture.api.url());
        let [transcript] = &transcripts("A lost grant")[..] else { panic!("one transcript") };
        terminal.repeat(transcript, install.uuid(), async || app.wait_for_jobs().await).await;
        assert_eq!(install.call_counts().grants, 2);
    }

    async fn an_orphan_is_removed_as_documented(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        install.remove_silently();
        let terminal = Terminal::new(&fixture.database, fixture.api.url());
        let [first, second] = &transcripts("An orphan")[..] else { panic!("two transcripts") };
        terminal.repeat(first, install.uuid(), async || ()).await;
        assert!(fixture.vendor.widget(install.uuid()).await.is_some());

        // a day passes: the stored comparison is a day older
        let (store, add_on) = (app.ledger.store(), ResourceId::from(""));
        let stored = store.read(&addon(), &add_on, "reconciliations").await.unwrap().expect("a comparison");
        let mut comparisons: Value = serde_json::from_slice(&stored.value).unwrap();
        let at = OffsetDateTime::parse(comparisons[0]["compared_at"].as_str().unwrap(), &Rfc3339).unwrap();
        comparisons[0]["compared_at"] = (at - Duration::DAY).format(&Rfc3339).unwrap().into();
        let shifted = comparisons.to_string();
        assert!(store.write(&addon(), &add_on, "reconciliations", shifted.as_bytes(), stored.version).await.unwrap());

        terminal.repeat(second, install.uuid(), async || app.wait_until_idle().await).await;
        assert_eq!(fixture.vendor.widget(install.uuid()).await, None);
    }

    async fn a_resource_that_only_heroku_knows_is_adopted_on_request(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app_with(fixture.options(), |platform| platform.password(PASSWORD)).await;
        let install = fixture.heroku.install("basic");
        app.platform.reconcile().await.unwrap();
        let (store, add_on) = (app.ledger.store(), ResourceId::from(""));
        let stored = store.read(&addon(), &add_on, "reconciliations").await.unwrap().expect("a comparison");
        let mut comparisons: Value = serde_json::from_slice(&stored.value).unwrap();
        let yesterday = OffsetDateTime::now_utc() - Duration::DAY - Duration::MINUTE;
        comparisons[0]["compared_at"] = yesterday.format(&Rfc3339).unwrap().into();
        let shifted = comparisons.to_string();
        assert!(store.write(&addon(), &add_on, "reconciliations", shifted.as_bytes(), stored.version).await.unwrap());

        let terminal = Terminal::new(&fixture.database, fixture.api.url());
        let only_looked = terminal.json(&["reconcile"]);
        assert_eq!(only_looked["persisting"]["missing_in_ledger"][0]["key"], install.uuid());
        assert!(app.ledger.resource(install.uuid()).await.unwrap().is_none());
        let adopted = terminal.json(&["reconcile", "--adopt", "--reason", "sold before the restore"]);
        assert_eq!(adopted["adopted"], json!([install.uuid()]));
        let shown = terminal.json(&["show", install.uuid()]);
        assert_eq!((&shown["state"], &shown["plan"]), (&json!("provisioned"), &json!("basic")));
        assert_eq!((&shown["actions"][0]["kind"], &shown["actions"][0]["operator"]), (&json!("adopt"), &json!("ada")));
        assert_eq!(terminal.run(&["reconcile"]), (0, "The ledger and Heroku agree.\n".to_owned()));
    }

    async fn every_command_has_both_formats(database: Database) {
        let terminal = Terminal::new(&database, "");
        assert_eq!(terminal.run(&["migrate"]), (0, "the tables have the version of this program\n".to_owned()));
        let ledger = database.open().await;
        let listener = ledger.wrap(Vendor::new(database.pool().await).await);
        let (live, gone) = (key(), key());
        listener.provision(basic(&live)).await.expect("a widget");
        listener.provision(basic(&gone)).await.expect("a widget");
        listener.deprovision(deprovision(&gone)).await.expect("a deprovision");

        let list = terminal.json(&["list", "--addon", "heroku/lantern", "--plan", "basic"]);
        let keys: Vec<_> = list["resources"].as_array().unwrap().iter().map(|resource| &resource["key"]).collect();
        assert_eq!(keys, [&json!(live), &json!(gone)]);
        let (_, list) = terminal.run(&["list", "--state", "deprovisioned"]);
        assert!(list.contains(&gone) && !list.contains(&live), "{list}");
        assert_eq!(terminal.run(&["list", "--state", "parked"]), (0, "No resources.\n".to_owned()));
        assert_eq!(terminal.json(&["stats"])["open_operations"], 0);
        assert_eq!(terminal.run(&["parked"]), (0, "Nothing is parked.\n".to_owned()));

        let reason = ["--reason", "request 7"];
        assert_eq!(terminal.run(&["erase", &live, reason[0], reason[1]]).0, 1, "a live resource");
        assert_eq!(terminal.json(&["erase", &gone, reason[0], reason[1]]), json!({ "changed": true }));
        let shown = terminal.json(&["show", &gone]);
        assert_eq!((&shown["operations"], &shown["actions"][0]["reason"]), (&json!([]), &json!("request 7")));
        assert_eq!(terminal.run(&["abandon", "4711", reason[0], reason[1]]).0, 1);

        assert_eq!(terminal.json(&["raise-fences"]), json!({ "raised": 2 }));
        let (both, swapped) = (format!("{OTHER_KEY},{KEY}"), "MAITRE_KEY");
        let resealed = tokio::task::block_in_place(|| terminal.output(&["reseal"], &[(swapped, &both)]));
        let resealed = String::from_utf8(resealed.stdout).unwrap();
        assert!(resealed.starts_with("resealed values: ") && !resealed.ends_with(" 0\n"), "{resealed}");
    }

    async fn resources_are_adopted_from_a_file(database: Database) {
        let ledger = database.ledger().await;
        let listener = ledger.wrap(Vendor::new(database.pool().await).await);
        let (known, sold) = (key(), key());
        listener.provision(basic(&known)).await.expect("a widget");
        let terminal = Terminal::new(&database, "");
        let csv = format!("key,plan,provider_id,created_at\n{sold},premium,641,2025-01-02T03:04:05Z\n{known},premium,,\n");
        std::fs::write(terminal.folder.0.join("sold.csv"), csv).unwrap();
        let arguments = ["adopt", "sold.csv", "--addon", "heroku/lantern"];
        let dry_run = terminal.json(&[&arguments[..], &["--dry-run"]].concat());
        assert_eq!((&dry_run["adopted"], ledger.resource(&sold).await.unwrap()), (&json!(1), None));
        let (code, output) = terminal.run(&[&arguments[..], &["--reason", "sold before"]].concat());
        assert_eq!(code, 1, "{output}");
        assert!(output.contains(&known) && output.ends_with("adopted: 1, unchanged: 0, contradictions: 1\n"), "{output}");
        let adopted = ledger.resource("641").await.unwrap().expect("a resource");
        assert_eq!((&*adopted.key, adopted.created_at.year()), (&*sold, 2025));
        assert_eq!(adopted.actions[0].reason.as_deref(), Some("sold before"));
        let repeated = terminal.json(&[&arguments[..], &["--reason", "again"]].concat());
        assert_eq!((&repeated["adopted"], &repeated["unchanged"]), (&json!(0), &json!(1)));
    }
}

#[test]
fn a_wrong_url_or_key_is_reported_and_nothing_is_created() {
    let database = Database::sqlite();
    let folder = database.folder.clone().expect("a folder");
    let terminal = Terminal::new(&database, "");
    let stderr = |arguments: &[&str], more: &[(&str, &str)]| {
        let output = terminal.output(arguments, more);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let error = stderr(&["stats"], &[]);
    assert!(error.contains("there is no database"), "{error}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    let error = stderr(&["stats"], &[("DATABASE_URL", "mysql://ada:hunter2@db/tally")]);
    assert!(error.contains("unsupported ledger URL") && !error.contains("hunter2"), "{error}");
    let error = stderr(&["stats"], &[("MAITRE_KEY", "0011")]);
    assert!(error.contains("64 hex digits") && !error.contains("0011"), "{error}");
    let error = stderr(&["retry", "1"], &[]);
    assert!(error.contains("--reason"), "{error}");
}
