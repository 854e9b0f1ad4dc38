//! Untrusted input and cross-site requests: foreign scripts do not run, and foreign requests have no effect.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Html;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use maitre_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Browser, RunningSandbox};
use crate::support::Server;

/// Markup that runs a script if it is not escaped.
const SCRIPT: &str = "\"'></code></textarea><script>owned = 1</script><img src=x onerror='owned = 2'><a href='javascript:owned=3'>go</a>";

/// Add-on that replies with scripts, and a sandbox whose manifest contains more of them.
struct Hostile {
    sandbox: RunningSandbox,
    addon: Server,
}

impl Hostile {
    async fn start() -> Self {
        let answer = || async {
            let config = json!({ "EVIL_URL": SCRIPT, "EVIL_LINK": "javascript:owned=4" });
            let headers = [("x-evil", "<script>owned = 5</script>")];
            (
                headers,
                Json(
                    json!({ "id": SCRIPT, "message": SCRIPT, "config": config, "log_drain_url": "javascript:owned=6" }),
                ),
            )
        };
        let front =
            |headers: HeaderMap| async move { Html(format!("<title>in</title>{}", headers.contains_key("origin"))) };
        let app = Router::new()
            .route("/heroku/resources", post(answer))
            .route("/heroku/resources/{id}", delete(answer).put(answer))
            .route("/in", post(front))
            .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
            .route("/evil", get(|| async { Html("<title>a page of another site</title><body></body>") }));
        let addon = Server::start(app).await;
        let manifest = json!({ "id": "evil", "name": SCRIPT, "api": {
            "version": "3", "password": "long-enough-password", "sso_salt": "long-enough-sso-salt", "regions": ["us", SCRIPT],
            "config_vars": ["EVIL_URL", "EVIL_LINK", SCRIPT], "config_vars_prefix": "EVIL", "requires": ["many_per_app", "attachable", SCRIPT],
            "test": { "base_url": addon.url("/heroku/resources"), "sso_url": addon.url("/in") },
        } });
        Self { sandbox: RunningSandbox::start(Sandbox::builder(&manifest.to_string()).unwrap()).await, addon }
    }

    /// Returns `localhost:port`.
    fn authority(&self) -> String {
        self.sandbox.url("").trim_start_matches("http://").to_owned()
    }

    fn installs(&self) -> usize {
        self.sandbox.platform().installs().len()
    }

