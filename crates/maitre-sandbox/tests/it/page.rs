//! Timeline, trials of sign-ons, and the menu of all installs.

use maitre_sandbox::{Fault, Recording, RecordingFormat};
use maitre_testkit::platform::State;
use serde_json::json;

use crate::support::{Harness, Reply, manifest, until};

async fn try_sign_on(harness: &Harness, uuid: &str) -> String {
    let response = harness.submit(&format!("/sandbox/installs/{uuid}/try"), &[]).await;
    assert_eq!(response.status(), 303);
    let page = harness.page("/").await;
    let result = page.split("Sign-on: ").nth(1).unwrap_or_else(|| panic!("no result in {page}"));
    result.split(" <a").next().unwrap().to_owned()
}

#[tokio::test]
async fn a_trial_follows_the_redirect_with_the_cookies_of_a_browser() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    harness.addon.open_sessions("Path=/; SameSite=Lax");
    assert_eq!(try_sign_on(&harness, install.uuid()).await, "302 → 200");
    assert_eq!(harness.failed_checks().await, [""; 0]);
    let seen = harness.journal_of("SignOn").await;
    let steps: Vec<_> = seen.iter().map(|entry| (&entry["request"]["method"], &entry["response"]["status"])).collect();
    assert_eq!(steps, [(&json!("POST"), &json!(302)), (&json!("GET"), &json!(200))]);
    assert_eq!(seen[1]["operation"], seen[0]["id"], "both belong to one operation");

    harness.addon.open_sessions("Path=/; SameSite=Strict");
    let strict = try_sign_on(&harness, install.uuid()).await;
    assert!(
        strict.starts_with("302 → 403: accepted, but the page answers 403: the cookie session is SameSite=Strict"),
        "{strict}"
    );
    assert_eq!(harness.failed_checks().await, ["heroku.sso-token.lets-in"]);

    harness.addon.open_sessions("Path=/elsewhere; SameSite=Lax");
    let lost = try_sign_on(&harness, install.uuid()).await;
    assert!(lost.contains("accepted, but the page answers 403: the session was not stored"), "{lost}");
    harness.sandbox.inject_fault(Fault::StaleToken);
    let stale = try_sign_on(&harness, install.uuid()).await;
    assert!(stale.ends_with("an expired token was accepted."), "{stale}");
}

#[tokio::test]
async fn the_timeline_is_searched_and_filtered() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    harness.addon.reply_with("PUT", [Reply::With(422, json!({ "message": "Too bright." }))]);
    harness.click(&format!("/sandbox/installs/{}/plan", install.uuid()), &[("plan", "bright")]).await;
    until("the change is refused", async || harness.journal_of("PlanChange").await.len() == 1).await;
    let titles = async |query: &str| {
        let page = harness.page(&format!("/sandbox/timeline?{query}")).await;
        let titles = page.split("<strong>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
        titles.collect::<Vec<_>>()
    };
    until("the change is recorded", async || titles("status=4").await == ["Change to bright"]).await;
    assert_eq!(titles("kind=Provision").await, ["Provision basic"]);
    assert_eq!(titles("status=2").await, ["Provision basic"]);
    assert_eq!(titles("q=too%20BRIGHT").await, ["Change to bright"]);
    assert_eq!(
        titles(&format!("q={}&direction=ToAddon", install.name())).await,
        ["Change to bright", "Provision basic"]
    );
    assert_eq!(titles("direction=FromAddon&q=&kind=").await, [""; 0]);
    assert_eq!(titles("direction=Internal").await, [format!("{} is provisioned", install.name())]);
    let first = harness.journal_of("Provision").await[0]["id"].clone();
    assert_eq!(titles(&format!("operation={first}")).await.len(), 2, "the provision and the note about it");
}

