//! The example `saas` as a newcomer runs it: as a separate process with a database file.

mod process;

use std::io::Read;
use std::net::{Ipv6Addr, TcpListener};
use std::process::{Command, Stdio};

use maitre_testkit::{Browser, CloudControl, Heroku, Opperator};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::ledger::support::{Database, KEY};
use crate::support::Folder;
pub(crate) use process::{PASSWORD, SALT, Saas, installs};
use process::{command_with_own_secrets, refusal};

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
    assert_eq!(refused.expect(422).message(), "Tally has no plan named gold: choose test, basic or premium.");
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

#[tokio::test]
async fn the_plan_test_is_sold_with_the_limits_of_basic() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let heroku = saas.heroku();
    let uuid = heroku.new_uuid();
    let provisioned = heroku.provision("test").uuid(&uuid).await.expect(200).message();
    assert_eq!(provisioned, "Tally is ready. Your plan includes 10 counters.");
    heroku.plan_change(&uuid, "premium").await.expect(200);
    heroku.plan_change(&uuid, "test").await.expect(200);
}

#[tokio::test]
async fn localhost_is_served_at_both_loopback_addresses() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let port = saas.origin.rsplit(':').next().unwrap();
    let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    for (host, is_served) in [("127.0.0.1", true), ("[::1]", has_ipv6)] {
        let response = reqwest::get(format!("http://{host}:{port}/")).await;
        assert_eq!(response.is_ok_and(|response| response.status() == 200), is_served, "{host}");
    }

    let mut command = Saas::command(&folder.0);
    command.env("HOST", "127.0.0.1");
    let saas = Saas::start_by(command);
    let port = saas.origin.rsplit(':').next().unwrap();
    assert!(reqwest::get(format!("http://[::1]:{port}/")).await.is_err(), "only the given address is served");
}

#[test]
fn a_port_that_another_program_uses_at_one_loopback_address_is_an_error() {
    let folder = Folder::new();
    for address in ["127.0.0.1", "::1"] {
        let Ok(taken) = TcpListener::bind((address, 0)) else { continue };
        let address = taken.local_addr().unwrap();
        let stderr = refusal(Saas::command(&folder.0).env("PORT", address.port().to_string()));
        let message = format!("cannot listen on {address}: choose another HOST or PORT");
        assert!(stderr.contains(&message), "{stderr}");
    }
}

#[test]
fn a_public_address_is_rejected_with_the_repositorys_secrets() {
    let folder = Folder::new();
    for (setting, value) in [("HOST", "0.0.0.0"), ("PUBLIC_URL", "https://tally.example")] {
        let stderr = refusal(Saas::command(&folder.0).env(setting, value));
        let message = "api.password in ADDON_MANIFEST is a public secret from the repository";
        assert!(stderr.contains(message) && stderr.contains(&format!("{setting}={value}")), "{stderr}");
        assert!(!stderr.contains(PASSWORD), "{stderr}");
    }
    let mut command = command_with_own_secrets(&folder);
    command.env("PUBLIC_URL", "https://tally.example").env("HEROKU_CLIENT_SECRET", "development-only-client-secret");
    let stderr = refusal(&mut command);
    assert!(stderr.contains("HEROKU_CLIENT_SECRET is a public secret from the repository"), "{stderr}");
}

#[test]
fn a_public_url_is_an_origin_with_https() {
    let folder = Folder::new();
    for (url, message) in [
        ("http://tally.example", "PUBLIC_URL must begin with https://"),
        ("tally.example", "PUBLIC_URL must be an origin"),
        ("https://tally.example/path", "PUBLIC_URL must be an origin"),
    ] {
        let stderr = refusal(Saas::command(&folder.0).env("PUBLIC_URL", url));
        assert!(stderr.contains(message), "{stderr}");
    }
}

#[tokio::test]
async fn the_session_cookie_of_a_public_address_is_secure_and_bound_to_the_host() {
    let folder = Folder::new();
    let mut command = command_with_own_secrets(&folder);
    command.env("PUBLIC_URL", "https://tally.example/");
    let saas = Saas::start_by(command);
    let root = format!("{}/heroku", saas.origin);
    let heroku = Heroku::new(&root, "tally", "vendors-own-password", "vendors-own-sso-salt");
    let uuid = heroku.new_uuid();
    let provisioned = heroku.provision("basic").uuid(&uuid).await.expect(200).json();
    assert_eq!(provisioned["config"]["TALLY_URL"], "https://tally.example/counters");
    let reply = heroku.single_sign_on(&uuid).await;
    let set = reply.expect(302).headers().filter(|(name, _)| *name == "set-cookie").map(|(_, value)| value);
    let session = set.into_iter().find(|cookie| cookie.starts_with("__Host-tally=")).expect("a session cookie");
    let attributes: Vec<_> = session.split("; ").skip(1).collect();
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(attributes.contains(&attribute), "{attributes:?}");
    }
    assert!(!session.contains("Domain="), "{attributes:?}");
}

