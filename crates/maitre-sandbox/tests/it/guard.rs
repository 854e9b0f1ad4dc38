//! Protection from other sites in the browser.

use serde_json::Value;

use crate::support::{Harness, manifest};

#[tokio::test]
async fn an_unknown_host_name_is_rejected() {
    let harness = Harness::new().await;
    let port = harness.serving.api_url().rsplit(':').next().unwrap().to_owned();
    for host in [format!("evil.example:{port}"), "127.0.0.1.evil.example".to_owned(), format!("10.0.0.1:{port}")] {
        for path in ["/", "/addons", "/sandbox/export.json", "/oauth/token"] {
            let call = harness.heroku("GET", path).header("host", &host);
            assert_eq!(call.send().await.unwrap().status(), 421, "{host} {path}");
        }
    }
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        assert_eq!(
            harness.http.get(harness.url("/")).header("host", &host).send().await.unwrap().status(),
            200,
            "{host}"
        );
    }
    assert_eq!(harness.journal().await, Vec::<Value>::new(), "rejected requests are not recorded");
}

#[tokio::test]
async fn an_allowed_host_name_is_accepted() {
    let harness = Harness::with(&manifest(), |setup| setup.allow_host("host.docker.internal")).await;
    let call = harness.heroku("GET", "/addons").header("host", "host.docker.internal:8400");
    assert_eq!(call.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn another_site_cannot_submit_a_form() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
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
            let post = harness.http.post(harness.url(path)).header("origin", origin).form(&form);
            assert_eq!(post.send().await.unwrap().status(), 403, "{origin} {path}");
        }
    }
    // without Origin, Sec-Fetch-Site still identifies a cross-site request
    let post = harness.http.post(harness.url("/sandbox/installs")).header("sec-fetch-site", "cross-site");
    assert_eq!(post.form(&[("plan", "basic")]).send().await.unwrap().status(), 403);
    assert_eq!(harness.addon.calls().len(), 1, "only the provision reached the add-on");
}

#[tokio::test]
async fn the_page_only_allows_its_own_script_and_cannot_be_framed() {
    let harness = Harness::new().await;
    for path in ["/", "/sandbox/checks/heroku.provision.id"] {
        let response = harness.http.get(harness.url(path)).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn an_unknown_path_returns_a_page_to_browsers_and_json_to_programs() {
    let harness = Harness::new().await;
    let browser = harness.http.get(harness.url("/nowhere")).header("sec-fetch-mode", "navigate").send().await.unwrap();
    assert_eq!(browser.status(), 404);
    assert!(browser.text().await.unwrap().contains("front page"));
    let program = harness.http.get(harness.url("/nowhere")).send().await.unwrap();
    assert!(program.status().is_client_error());
    assert_eq!(program.headers()["content-type"], "application/json");
}