#[tokio::test]
async fn neighboring_lines_of_one_operation_are_joined() {
    let harness = Harness::new().await;
    for _ in 0..2 {
        harness.sandbox.provision("basic").await;
    }
    harness.click("/sandbox/clock", &[("minutes", "1")]).await;
    let joined = async || {
        let page = harness.page("/sandbox/timeline").await;
        let classes = page.split("<li class=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        classes.map(|classes| classes.split(' ').any(|class| class == "joins")).collect::<Vec<_>>()
    };
    // the note about the clock, then note and call of each provision
    until("each note joins its call", async || joined().await == [false, true, false, true, false]).await;
}

#[tokio::test]
async fn replayed_calls_show_both_statuses_and_can_be_filtered() {
    let harness = Harness::new().await;
    harness.sandbox.provision("basic").await;
    let recording = Recording::parse(&harness.sandbox.export(RecordingFormat::Json, false)).unwrap();
    assert!(harness.sandbox.replay(&recording).await[0].is_unchanged());
    assert!(!harness.page("/sandbox/timeline?only=differing").await.contains("then 200"));
    harness.addon.reply_with("POST", [Reply::With(503, json!({}))]);
    assert!(!harness.sandbox.replay(&recording).await[0].is_unchanged());
    let differing = harness.page("/sandbox/timeline?only=differing").await;
    assert_eq!(differing.matches("Provision basic, replayed").count(), 1);
    assert!(differing.contains("then 200") && differing.contains(">503<"), "{differing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_copied_as_a_curl_command_that_works() {
    let harness = Harness::new().await;
    harness.sandbox.provision("basic").await;
    let id = harness.journal_of("Provision").await[0]["id"].clone();
    let command = harness.page(&format!("/sandbox/exchanges/{id}/curl")).await;
    let curl = std::process::Command::new("sh")
        .args(["-c", &format!("{} --noproxy '*' --silent", command.trim_end())])
        .output();
    let answer = String::from_utf8(curl.unwrap().stdout).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("Your lantern is lit."), "{command}\n{answer}");
    let missing = harness.http.get(harness.url("/sandbox/exchanges/999/curl")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn all_installs_are_removed_by_one_button() {
    let harness = Harness::new().await;
    for _ in 0..5 {
        harness.sandbox.provision("basic").await;
    }
    harness.click("/sandbox/installs/remove-all", &[]).await;
    let is_removed = async || harness.sandbox.platform().installs().iter().all(|it| it.state() == State::Deprovisioned);
    until("all are removed", is_removed).await;
    assert_eq!(harness.addon.calls_of("DELETE").len(), 5);
    assert!(harness.page("/").await.contains("show 5 removed"));
}

#[tokio::test]
async fn a_reset_forgets_everything_without_calling_the_add_on() {
    let folder = crate::support::Folder::new();
    let file = folder.file("sandbox.db");
    let harness = Harness::with(&manifest(), |setup| setup.state_file(&file)).await;
    let install = harness.sandbox.provision("basic").await;
    harness.customer("PATCH", "/apps/shop/config-vars", json!({ "COLOR": "red" })).await;
    harness.click("/sandbox/clock", &[("minutes", "60")]).await;
    harness.sandbox.inject_fault(Fault::Cut);
    harness.click("/sandbox/reset", &[]).await;
    let page = harness.page("/").await;
    for absent in [install.uuid(), "h ahead", "Provision basic", "show 1 removed"] {
        assert!(!page.contains(absent), "{absent} in {page}");
    }
    assert!(page.contains("The sandbox was reset") && page.contains("none scheduled"));
    assert!(harness.addon.calls_of("DELETE").is_empty());
    assert_eq!(harness.customer("GET", "/apps", json!(null)).await, (200, json!([])));
    assert_eq!(harness.customer("GET", "/apps/shop/config-vars", json!(null)).await, (200, json!({})));

    // also after a restart
    let Harness { addon, sandbox, serving, .. } = harness;
    drop((serving, sandbox));
    let harness = Harness::for_addon(addon, &manifest(), |setup| setup.state_file(&file)).await;
    assert!(!harness.page("/").await.contains("show 1 removed"));
}

#[tokio::test]
async fn the_first_steps_are_shown_until_they_are_done() {
    let harness = Harness::new().await;
    let open = async || {
        let page = harness.page("/").await;
        page.contains("Three things to try").then(|| page.matches("Done: ").count())
    };
    assert_eq!(open().await, Some(0));
    let install = harness.sandbox.provision("basic").await;
    assert_eq!(open().await, Some(1));
    harness.submit(&format!("/sandbox/installs/{}/try", install.uuid()), &[]).await;
    assert_eq!(open().await, Some(2));
    harness.sandbox.inject_fault(Fault::Duplicate);
    harness.sandbox.provision("basic").await;
    assert_eq!(open().await, None);
}

#[tokio::test]
async fn a_page_of_many_installs_has_the_details_of_the_opened_ones() {
    let harness = Harness::new().await;
    let few = harness.sandbox.provision("basic").await;
    assert!(harness.page("/").await.contains("Show values"), "the details of few installs are shown");
    for _ in 0..3 {
        harness.sandbox.provision("basic").await;
    }
    assert!(!harness.page("/").await.contains("Show values"));
    let page = harness.page(&format!("/?open={}", few.uuid())).await;
    assert_eq!(page.matches("Show values").count(), 1);
    assert!(page.contains(&format!("/sandbox/installs/{}/remove", few.uuid())));
    assert_eq!(page.matches(">Details<").count(), 3, "the others can be opened");
}

#[tokio::test]
async fn installs_are_listed_by_pages_newest_first() {
    let harness = Harness::new().await;
    let mut names = Vec::new();
    for _ in 0..16 {
        names.push(harness.sandbox.provision("basic").await.name());
    }
    let shown = async |query: &str| {
        let page = harness.page(&format!("/sandbox/installs?{query}")).await;
        page.split("data-name=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let newest: Vec<_> = names[1..].iter().rev().cloned().collect();
    assert_eq!(shown("").await, newest);
    assert_eq!(shown("page=1").await, names[..1]);
    assert_eq!(shown("page=9").await, names[..1], "the last page stands for those after it");
}
