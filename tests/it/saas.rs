//! The example `saas` as a newcomer runs it: as a separate process with a database file.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use maitre_testkit::{Browser, CloudControl, Heroku, Opperator};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::ledger::support::{Database, KEY};
use crate::support::{Folder, build};

const PASSWORD: &str = "development-only-password";
const SALT: &str = "development-only-sso-salt";

static BINARY: LazyLock<PathBuf> = LazyLock::new(|| build("saas", ""));

/// The same with the sandbox.
static WITH_SANDBOX: LazyLock<PathBuf> = LazyLock::new(|| build("saas", "sandbox"));

pub(crate) struct Saas {
    process: Child,
    pub(crate) origin: String,
    pub(crate) greeting: String,
}

impl Saas {
    fn command(folder: &Path) -> Command {
        Self::command_of(&BINARY, folder)
    }

    fn command_of(binary: &Path, folder: &Path) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = Command::new(binary);
        command
            .current_dir(folder)
            .env_remove("DATABASE_URL")
            .env_remove("MAITRE_KEY")
            .env_remove("HOST")
            .env("PORT", "0")
            .env("ADDON_MANIFEST", root.join("addon-manifest.json"))
            .env("CLOUDCONTROL_MANIFEST", root.join("examples/saas/cloudcontrol-manifest.json"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_in(&folder.0)
    }

    pub(crate) fn start_in(folder: &Path) -> Self {
        Self::start_by(Self::command(folder))
    }

    /// Starts the example as a process that may open only so many files.
    #[cfg(unix)]
    pub(crate) fn start_with_descriptors(folder: &Folder, descriptors: u32) -> Self {
        let mut command = Self::command_of(Path::new("sh"), &folder.0);
        command.arg("-c").arg(format!("ulimit -n {descriptors} && exec \"$0\"")).arg(&*BINARY);
        Self::start_by(command)
    }

    /// Starts the example with the sandbox; each provision takes `set_up` seconds.
    pub(crate) fn with_sandbox(folder: &Folder, set_up: u64) -> Self {
        let mut command = Self::command_of(&WITH_SANDBOX, &folder.0);
        command.env("SANDBOX_PORT", "0").env("SET_UP_SECONDS", set_up.to_string());
        Self::start_by(command)
    }

    /// Starts one of several processes on a shared database.
    pub(crate) fn start_on(folder: &Folder, url: &str) -> Self {
        let mut command = Self::command(&folder.0);
        command.env("DATABASE_URL", url).env("MAITRE_KEY", KEY);
        Self::start_by(command)
    }

    /// Starts the example with its log going to `stderr`.
    pub(crate) fn start_with_stderr(folder: &Folder, stderr: impl Into<Stdio>) -> Self {
        Self::spawn(Self::command(&folder.0).stderr(stderr))
    }

    fn start_by(mut command: Command) -> Self {
        Self::spawn(command.stderr(Stdio::null()))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            greeting += &(lines.next().expect("a greeting").unwrap() + "\n");
        }
        let origin = greeting.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { process, origin, greeting }
    }

    pub(crate) fn heroku(&self) -> Heroku {
        Heroku::new(&format!("{}/heroku", self.origin), "tally", PASSWORD, SALT)
    }

    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.process.wait().unwrap()
    }
}

impl Drop for Saas {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the number of rows in the vendor's own table.
pub(crate) async fn installs(folder: &Folder) -> i64 {
    let url = format!("sqlite://{}", folder.0.join("saas.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM resources").fetch_one(&pool).await.unwrap()
}

#[test]
fn the_printed_curl_commands_provision_change_and_deprovision() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let lines: Vec<_> = saas.greeting.lines().filter(|line| line.starts_with("curl")).collect();
    let statuses: Vec<_> = lines
        .iter()
        .map(|line| {
            let output = Command::new("sh").args(["-c", line]).stderr(Stdio::null()).output().unwrap();
            String::from_utf8(output.stdout).unwrap().split_whitespace().nth(1).unwrap().to_owned()
        })
        .collect();
    assert_eq!(statuses, ["200", "200", "204"]);
}

#[tokio::test]
async fn an_install_is_created_once_and_replays_its_reply() {
    let folder = Folder::new();
    let mut saas = Saas::start(&folder);
    let uuid = saas.heroku().new_uuid();
    let provision = saas.heroku().provision("basic").uuid(&uuid);
    let first = provision.clone().await.expect(200).text();
    assert_eq!(provision.clone().await.expect(200).text(), first, "a repeated provision");
    saas.heroku().provision("premium").uuid(&uuid).await.expect(422);

    saas.heroku().plan_change(&uuid, "premium").await.expect(200);
    saas.heroku().plan_change(&uuid, "premium").await.expect(200);
    saas.heroku().plan_change(&uuid, "gold").await.expect(422);
    assert_eq!(provision.clone().await.expect(200).text(), first, "a retry after the plan change");

    assert!(saas.terminate().success());
    let saas = Saas::start(&folder);
    let heroku = saas.heroku();
    let again: Value = heroku.provision("basic").uuid(&uuid).await.expect(200).json();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(again["config"]["TALLY_TOKEN"], first["config"]["TALLY_TOKEN"], "after a restart");

    heroku.deprovision(&uuid).await.expect(204);
    heroku.deprovision(&uuid).await.expect(410);
    heroku.plan_change(&uuid, "basic").await.expect(410);
    heroku.provision("basic").uuid(&uuid).await.expect(410);
    assert_eq!(installs(&folder).await, 1);
}

#[tokio::test]
async fn concurrent_duplicates_create_one_install() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let provision = saas.heroku().provision("basic").uuid(&saas.heroku().new_uuid());
    let calls: Vec<_> = (0..32).map(|_| tokio::spawn(provision.clone().send())).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap().expect(200).text());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(installs(&folder).await, 1);
}

