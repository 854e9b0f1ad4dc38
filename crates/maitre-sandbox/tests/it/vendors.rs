//! What an add-on asks of Heroku's API.

use maitre_testkit::{platform::Install, sign};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{CLIENT_SECRET, PASSWORD, SLUG, World};

async fn exchange(world: &World, code: &str) -> Response {
    let form = [("grant_type", "authorization_code"), ("code", code), ("client_secret", CLIENT_SECRET)];
    world.http.post(world.url("/oauth/token")).form(&form).send().await.unwrap()
}

/// An install, and the add-on's token for it.
async fn installed(world: &World) -> (Install, String) {
    let install = world.sandbox.provision("basic").await;
    let token: Value = exchange(world, install.grant().code()).await.json().await.unwrap();
    (install, token["access_token"].as_str().unwrap().to_owned())
}

fn call(world: &World, method: &str, path: &str, token: &str) -> RequestBuilder {
    let call = world.http.request(method.parse().unwrap(), world.url(path)).bearer_auth(token);
    call.header("accept", "application/vnd.heroku+json; version=3").header("user-agent", "lantern/1.0")
}

#[tokio::test]
async fn a_grant_is_good_once() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    let grant = install.grant();
    let token: Value = exchange(&world, grant.code()).await.json().await.unwrap();
    assert_eq!((&token["token_type"], token["expires_in"].is_number()), (&json!("Bearer"), true));
    assert!(exchange(&world, grant.code()).await.status().is_client_error());
    assert!(world.blamed().await.contains(&"heroku.platform.exchange-once".to_owned()));
}

#[tokio::test]
async fn a_token_reads_and_changes_its_own_add_on() {
    let world = World::new().await;
    let (install, token) = installed(&world).await;
    let at = format!("/addons/{}", install.uuid());
    let addon: Value = call(&world, "GET", &at, &token).send().await.unwrap().json().await.unwrap();
    assert_eq!((&addon["name"], &addon["state"]), (&json!(install.name()), &json!("provisioned")));
    let change = json!({ "config": [{ "name": "LANTERN_URL", "value": "https://lantern.example/new" }] });
    let changed = call(&world, "PATCH", &format!("{at}/config"), &token).json(&change).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    let (_, vars) = world.customer("GET", &format!("/apps/{}/config-vars", install.app()), Value::Null).await;
    assert_eq!(vars, json!({ "LANTERN_URL": "https://lantern.example/new" }));

    let (other, _) = installed(&world).await;
    let foreign = call(&world, "GET", &format!("/addons/{}", other.uuid()), &token).send().await.unwrap();
    assert!(foreign.status().is_client_error(), "{}", foreign.status());
    let problem: Value = foreign.json().await.unwrap();
    assert!(problem["id"].is_string() && problem["message"].is_string(), "{problem}");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::new().await;
    let (install, token) = installed(&world).await;
    for app in ["a", "b", "c"] {
        install.attach(app, "LAMP");
    }
    let path = format!("/addons/{}/addon-attachments", install.uuid());
    let (mut range, mut found, mut pages) = ("id ..; max=3".to_owned(), Vec::new(), Vec::new());
    loop {
        let page = call(&world, "GET", &path, &token).header("range", &range).send().await.unwrap();
        pages.push(page.status().as_u16());
        let next = page.headers().get("next-range").map(|next| next.to_str().unwrap().to_owned());
        found.extend(page.json::<Vec<Value>>().await.unwrap());
        match next {
            Some(next) => range = next,
            None => break,
        }
    }
    assert_eq!((pages, found.len()), (vec![206, 200], 4));
}

#[tokio::test]
async fn who_asks_too_often_has_to_wait() {
    let world = World::new().await;
    world.sandbox.platform().change(|settings| settings.rate_limit = 3);
    let (install, token) = installed(&world).await;
    let at = format!("/addons/{}", install.uuid());
    let mut seen = Vec::new();
    for _ in 0..4 {
        let answer = call(&world, "GET", &at, &token).send().await.unwrap();
        let left = answer.headers()["ratelimit-remaining"].to_str().unwrap().to_owned();
        seen.push((answer.status().as_u16(), left));
    }
    let expected = [(200, "2"), (200, "1"), (200, "0"), (429, "0")];
    assert_eq!(seen, expected.map(|(status, left)| (status, left.to_owned())));
    world.click("/sandbox/clock", &[("minutes", "1")]).await;
    assert_eq!(call(&world, "GET", &at, &token).send().await.unwrap().status(), 200, "the pool fills with time");
}

#[tokio::test]
async fn another_version_of_the_api_is_not_to_be_had() {
    let world = World::new().await;
    let (install, token) = installed(&world).await;
    let call = world.http.get(world.url(&format!("/addons/{}", install.uuid()))).bearer_auth(token);
    assert_eq!(call.header("accept", "*/*").send().await.unwrap().status(), 406);
    assert!(world.blamed().await.contains(&"heroku.platform.accept".to_owned()));
}

#[tokio::test]
async fn the_list_of_installs_takes_the_manifests_password() {
    let world = World::new().await;
    let (install, _) = installed(&world).await;
    let list = |authorization: String| world.http.get(world.url("/api/v3/apps")).header("authorization", authorization);
    let listed: Value = list(sign::basic(SLUG, PASSWORD)).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed[0]["resource"]["uuid"], install.uuid());
    assert_eq!(list(sign::basic(SLUG, "wrong")).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn an_app_shows_who_works_on_it() {
    let world = World::new().await;
    let (install, token) = installed(&world).await;
    let app = install.app();
    let get = async |path: &str| {
        let answer = call(&world, "GET", path, &token).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json::<Value>().await.unwrap()
    };
    assert_eq!(get(&format!("/apps/{app}")).await["name"], *app);
    assert!(get(&format!("/apps/{app}/collaborators")).await[0]["user"]["email"].is_string());
}
