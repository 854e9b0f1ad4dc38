//! What goes wrong on purpose goes wrong as it was said.

use maitre_sandbox::Fault;
use maitre_testkit::platform::{Install, State};
use serde_json::{Value, json};

use crate::support::{CLIENT_SECRET, World, manifest, until};

async fn order(world: &World, call: &str, fault: Fault) {
    world.click("/sandbox/faults", &[("call", call), ("fault", fault.name()), ("times", "1")]).await;
}

async fn provisioned(world: &World) -> Install {
    let install = world.sandbox.provision("basic").await;
    world.becomes(&install, State::Provisioned).await;
    install
}

#[tokio::test]
async fn a_duplicate_comes_twice_and_blames_who_makes_two() {
    let world = World::new().await;
    order(&world, "provision", Fault::Duplicate).await;
    let install = provisioned(&world).await;
    let seen = world.shop.seen_of("POST");
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, seen[1].body);
    assert_eq!(world.blamed().await, [""; 0]);
    let told = world.journal_of("Provision").await;
    assert!(told.iter().all(|entry| entry["fault"] == "sent twice concurrently"));
    // one resource, however often it was asked for
    assert_eq!(world.sandbox.platform().installs().len(), 1);
    assert!(install.provider_id().is_some());

    world.shop.be_careless();
    order(&world, "provision", Fault::Duplicate).await;
    provisioned(&world).await;
    assert_eq!(world.blamed().await, ["heroku.idempotency.at-once"]);
}

#[tokio::test]
async fn a_late_call_is_told_as_late_and_comes_once() {
    let world = World::new().await;
    order(&world, "provision", Fault::Delay).await;
    provisioned(&world).await;
    assert_eq!(world.shop.seen().len(), 1);
    assert_eq!(world.journal_of("Provision").await[0]["fault"], "sent 3 s late");
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let world = World::new().await;
    order(&world, "provision", Fault::DropReply).await;
    let install = world.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning, "nobody heard the answer");
    world.becomes(&install, State::Provisioned).await;
    let told = world.journal_of("Provision").await;
    assert_eq!(told.len(), 2);
    assert_eq!((&told[0]["fault"], &told[0]["response"]), (&json!("Heroku hung up before the response"), &Value::Null));
    assert_eq!(world.blamed().await, [""; 0], "it is not the add-on's fault");
}

#[tokio::test]
async fn a_request_that_breaks_off_is_sent_again_whole() {
    let world = World::new().await;
    order(&world, "provision", Fault::Cut).await;
    let install = world.sandbox.provision("basic").await;
    world.becomes(&install, State::Provisioned).await;
    assert_eq!(world.shop.seen_of("POST").len(), 1, "the half never got to the add-on's code");
    assert_eq!(world.journal_of("Provision").await[0]["fault"], "Heroku hung up in the middle of the request");
}

#[tokio::test]
async fn a_call_that_is_held_back_is_overtaken() {
    let world = World::new().await;
    order(&world, "provision", Fault::Reorder).await;
    world.click("/sandbox/installs", &[("plan", "basic"), ("app", "first")]).await;
    until("it is ordered", async || world.sandbox.platform().installs().len() == 1).await;
    until("the fault is drawn", async || world.page("/sandbox/panel").await.contains("none scheduled")).await;
    assert_eq!(world.shop.seen().len(), 0, "it is held back");
    world.click("/sandbox/installs", &[("plan", "bright"), ("app", "second")]).await;
    until("both have come", async || world.shop.seen().len() == 2).await;
    let plans: Vec<_> = world.shop.seen().iter().map(|seen| seen.json()["plan"].clone()).collect();
    assert_eq!(json!(plans), json!(["bright", "basic"]));
}

#[tokio::test]
async fn a_wrong_password_knocks_first_and_blames_who_lets_it_in() {
    let world = World::new().await;
    order(&world, "provision", Fault::WrongPassword).await;
    provisioned(&world).await;
    let knocked: Vec<_> = world.shop.seen().iter().map(crate::support::Seen::is_authorized).collect();
    assert_eq!(knocked, [false, true]);
    assert_eq!(world.blamed().await, [""; 0]);

    world.shop.be_careless();
    for (call, check) in [
        ("provision", "heroku.auth.wrong-password-provision"),
        ("deprovision", "heroku.auth.wrong-password-deprovision"),
    ] {
        order(&world, call, Fault::WrongPassword).await;
        let install = provisioned(&world).await;
        world.click(&format!("/sandbox/installs/{}/remove", install.uuid()), &[]).await;
        world.becomes(&install, State::Deprovisioned).await;
        assert!(world.blamed().await.contains(&check.to_owned()), "{check}");
    }
}