#[tokio::test]
async fn a_resource_that_was_never_provisioned_is_unknown() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let heroku = saas.heroku();
    let uuid = heroku.new_uuid();
    heroku.plan_change(&uuid, "basic").await.expect(404);
    heroku.deprovision(&uuid).await.expect(404);
    heroku.single_sign_on(&uuid).await.expect(404);
    let refused = heroku.provision("gold").await;
    assert_eq!(refused.expect(422).message(), "Tally has no plan named gold: choose basic or premium.");
}

#[tokio::test]
async fn the_counters_behind_the_config_vars_respect_the_plan() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let heroku = saas.heroku();
    let provisioned = heroku.provision("basic").await.expect(200).json();
    let (id, config) = (provisioned["id"].as_str().unwrap(), &provisioned["config"]);
    let url = config["TALLY_URL"].as_str().unwrap();
    let count = async |name: &str| {
        let token = config["TALLY_TOKEN"].as_str().unwrap();
        reqwest::Client::new().post(format!("{url}/{name}")).bearer_auth(token).send().await.unwrap()
    };
    assert_eq!(count("visits").await.json::<Value>().await.unwrap(), json!({ "visits": 1 }));
    assert_eq!(count("visits").await.json::<Value>().await.unwrap(), json!({ "visits": 2 }));
    for number in 1..10 {
        assert_eq!(count(&format!("c{number}")).await.status(), 200);
    }
    assert_eq!(count("one-too-many").await.status(), 422);
    heroku.plan_change(id, "premium").await.expect(200);
    assert_eq!(count("one-too-many").await.status(), 200);
    let refused = heroku.plan_change(id, "basic").await;
    assert_eq!(refused.expect(422).message(), "You have 11 counters, but the plan basic includes only 10.");

    heroku.deprovision(id).await.expect(204);
    assert_eq!(count("visits").await.status(), 401);
}

#[tokio::test]
async fn the_dashboard_requires_single_sign_on() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let heroku = saas.heroku();
    let uuid = heroku.new_uuid();
    heroku.provision("basic").uuid(&uuid).await.expect(200);

    let mut browser = Browser::new(&saas.origin);
    browser.get("/dashboard").await.expect(403);
    // {"appname":"<b>myapp"}, which is not signed
    let form = heroku.single_sign_on(&uuid).set("nav-data", "eyJhcHBuYW1lIjoiPGI-bXlhcHAifQ");
    let landed = browser.post_form(form.url(), form.fields()).await;
    assert_eq!(landed.expect(302).location(), Some("/dashboard"));
    let dashboard = browser.follow(&landed).await.expect(200).text();
    assert!(
        dashboard.contains(r#"<div id="heroku-header">Tally for <strong>&lt;b&gt;myapp</strong></div>"#),
        "{dashboard}"
    );

    heroku.deprovision(&uuid).await.expect(204);
    browser.get("/dashboard").await.expect(403);
}

#[tokio::test]
async fn an_older_checker_signs_in_with_the_v1_token() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let heroku = saas.heroku();
    let id = heroku.provision("basic").legacy().await.expect(200).json()["id"].as_str().unwrap().to_owned();
    let landed = heroku.single_sign_on(&id).provider_id(&id).only_legacy().await;
    landed.expect(302);
    let cookie = landed.cookie("heroku-nav-data").unwrap();
    assert!(!cookie.is_secure(), "a secure cookie is not sent over plain http");
    heroku.single_sign_on(&id).provider_id(&id).only_legacy().set("token", "invalid").await.expect(403);
}

