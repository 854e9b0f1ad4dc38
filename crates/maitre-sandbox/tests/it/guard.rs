//! Who is let in at all.

use serde_json::Value;

use crate::support::{World, manifest};

#[tokio::test]
async fn a_foreign_name_for_this_machine_is_not_answered() {
    let world = World::new().await;
    let port = world.serving.api_url().rsplit(':').next().unwrap().to_owned();
    for host in [format!("evil.example:{port}"), "127.0.0.1.evil.example".to_owned(), format!("10.0.0.1:{port}")] {
        for path in ["/", "/addons", "/sandbox/export.json", "/oauth/token"] {
            let call = world.heroku("GET", path).header("host", &host);
            assert_eq!(call.send().await.unwrap().status(), 421, "{host} {path}");
        }
    }
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        assert_eq!(world.http.get(world.url("/")).header("host", &host).send().await.unwrap().status(), 200, "{host}");
    }
    assert_eq!(world.journal().await, Vec::<Value>::new(), "and what was not answered is not written down");
}

#[tokio::test]
async fn a_name_that_was_allowed_is_answered() {
    let world = World::with(&manifest(), |setup| setup.allow_host("host.docker.internal")).await;
    let call = world.heroku("GET", "/addons").header("host", "host.docker.internal:7000");
    assert_eq!(call.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn another_sites_page_cannot_press_a_button() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    let at = format!("/sandbox/installs/{}", install.uuid());
    for origin in ["http://evil.example", "null", "http://localhost:1", "https://localhost"] {
        for path in [
            "/sandbox/installs",
            &format!("{at}/remove"),
            &format!("{at}/open"),
            "/sandbox/clock",
            "/sandbox/faults/clear",
        ] {
            let form = [("plan", "basic"), ("minutes", "60")];
            let post = world.http.post(world.url(path)).header("origin", origin).form(&form);
            assert_eq!(post.send().await.unwrap().status(), 403, "{origin} {path}");
        }
    }
    // a browser that sends no Origin still says where it comes from
    let post = world.http.post(world.url("/sandbox/installs")).header("sec-fetch-site", "cross-site");
    assert_eq!(post.form(&[("plan", "basic")]).send().await.unwrap().status(), 403);
    assert_eq!(world.shop.seen().len(), 1, "nothing was asked but what we asked");
}

#[tokio::test]
async fn the_page_allows_no_script_but_its_own_and_no_frame() {
    let world = World::new().await;
    for path in ["/", "/sandbox/checks/heroku.provision.id"] {
        let answer = world.http.get(world.url(path)).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn a_person_who_takes_a_wrong_turn_gets_a_page_and_a_program_an_error() {
    let world = World::new().await;
    let person = world.http.get(world.url("/nowhere")).header("sec-fetch-mode", "navigate").send().await.unwrap();
    assert_eq!(person.status(), 404);
    assert!(person.text().await.unwrap().contains("front page"));
    let program = world.http.get(world.url("/nowhere")).send().await.unwrap();
    assert!(program.status().is_client_error());
    assert_eq!(program.headers()["content-type"], "application/json");
}