#[tokio::test]
async fn a_stale_token_makes_the_add_on_refresh_its_own() {
    let world = World::new().await;
    let install = provisioned(&world).await;
    let (access, refresh) = tokens(&world, &install).await;
    let see = async |token: &str| {
        let call = world.http.get(world.url(&format!("/addons/{}", install.uuid()))).bearer_auth(token);
        let call = call.header("accept", "application/vnd.heroku+json; version=3");
        call.send().await.unwrap().status().as_u16()
    };
    assert_eq!(see(&access).await, 200);
    order(&world, "plan-change", Fault::StaleToken).await;
    world.click(&format!("/sandbox/installs/{}/plan", install.uuid()), &[("plan", "bright")]).await;
    until("the plan is another one", async || install.plan() == "bright").await;
    assert_eq!(see(&access).await, 401);
    let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("client_secret", CLIENT_SECRET)];
    let renewed: Value =
        world.http.post(world.url("/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(see(renewed["access_token"].as_str().unwrap()).await, 200);
}

async fn tokens(world: &World, install: &Install) -> (String, String) {
    let grant = install.grant();
    let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", CLIENT_SECRET)];
    let token: Value =
        world.http.post(world.url("/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
    let text = |name: &str| token[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn age_of_a_sign_on(world: &World, install: &Install) -> i64 {
    let (_, form) = world.customer("GET", &format!("/addons/{}/sso", install.uuid()), json!(null)).await;
    let made_at: i64 = form["params"]["timestamp"].as_str().unwrap().parse().unwrap();
    (time::OffsetDateTime::now_utc().unix_timestamp() - made_at) / 60
}

#[tokio::test]
async fn a_stale_sign_on_is_ten_minutes_old() {
    let world = World::new().await;
    let install = provisioned(&world).await;
    order(&world, "sign-on", Fault::StaleToken).await;
    assert_eq!(age_of_a_sign_on(&world, &install).await, 10);
    assert_eq!(age_of_a_sign_on(&world, &install).await, 0, "once");
}

#[tokio::test]
async fn chaos_of_the_same_seed_is_the_same_chaos() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let world = World::with(&manifest(), |setup| setup.chaos("50%".parse().unwrap(), seed)).await;
        world.click("/sandbox/chaos", &[("percent", "0"), ("seed", "0")]).await;
        let install = provisioned(&world).await;
        world.click("/sandbox/chaos", &[("percent", "50"), ("seed", &seed.to_string())]).await;
        let mut ages = Vec::new();
        for _ in 0..40 {
            ages.push(age_of_a_sign_on(&world, &install).await);
        }
        runs.push(ages);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    let stale = runs[0].iter().filter(|age| **age == 10).count();
    assert!((10..=30).contains(&stale), "{stale} of 40");
}

#[tokio::test]
async fn the_add_ons_own_calls_meet_faults_too() {
    let world = World::new().await;
    let install = provisioned(&world).await;
    let exchange = async || {
        let grant = install.new_grant();
        let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", CLIENT_SECRET)];
        let answer = world.http.post(world.url("/oauth/token")).form(&form).send().await;
        match answer {
            Err(_) => "no answer".to_owned(),
            Ok(answer) => {
                let (status, limit) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
                match answer.json::<Value>().await {
                    Ok(_) if limit => format!("{status}, and when to come again"),
                    Ok(_) => status.to_string(),
                    Err(_) => format!("{status}, unreadable"),
                }
            }
        }
    };
    for (fault, expected) in [
        ("status-503", "503"),
        ("status-429", "429, and when to come again"),
        ("drop", "no answer"),
        ("drop-after", "no answer"),
        ("cut", "200, unreadable"),
        ("not-json", "200, unreadable"),
    ] {
        world.click("/sandbox/faults", &[("call", "token"), ("inbound", fault), ("times", "1")]).await;
        assert_eq!(exchange().await, expected, "{fault}");
        assert_eq!(exchange().await, "200", "after {fault}");
    }
}

#[tokio::test]
async fn faults_can_be_taken_back() {
    let world = World::new().await;
    for call in ["provision", "plan-change"] {
        order(&world, call, Fault::Duplicate).await;
    }
    world.click("/sandbox/chaos", &[("percent", "100"), ("seed", "3")]).await;
    assert!(world.page("/sandbox/panel").await.contains("chaos 100%, seed 3"));
    world.click("/sandbox/faults/clear", &[]).await;
    assert!(world.page("/sandbox/panel").await.contains("none scheduled"));
    provisioned(&world).await;
    assert_eq!(world.shop.seen().len(), 1);
}

#[tokio::test]
async fn a_fault_that_cannot_befall_a_call_is_not_taken() {
    let world = World::new().await;
    let cut = [("call", "deprovision"), ("fault", "cut"), ("times", "1")];
    assert_eq!(world.press("/sandbox/faults", &cut).await.status(), 422);
    let unknown = [("call", ""), ("fault", "earthquake"), ("times", "1")];
    assert_eq!(world.press("/sandbox/faults", &unknown).await.status(), 422);
}
