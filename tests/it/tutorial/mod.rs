//! The tutorial `docs/ten-minutes.md`, followed literally: its commands are run, its code is compiled, and the output that
//! it shows is compared.

mod follow;
mod page;
mod readme;

use maitre_testkit::{Heroku, Reply};
use serde_json::Value;

use crate::ledger::support::until;
use crate::support::Folder;

use follow::Reader;
use page::{Block, Language, blocks};

const TUTORIAL: &str = include_str!("../../../docs/ten-minutes.md");

/// The local marketplace that the tutorial starts, used through its page and through the API of its customers.
struct Marketplace {
    client: Heroku,
    url: String,
}

impl Marketplace {
    fn new(url: &str) -> Self {
        Self { client: Heroku::new(url, "lantern", "", ""), url: url.to_owned() }
    }

    async fn press(&self, path: &str, fields: &str) -> Reply {
        let call = self.client.raw("POST", &format!("{}{path}", self.url));
        call.header("content-type", "application/x-www-form-urlencoded").body(fields).send().await
    }

    async fn installs(&self) -> Vec<Value> {
        let call = self.client.raw("GET", &format!("{}/addons", self.url)).authorization("Bearer sandbox");
        serde_json::from_value(call.send().await.expect(200).json()).unwrap()
    }

    /// Presses *Install* and returns the uuid of the install.
    async fn install(&self) -> String {
        let before = self.installs().await.len();
        self.press("/sandbox/installs", "plan=basic").await.expect(303);
        let is_provisioned = || async {
            let installs = self.installs().await;
            installs.len() == before + 1 && installs.iter().all(|install| install["state"] == "provisioned")
        };
        until("the add-on is provisioned", is_provisioned).await;
        let installs = self.installs().await;
        let newest = installs.iter().max_by_key(|install| install["created_at"].as_str().unwrap_or_default());
        newest.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Returns the completed calls to the add-on for this install, oldest first: id, status and body of the reply.
    async fn calls(&self, uuid: &str, kind: &str) -> Vec<(i64, u64, String)> {
        let export = self.client.raw("GET", &format!("{}/sandbox/export.json?secrets=true", self.url)).send().await;
        let journal: Value = export.expect(200).json();
        let entries = journal["entries"].as_array().unwrap().iter();
        let calls = entries.filter(|entry| entry["direction"] == "ToAddon" && entry["resource"] == uuid);
        let calls = calls.filter(|entry| entry["kind"] == kind && entry["response"]["status"].is_number());
        calls
            .map(|entry| {
                let (response, id) = (&entry["response"], entry["id"].as_i64().unwrap());
                (id, response["status"].as_u64().unwrap(), response["body"].as_str().unwrap_or_default().to_owned())
            })
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tutorial_works_as_written() {
    let folder = Folder::new();
    let mut reader = Reader::new(&folder);
    let blocks = blocks(TUTORIAL);
    let (first_steps, testing): (Vec<_>, Vec<_>) =
        blocks.iter().partition(|block| block.section != "Test your listener");
    for block in first_steps {
        reader = tokio::task::spawn_blocking({
            let block = block.clone();
            move || {
                reader.follow(&block);
                reader
            }
        })
        .await
        .unwrap();
        if block.text.starts_with("maitre sandbox") {
            use_marketplace(&Marketplace::new(&reader.sandbox_url())).await;
        }
    }
    for block in testing {
        reader.follow(block);
    }
    reader.assert_that_git_ignores_secrets();
}

/// Does what the section about the local marketplace describes.
async fn use_marketplace(marketplace: &Marketplace) {
    let uuid = marketplace.install().await;
    marketplace.press(&format!("/sandbox/installs/{uuid}/try"), "").await.expect(303);
    let sign_on: Vec<_> = marketplace.calls(&uuid, "SignOn").await.iter().map(|(_, status, _)| *status).collect();
    let shown = format!("`{}`", sign_on.iter().map(u64::to_string).collect::<Vec<_>>().join(" → "));
    assert!(TUTORIAL.contains(&shown), "the tutorial does not show {shown}");

    marketplace.press(&format!("/sandbox/installs/{uuid}/plan"), "plan=bright").await.expect(303);
    until("the plan is changed", || async { marketplace.installs().await[0]["plan"]["name"] == "lantern:bright" })
        .await;
    marketplace.press(&format!("/sandbox/installs/{uuid}/remove"), "").await.expect(303);
    until("the add-on is removed", || async { marketplace.installs().await.is_empty() }).await;

    // two calls, one reply, one lantern
    marketplace.press("/sandbox/faults", "call=provision&fault=duplicate&times=1").await.expect(303);
    let uuid = marketplace.install().await;
    let calls = marketplace.calls(&uuid, "Provision").await;
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert_eq!(calls[0].2, calls[1].2);
    assert_eq!(marketplace.installs().await.len(), 1);

    // the recorded reply, and 410 after the removal
    marketplace.press(&format!("/sandbox/exchanges/{}/send", calls[0].0), "times=1").await.expect(303);
    let again = marketplace.calls(&uuid, "Provision").await;
    assert_eq!((again.len(), &again[2].2), (3, &calls[0].2));
    marketplace.press(&format!("/sandbox/installs/{uuid}/remove"), "").await.expect(303);
    until("the add-on is removed", || async { marketplace.installs().await.is_empty() }).await;
    marketplace.press(&format!("/sandbox/exchanges/{}/send", calls[0].0), "times=1").await.expect(303);
    let late = marketplace.calls(&uuid, "Provision").await[3].1;
    assert!(TUTORIAL.contains(&format!("send the call again: {late}.")), "the tutorial does not show {late}");
}

#[test]
fn the_tutorial_has_no_step_that_the_test_would_skip() {
    let blocks = blocks(TUTORIAL);
    let count = |language: Language| blocks.iter().filter(|block| block.language == language).count();
    assert_eq!((count(Language::Shell), count(Language::Rust), count(Language::Console)), (6, 2, 2));
    let fences = TUTORIAL.lines().filter(|line| line.trim_start().starts_with("```")).count();
    assert_eq!(fences, 2 * blocks.len());
    let is_placed = |block: &&Block| block.language != Language::Rust || block.before.contains("`src/main.rs`:");
    assert!(blocks.iter().all(|block| is_placed(&block)), "each Rust block follows the name of its file");
}