#[tokio::test]
async fn the_other_marketplaces_provision_change_and_deprovision() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let cloudcontrol = CloudControl::new(&format!("{}/cloudcontrol", saas.origin), "tally", PASSWORD, SALT);
    let id = cloudcontrol.provision("basic").await.expect(201).json()["id"].as_str().unwrap().to_owned();
    cloudcontrol.plan_change(&id, "premium").await.expect(200);
    cloudcontrol.single_sign_on(&id).await.expect(302);
    let a_little_later = OffsetDateTime::now_utc() + Duration::seconds(5);
    cloudcontrol.single_sign_on(&id).at(a_little_later).send_by_get().await.expect(302);
    cloudcontrol.deprovision(&id).await.expect(204);
    cloudcontrol.deprovision(&id).await.expect(404);

    let opperator = Opperator::new(&format!("{}/opperator", saas.origin), "development-only-secret");
    let id = opperator.provision(json!({ "counters": 5 })).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    opperator.plan_change(&id, json!({ "counters": 50 })).await.expect(200);
    opperator.plan_warning(&id).await.expect(200);
    opperator.deprovision(&id).await.expect(200);
    opperator.deprovision(&id).await.expect(410);
}

#[test]
fn a_public_address_is_rejected_with_the_repositorys_secrets() {
    let folder = Folder::new();
    let mut process = Saas::command(&folder.0).env("HOST", "0.0.0.0").spawn().unwrap();
    let status = process.wait().unwrap();
    let mut stderr = String::new();
    process.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(!status.success());
    assert!(stderr.contains("api.password in ADDON_MANIFEST is a public secret from the repository"), "{stderr}");
    assert!(!stderr.contains(PASSWORD), "{stderr}");
}

#[test]
fn a_terminated_process_exits_successfully() {
    let folder = Folder::new();
    let mut saas = Saas::start(&folder);
    assert!(saas.terminate().success());
}

#[test]
fn a_killed_process_loses_no_install() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = Folder::new();
        let mut saas = Saas::start(&folder);
        let uuid = saas.heroku().new_uuid();
        let provision = |saas: &Saas| saas.heroku().provision("basic").uuid(&uuid);
        let first = provision(&saas).await.expect(200).text();
        saas.process.kill().unwrap();
        saas.process.wait().unwrap();

        let saas = Saas::start(&folder);
        let again = provision(&saas).await.expect(200).text();
        // the URL of the counters contains the port, which has changed
        let token = |text: &str| serde_json::from_str::<Value>(text).unwrap()["config"]["TALLY_TOKEN"].clone();
        assert_eq!(token(&again), token(&first));
    });
}

#[tokio::test]
async fn two_processes_share_one_postgres() {
    let Some(database) = Database::postgres().await else { return };
    let folder = Folder::new();
    let mut one = Saas::start_on(&folder, &database.url);
    let two = Saas::start_on(&folder, &database.url);

    let uuid = one.heroku().new_uuid();
    let provision = |saas: &Saas| saas.heroku().provision("basic").uuid(&uuid);
    let calls: Vec<_> =
        (0..32).map(|number| tokio::spawn(provision(if number % 2 == 0 { &one } else { &two }).send())).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap().expect(200).text());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    let installs = "SELECT CAST(count(*) AS BIGINT) FROM resources";
    assert_eq!(sqlx::query_scalar::<_, i64>(installs).fetch_one(&database.pool().await).await.unwrap(), 1);

    // a sign-on at one process is valid in both
    let now = OffsetDateTime::now_utc();
    let form = one.heroku().single_sign_on(&uuid).at(now);
    let mut browser = Browser::new(&one.origin);
    browser.post_form(form.url(), form.fields()).await.expect(302);
    two.heroku().single_sign_on(&uuid).at(now).await.expect(403);
    two.heroku().single_sign_on(&uuid).at(now - Duration::seconds(1)).await.expect(302);
    let session = browser.cookie("tally").expect("a session").value().to_owned();
    let mut second_browser = Browser::new(&two.origin);
    second_browser.set_cookie("tally", &session);
    second_browser.get("/dashboard").await.expect(200);

    // the other process continues without it
    assert!(one.terminate().success());
    assert_eq!(provision(&two).await.expect(200).text(), answers[0]);
    two.heroku().plan_change(&uuid, "premium").await.expect(200);
    two.heroku().deprovision(&uuid).await.expect(204);
    second_browser.get("/dashboard").await.expect(403);
    let one = Saas::start_on(&folder, &database.url);
    provision(&one).await.expect(410);
}

#[tokio::test]
async fn a_shared_database_without_a_key_is_rejected_with_instructions() {
    let Some(database) = Database::postgres().await else { return };
    let folder = Folder::new();
    let output = Saas::command(&folder.0).env("DATABASE_URL", &database.url).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        stderr.contains("a ledger on Postgres needs MAITRE_KEY") && stderr.contains("openssl rand -hex 32"),
        "{stderr}"
    );
}

#[tokio::test]
async fn migrations_run_as_a_separate_command() {
    let Some(database) = Database::postgres().await else { return };
    let folder = Folder::new();
    // a migration reads nothing and so needs no key
    let output = Saas::command(&folder.0).arg("migrate").env("DATABASE_URL", &database.url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let versions = sqlx::query_scalar::<_, i64>("SELECT max(version) FROM maitre_migrations");
    assert_eq!(versions.fetch_one(&database.pool().await).await.unwrap(), 1);
}