    /// Sends these lines unchanged and returns the whole response.
    async fn raw(&self, lines: &[&str], body: &str) -> String {
        let port = self.authority().rsplit(':').next().unwrap().to_owned();
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
        let head = lines.join("\r\n");
        let request = format!("{head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        tokio::time::timeout(std::time::Duration::from_secs(20), read).await.expect("a complete response").unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Posts a form with the page's own origin.
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, HeaderMap, String) {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let reply =
            client.post(self.sandbox.url(path)).header("origin", self.sandbox.url("")).form(form).send().await.unwrap();
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        (status, headers, reply.text().await.unwrap())
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

async fn assert_no_script_ran(browser: &Browser, page: &str) {
    let owned = browser.run("return typeof owned === 'undefined' ? null : owned").await;
    assert_eq!(owned, Value::Null, "a script ran on {page}");
    let links = browser.run("return [...document.querySelectorAll('a, form, use, iframe, img')].filter((it) => /^\\s*javascript:/i.test(it.getAttribute('href') ?? it.getAttribute('action') ?? it.getAttribute('src') ?? '')).length").await;
    assert_eq!(links, 0, "a link to a script on {page}");
    browser.assert_no_errors().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_in_names_replies_and_config_vars_are_shown_as_text() {
    let (hostile, browser) = tokio::join!(Hostile::start(), Browser::start());
    browser.open(&hostile.sandbox.url("/")).await;
    browser.sees("#live", "live").await;
    browser.sees("#addon-title", "<script>owned = 1</script>").await;
    // a script that arrives while the page is open and is rendered by the page's own script
    browser.click("#install-form button[type=submit]").await;
    browser.sees(".install .message", "<img src=x").await;
    browser.sees("#lines", "Provision test").await;
    browser.click(".install .config a").await;
    browser.sees(".install .config.open", "javascript:owned=4").await;
    browser.click("#lines li:last-child summary").await;
    browser.sees("#lines .raw", "owned = 5").await;
    browser.click("#lines .raw a[data-swap]").await;
    browser.sees("#lines .raw", "Mask secrets").await;
    assert_no_script_ran(&browser, "the open page").await;
    for path in [
        "/",
        "/sandbox/exchanges/1",
        "/sandbox/exchanges/1?secrets=shown",
        "/sandbox/exchanges/1/edit",
        "/sandbox/exchanges/1/raw",
        "/sandbox/timeline",
        "/sandbox/installs",
        "/sandbox/panel",
        "/?install=%22%3E%3Cscript%3Eowned=7%3C/script%3E&only=%3Cscript%3Eowned=7%3C/script%3E",
        "/?before=1&page=18446744073709551615&removed=%22%3E%3Cscript%3Eowned=8%3C/script%3E",
    ] {
        browser.open(&hostile.sandbox.url(path)).await;
        assert_no_script_ran(&browser, path).await;
    }
    // missing pages are reported in the console
    for path in [
        "/sandbox/checks/%3Cscript%3Eowned=9%3C%2Fscript%3E",
        "/%3Cscript%3Eowned=9%3C/script%3E",
        "/sandbox/exchanges/999",
    ] {
        browser.open(&hostile.sandbox.url(path)).await;
        let _ = browser.console_errors().await;
        assert_no_script_ran(&browser, path).await;
    }
    // also on the way to the dashboard
    browser.open(&hostile.sandbox.url("/")).await;
    browser.click(".install .actions form[target] button").await;
    browser.switch_to_tab(2).await;
    browser.until("the form reached the add-on", "return document.title === 'in'").await;
    assert_no_script_ran(&browser, "the way to the dashboard").await;
}

#[tokio::test]
async fn invalid_names_and_plans_are_refused() {
    let hostile = Hostile::start().await;
    for app in [
        SCRIPT,
        "../../etc/passwd",
        "shop\r\nset-cookie: a=b",
        "shop\0",
        "javascript:alert(1)",
        "Ünlaut",
        &"a".repeat(5_000),
    ] {
        let (status, headers, body) = hostile.post("/sandbox/installs", &[("plan", "test"), ("app", app)]).await;
        assert_eq!(status, 422, "{app:?}");
        assert!(!body.contains("<script>owned") && headers.get("set-cookie").is_none(), "{app:?}");
    }
    for plan in [SCRIPT, "test\r\nx: y", "../test", ""] {
        let (status, _, body) = hostile.post("/sandbox/installs", &[("plan", plan)]).await;
        assert_eq!((status, body.contains("<script>owned")), (422, false), "{plan:?}");
    }
    assert!(
        Sandbox::builder("{\"id\":\"evil\"}").is_err()
            || Sandbox::builder("{\"id\":\"evil\"}").unwrap().plans([SCRIPT]).is_err()
    );
    assert_eq!(hostile.installs(), 0);

    // the customer API replies with JSON, which a browser does not render
    let body = json!({ "plan": { "name": format!("evil:{SCRIPT}") }, "name": SCRIPT }).to_string();
    let host = format!("host: {}", hostile.authority());
    let lines =
        ["POST /apps/shop/addons HTTP/1.1", &host, "authorization: Bearer sandbox", "content-type: application/json"];
    let answer = hostile.raw(&lines, &body).await.to_lowercase();
    assert!((400..500).contains(&status(&answer)), "{answer}");
    assert!(answer.contains("content-type: application/json"), "{answer}");
    assert_eq!(hostile.installs(), 0);
}

#[tokio::test]
async fn path_traversal_is_rejected() {
    let hostile = Hostile::start().await;
    hostile.sandbox.provision("test").await;
    let host = format!("host: {}", hostile.authority());
    for path in [
        "/../../../../etc/passwd",
        "/sandbox/../../etc/passwd",
        "/sandbox/%2e%2e/%2e%2e/etc/passwd",
        "/sandbox/style.css/../../../Cargo.toml",
        "/sandbox/checks/..%2f..%2f..%2fetc%2fpasswd",
        "/sandbox/exchanges/..%2f1",
        "/sandbox/exchanges/-1",
        "/sandbox/exchanges/99999999999999999999999",
        "/sandbox/exchanges/1%00/raw",
        "/sandbox/installs/%00%ff%fe/config",
        "/sandbox/installs/' OR 1=1 --/config",
        "//evil.example/",
        "/\\evil.example/",
        "/sso/apps/..%2f..%2f/addons/%3Cscript%3E",
        "http://evil.example/",
    ] {
        let answer = hostile.raw(&[&format!("GET {path} HTTP/1.1"), &host], "").await;
        let status = status(&answer);
        assert!((400..500).contains(&status), "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.to_lowercase().contains("location:"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_rejected() {
    let hostile = Hostile::start().await;
    let own = format!("host: {}", hostile.authority());
    // DNS rebinding: a foreign host name that resolves to this machine
    for host in [
        "evil.example",
        "localhost.evil.example:8400",
        "127.0.0.1.evil.example",
        "evil.example:80@localhost",
        "",
        "2130706433",
    ] {
        for path in ["/", "/sandbox/events", "/sandbox/export.json", "/apps/shop/config-vars"] {
            let lines = [&*format!("GET {path} HTTP/1.1"), &*format!("host: {host}"), "authorization: Bearer sandbox"];
            let answer = hostile.raw(&lines, "").await;
            assert!(matches!(status(&answer), 400 | 421), "{host} {path}: {answer}");
            assert!(!answer.contains("long-enough-password"));
        }
    }
    let port = own.rsplit(':').next().unwrap();
    let neighbor = format!("http://127.0.0.1:{port}1");
    let https = own.replace("host: ", "https://");
    for origin in ["https://evil.example", "null", &neighbor, &https, "http://localhost", "file://", "javascript:1"] {
        let origin = format!("origin: {origin}");
        for line in [
            "POST /sandbox/installs HTTP/1.1",
            "POST /oauth/token HTTP/1.1",
            "GET /sandbox/events HTTP/1.1",
            "GET /sandbox/export.har HTTP/1.1",
        ] {
            let lines = [line, &own, &origin, "content-type: application/x-www-form-urlencoded"];
            let answer = hostile.raw(&lines, "plan=test").await;
            assert_eq!(status(&answer), 403, "{origin}, {line}: {answer}");
            assert!(!answer.to_lowercase().contains("access-control-allow"), "{answer}");
        }
    }
    assert_eq!(hostile.installs(), 0);
}

#[tokio::test]
async fn form_values_cannot_add_headers_or_change_the_host() {
    let hostile = Hostile::start().await;
    hostile.sandbox.provision("test").await;
    let sent = |path: &str, headers: &str| {
        let form = [("method", "POST"), ("path", path), ("headers", headers), ("body", "{}")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let hostile = &hostile;
        async move {
            let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            hostile.post("/sandbox/exchanges/1/send-with", &form).await
        }
    };
    for path in ["@evil.example/", "//evil.example/\r\nx: y", "/a b", "/a\r\nhost: evil.example", "evil.example", ""] {
        let (status, _, _) = sent(path, "").await;
        assert_eq!(status, 422, "{path:?}");
    }
    for header in ["x y: z", "no colon", "x: a\u{0}b", "<script>: 1", ": empty"] {
        let (status, headers, _) = sent("/heroku/resources", header).await;
        assert!(status == 422 || status == 303, "{header:?}: {status}");
        assert!(headers.get("location").is_none_or(|place| place.to_str().unwrap().starts_with("/sandbox/exchanges/")));
    }
    let method =
        hostile.post("/sandbox/exchanges/1/send-with", &[("method", "GET / HTTP/1.1\r\nx: y"), ("path", "/")]).await;
    assert!(matches!(method.0, 303 | 422), "{}", method.0);
    let lines = hostile.sandbox.url("/sandbox/timeline");
    assert!(
        reqwest::Client::builder().no_proxy().build().unwrap().get(lines).send().await.unwrap().status().is_success()
    );
}

#[test]
fn script_and_file_urls_in_a_manifest_are_rejected() {
    for url in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,hello",
        "ftp://127.0.0.1/",
        "http://127.0.0.1:1/\r\nx: y",
    ] {
        for place in ["base_url", "sso_url"] {
            let mut at =
                json!({ "base_url": "http://127.0.0.1:1/heroku/resources", "sso_url": "http://127.0.0.1:1/in" });
            at[place] = json!(url);
            let manifest = json!({ "id": "evil", "api": { "password": "p", "sso_salt": "s", "test": at } }).to_string();
            let opened = Sandbox::builder(&manifest).and_then(maitre_sandbox::SandboxBuilder::open);
            assert!(opened.is_err(), "{place} {url} was accepted");
        }
    }
}

/// Cross-site attacks from a page in the same browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_can_neither_act_nor_read_nor_frame() {
    let (hostile, browser) = tokio::join!(Hostile::start(), Browser::start());
    hostile.sandbox.provision("test").await;
    let (sandbox, market) = (hostile.sandbox.platform().clone(), hostile.sandbox.url(""));
    let uuid = sandbox.installs()[0].uuid().to_owned();
    for evil in [hostile.addon.url("/evil"), hostile.addon.url("/evil").replace("127.0.0.1", "localhost")] {
        let paths = [
            ("/sandbox/installs".to_owned(), "plan=test"),
            (format!("/sandbox/installs/{uuid}/remove"), ""),
            ("/sandbox/clock".to_owned(), "minutes=720"),
            ("/sandbox/exchanges/1/send".to_owned(), "times=2"),
        ];
        for (path, form) in paths {
            // classic cross-site request forgery by a form
            browser.open(&evil).await;
            let script = format!(
                "const form = document.createElement('form'); form.method = 'post'; form.action = '{market}{path}';
                 for (const [name, value] of new URLSearchParams('{form}')) {{
                   const field = document.createElement('input'); field.name = name; field.value = value; form.append(field);
                 }}
                 document.body.append(form); form.submit();"
            );
            browser.run(&script).await;
            browser
                .until(
                    "the request is rejected",
                    "return document.body?.innerText.includes('cross-site request refused')",
                )
                .await;
        }
        browser.open(&evil).await;
        let script = format!(
            "const tried = [];
             const ways = [['GET', '/sandbox/export.json', {{}}], ['POST', '/sandbox/installs', {{ body: new URLSearchParams('plan=test') }}],
                ['POST', '/sandbox/installs', {{ mode: 'no-cors', body: new URLSearchParams('plan=test') }}],
                ['GET', '/sandbox/export.json', {{ mode: 'no-cors' }}]];
             return (async () => {{
               for (const [method, path, more] of ways) {{
                 try {{ tried.push(await (await fetch('{market}' + path, {{ method, ...more }})).text()); }} catch {{ tried.push('refused'); }}
               }}
               tried.push(await new Promise((done) => {{
                 const source = new EventSource('{market}/sandbox/events');
                 source.onerror = () => {{ source.close(); done('refused'); }};
                 source.onopen = source.onmessage = () => {{ source.close(); done('it listens'); }};
               }}));
               tried.push(await new Promise((done) => {{
                 const frame = document.createElement('iframe');
                 frame.onload = () => {{ let text; try {{ text = frame.contentDocument?.body?.innerText; }} catch {{}} done(text ? 'it reads' : 'refused'); }};
                 frame.src = '{market}/'; document.body.append(frame);
               }}));
               tried.push(await new Promise((done) => {{
                 const script = document.createElement('script');
                 script.onload = () => done('it runs'); script.onerror = () => done('refused');
                 script.src = '{market}/sandbox/export.json'; document.body.append(script);
               }}));
               return tried;
             }})()"
        );
        let tried = browser.run(&script).await;
        let tried: Vec<_> = tried.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        // a no-cors fetch returns an opaque, empty text
        assert_eq!(tried, ["refused", "refused", "", "", "refused", "refused", "refused"], "from {evil}");
        let console_errors = browser.console_errors().await.join("\n");
        assert!(console_errors.contains("frame-ancestors"), "{console_errors}");
    }
    assert_eq!(hostile.installs(), 1);
    assert_eq!(sandbox.installs()[0].state(), maitre_testkit::platform::State::Provisioned);
    assert!((sandbox.clock().now() - time::OffsetDateTime::now_utc()).abs() < time::Duration::minutes(1));

    // a link from another site to the dashboard waits for a click
    browser.open(&hostile.addon.url("/evil")).await;
    browser.run(&format!("location.href = '{market}/sso/apps/{}/addons/{uuid}'", sandbox.installs()[0].app())).await;
    browser.sees("#sign-on button", "Open").await;
    browser.counts("script", 0).await;
}
