//! The example `async-provisioning` as a separate process, with the test kit's Heroku.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use maitre_testkit::Heroku;
use maitre_testkit::platform::{Install, Platform, PlatformServer, State};

use crate::ledger::support::until;
use crate::support::{Folder, build};

const SLUG: &str = "smithy";
const PASSWORD: &str = "development-only-password";
const SALT: &str = "development-only-sso-salt";

static BINARY: LazyLock<PathBuf> = LazyLock::new(|| build("async-provisioning", ""));

struct Smithy {
    process: Child,
    origin: String,
}

impl Smithy {
    /// Starts the example. Each anvil takes longer than the two seconds after which the add-on answers 202.
    fn start(folder: &Folder, heroku: &PlatformServer) -> Self {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let mut process = Command::new(&*BINARY)
            .current_dir(&folder.0)
            .envs([("PORT", "0"), ("DELAY", "4"), ("HEROKU_URL", heroku.url()), ("NO_PROXY", "127.0.0.1")])
            .env("ADDON_MANIFEST", examples.join("async-provisioning/addon-manifest.json"))
            .env_remove("DATABASE_URL")
            .env_remove("MAITRE_KEY")
            .env_remove("CLIENT_SECRET")
            .env_remove("WEBHOOK_SECRET")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let greeting = lines.next().expect("a greeting").unwrap();
        let origin = greeting.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { process, origin }
    }

    fn heroku(&self) -> Heroku {
        Heroku::new(&format!("{}/heroku", self.origin), SLUG, PASSWORD, SALT)
    }
}

impl Drop for Smithy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn heroku() -> Platform {
    Platform::new(SLUG, PASSWORD, "development-only-client-secret")
}

async fn install(smithy: &Smithy, heroku: &Platform) -> Install {
    let install = heroku.install("basic");
    let reply = smithy.heroku().provision("basic").install(&install).send().await;
    install.record_provision(reply.expect(202));
    install
}

#[tokio::test]
async fn a_slow_provision_is_202_and_heroku_is_notified_on_completion() {
    let (folder, heroku) = (Folder::new(), heroku());
    let api = heroku.serve().await.unwrap();
    let smithy = Smithy::start(&folder, &api);
    let install = install(&smithy, &heroku).await;
    assert!(install.message().is_some_and(|message| !message.is_empty()));
    until("the grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;

    until("Heroku is notified", || async { install.state() == State::Provisioned }).await;
    assert_eq!(install.config()["SMITHY_URL"], format!("https://anvils.example/{}", install.uuid()));
    assert_eq!((install.call_counts().config_patches, install.call_counts().provisioned), (1, 1));

    let reply = smithy.heroku().plan_change(install.uuid(), "premium").send().await;
    install.record_plan_change("premium", reply.expect(202));
    until("the plan is changed", || async { install.config()["SMITHY_PLAN"] == "premium" }).await;

    let reply = smithy.heroku().deprovision(install.uuid()).send().await;
    install.record_deprovision(reply.expect(204));
    assert!(heroku.violations().is_empty(), "{:#?}", heroku.violations());
}

#[tokio::test]
async fn an_unknown_plan_is_refused_immediately() {
    let (folder, heroku) = (Folder::new(), heroku());
    let api = heroku.serve().await.unwrap();
    let smithy = Smithy::start(&folder, &api);
    let reply = smithy.heroku().provision("gold").install(&heroku.install("gold")).send().await;
    assert_eq!(reply.expect(422).message(), "The plan gold does not exist: choose test, basic or premium.");
}

#[tokio::test]
async fn webhooks_require_a_valid_signature() {
    let (folder, heroku) = (Folder::new(), heroku());
    let api = heroku.serve().await.unwrap();
    let smithy = Smithy::start(&folder, &api);
    let body = r#"{"id":"e1","action":"update","resource":"addon"}"#;
    let deliver = |secret: &str| {
        let signature = maitre_testkit::sign::webhook(secret, body.as_bytes());
        let request = reqwest::Client::new().post(format!("{}/webhooks/heroku", smithy.origin)).body(body);
        request.header("heroku-webhook-hmac-sha256", signature).send()
    };
    assert_eq!(deliver("development-only-webhook-secret").await.unwrap().status(), 204);
    assert_eq!(deliver("another secret").await.unwrap().status(), 401);
}