#[tokio::test]
async fn pages_have_security_headers() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    for (path, status) in [("/", 200), ("/dashboard", 403), ("/tally.css", 200)] {
        let page = reqwest::get(format!("{}{path}", saas.origin)).await.unwrap();
        assert_eq!(page.status(), status, "{path}");
        let header = |name| page.headers().get(name).unwrap_or_else(|| panic!("{name} of {path}")).to_str().unwrap();
        let policy = header("content-security-policy");
        for directive in ["default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.split("; ").any(|part| part == directive), "{policy}");
        }
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        let is_page = path != "/tally.css";
        let text = page.text().await.unwrap();
        assert!(!is_page || text.contains(r#"<link rel="stylesheet" href="/tally.css">"#), "{text}");
        assert!(!text.contains("<style"), "the policy does not allow inline styles: {text}");
    }
}

#[tokio::test]
async fn every_error_of_the_api_is_a_json_object_with_a_message() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let provisioned = saas.heroku().provision("basic").await.expect(200).json();
    let bearer = format!("Bearer {}", provisioned["config"]["TALLY_TOKEN"].as_str().unwrap());
    let long = format!("/counters/{}", "x".repeat(101));
    let (valid, basic) = (bearer.as_str(), "Basic dGFsbHk6eA==");
    for (method, path, authorization, status) in [
        ("GET", "/counters", None, 401),
        ("GET", "/counters", Some("Bearer wrong"), 401),
        ("GET", "/counters", Some(basic), 401),
        ("POST", "/counters/visits", Some("garbage"), 401),
        ("POST", &long, Some(valid), 422),
        ("POST", "/counters/%ff", Some(valid), 422),
        ("POST", "/counters/a%00b", Some(valid), 422),
        ("GET", "/counters/visits", Some(valid), 405),
        ("DELETE", "/counters", Some(valid), 405),
        ("POST", "/counters/", Some(valid), 404),
        ("GET", "/nothing", None, 404),
    ] {
        let call = reqwest::Client::new().request(method.parse().unwrap(), format!("{}{path}", saas.origin));
        let call = authorization.into_iter().fold(call, |call, value| call.header("authorization", value));
        let response = call.send().await.unwrap();
        let (got, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        assert_eq!(got, status, "{method} {path}: {text}");
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path}: {text:?}"));
        assert!(body["message"].as_str().is_some_and(|message| message.ends_with('.')), "{body}");
        assert_eq!(headers.contains_key("www-authenticate"), status == 401, "{method} {path}");
        assert_eq!(headers.contains_key("allow"), status == 405, "{method} {path}");
    }
}

#[test]
fn connections_to_postgres_and_heroku_use_tls_by_default() {
    let folder = Folder::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://app@{}/tally?sslmode=require", server.local_addr().unwrap());
    let mut process = Saas::command(&folder.0).env("DATABASE_URL", url).env("MAITRE_KEY", KEY).spawn().unwrap();
    let mut request = [0; 8];
    let (mut connection, _) = server.accept().unwrap();
    connection.read_exact(&mut request).unwrap();
    let _ = process.kill();
    let _ = process.wait();
    assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47], "the SSLRequest of Postgres's protocol");

    let mut command = Saas::command(&folder.0);
    command.env("HEROKU_CLIENT_SECRET", "vendors-own-client-secret");
    Saas::start_by(command); // https://api.heroku.com
}

#[test]
fn an_address_of_herokus_api_that_would_not_be_used_is_rejected() {
    let folder = Folder::new();
    let api = "http://127.0.0.1:8400";
    let stderr = refusal(Saas::command(&folder.0).env("HEROKU_API", api));
    assert!(stderr.contains("HEROKU_API needs HEROKU_CLIENT_SECRET"), "{stderr}");

    let mut command = Saas::command_with_sandbox(&folder.0);
    command.env("SANDBOX_PORT", "0").env("HEROKU_CLIENT_SECRET", "x").env("HEROKU_API", api);
    let stderr = refusal(&mut command);
    assert!(stderr.contains("HEROKU_API cannot be used with the feature `sandbox`"), "{stderr}");
}

#[test]
fn a_taken_port_of_the_sandbox_is_replaced_by_the_next_free_port() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut command = Saas::command_with_sandbox(&folder.0);
    command.env("SANDBOX_PORT", port.to_string());
    let saas = Saas::start_by(command);
    let page = saas.greeting.split_whitespace().find(|word| word.starts_with("http://localhost:")).unwrap();
    let bound: u16 = page.rsplit(':').next().unwrap().parse().unwrap();
    assert!(bound > port, "{page}");
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
        saas.kill();

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
    assert_eq!(versions.fetch_one(&database.pool().await).await.unwrap(), 3);
}
