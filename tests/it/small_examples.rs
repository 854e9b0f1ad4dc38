//! The examples `hello` and `two-addons` as separate processes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use maitre_testkit::{Browser, Heroku};
use time::OffsetDateTime;

use crate::support::{Folder, build};

/// Running example.
struct Example {
    process: Child,
    origin: String,
}

impl Example {
    fn start(name: &str, folder: &Folder) -> Self {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let mut process = Command::new(build(name, ""))
            .current_dir(&folder.0)
            .env("PORT", "0")
            .env("ADDON_MANIFEST", examples.join(name).join("addon-manifest.json"))
            .env("MANIFESTS", examples.join(name))
            .env_remove("DATABASE_URL")
            .env_remove("MAITRE_KEY")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let greeting = BufReader::new(process.stdout.take().unwrap()).lines().next().expect("a greeting").unwrap();
        let origin = greeting.strip_prefix("listening on ").expect("an address").to_owned();
        Self { process, origin }
    }

    fn heroku(&self, path: &str, slug: &str, secret: &str) -> Heroku {
        let (password, salt) = (format!("{secret}-password"), format!("{secret}-salt"));
        Heroku::new(&format!("{}{path}", self.origin), slug, &password, &salt)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn sign_on(browser: &mut Browser, heroku: &Heroku, uuid: &str) -> (u16, String) {
    sign_on_at(browser, heroku, uuid, OffsetDateTime::now_utc()).await
}

async fn sign_on_at(browser: &mut Browser, heroku: &Heroku, uuid: &str, time: OffsetDateTime) -> (u16, String) {
    let form = heroku.single_sign_on(uuid).at(time);
    let redirect = browser.post_form(form.url(), form.fields()).await;
    if redirect.status() != 302 {
        return (redirect.status(), String::new());
    }
    let page = browser.follow(&redirect).await;
    (page.status(), page.text())
}

#[tokio::test]
async fn hello_sells_a_greeting() {
    let folder = Folder::new();
    let hello = Example::start("hello", &folder);
    let heroku = Heroku::new(
        &format!("{}/heroku", hello.origin),
        "hello",
        "development-only-password",
        "development-only-sso-salt",
    );
    let uuid = heroku.new_uuid();
    let provisioned = heroku.provision("warm").uuid(&uuid).await.expect(200).json();
    assert_eq!(provisioned["config"]["HELLO_GREETING"], "A warm hello!");
    let changed = heroku.plan_change(&uuid, "formal").await.expect(200).json();
    assert_eq!(changed["config"]["HELLO_GREETING"], "A formal hello!");
    let mut browser = Browser::new(&hello.origin);
    assert_eq!(sign_on(&mut browser, &heroku, &uuid).await, (200, "Hello!\n".to_owned()));
    heroku.deprovision(&uuid).await.expect(204);
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0, "it keeps nothing");
}

#[tokio::test]
async fn two_add_ons_have_their_own_state_sessions_and_credentials() {
    let folder = Folder::new();
    let lights = Example::start("two-addons", &folder);
    let lamp = lights.heroku("/lamps/heroku", "lamp", "development-only-lamp");
    let candle = lights.heroku("/candles/heroku", "candle", "development-only-candle");
    let uuid = lamp.new_uuid(); // the same key at both: they are different resources
    lamp.provision("small").uuid(&uuid).await.expect(200);
    candle.provision("large").uuid(&uuid).await.expect(200);
    lamp.provision("small").await.expect(200);

    let mut browser = Browser::new(&lights.origin);
    let shown = sign_on(&mut browser, &lamp, &uuid).await;
    assert_eq!(shown, (200, "This is your small lamp, one of 2.\n".to_owned()));
    browser.get("/candles/dashboard").await.expect(403);
    let shown = sign_on(&mut browser, &candle, &uuid).await;
    assert_eq!(shown, (200, "This is your large candle, one of 1.\n".to_owned()));
    browser.get("/lamps/dashboard").await.expect(200); // the other session is still open

    let foreign = lights.heroku("/candles/heroku", "lamp", "development-only-lamp");
    foreign.provision("small").await.expect(401);
    lamp.deprovision(&uuid).await.expect(204);
    lamp.provision("small").uuid(&uuid).await.expect(410);
    candle.plan_change(&uuid, "small").await.expect(200);
    let later = OffsetDateTime::now_utc() + time::Duration::SECOND; // a user signs on once per second
    let shown = sign_on_at(&mut browser, &candle, &uuid, later).await;
    assert_eq!(shown, (200, "This is your small candle, one of 1.\n".to_owned()));
}
