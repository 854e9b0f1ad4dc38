use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use maitre_testkit::{Heroku, Reply};
use serde_json::Value;

use crate::run::{Folder, answering};

/// Running `maitre sandbox`.
struct RunningSandbox {
    process: Child,
    banner: String,
    api: String,
    lines: Lines<BufReader<ChildStdout>>,
}

impl RunningSandbox {
    fn open(folder: &Folder, arguments: &[&str]) -> Self {
        Self::open_at(folder, "0", arguments)
    }

    fn open_at(folder: &Folder, port: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maitre"));
        command
            .env("BROWSER", "./browser")
            .current_dir(&folder.0)
            .args(["sandbox", "--port", port, "--plan", "basic"])
            .args(arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut banner = String::new();
        while !banner.contains("Ctrl-C") {
            banner += &(lines.next().expect("a banner").unwrap() + "\n");
        }
        let api = banner.lines().find_map(|line| line.trim_start().strip_prefix("API "));
        let api = api.and_then(|line| line.split(',').next()).unwrap_or_default().trim().to_owned();
        Self { process, banner, api, lines }
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> Reply {
        let heroku = Heroku::new(&self.api, "lantern", "x", "x");
        let call = heroku.raw(method, &format!("{}{path}", self.api)).authorization("Bearer sandbox");
        call.header("content-type", "application/json").body(body.as_bytes().to_vec()).send().await
    }

    /// Sends SIGINT, as Ctrl-C does. Returns the exit status.
    fn stop(mut self) -> i32 {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.process.wait().unwrap().code().unwrap()
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn the_sandbox_provisions_keeps_its_state_and_replays() {
    let (origin, requests) = answering("200 OK", r#"{"id":"7","config":{"LANTERN_URL":"https://lantern.example/7"}}"#);
    let folder = Folder::with_manifest("http://localhost:1");
    let sandbox =
        RunningSandbox::open(&folder, &["--url", &origin, "--state-file", "sandbox.db", "--option", "size=3"]);
    assert!(sandbox.banner.contains("  Web page  http://localhost:"), "{}", sandbox.banner);
    assert!(sandbox.banner.contains(&format!("  Add-on    {origin}/heroku/resources\n")), "{}", sandbox.banner);
    let page = sandbox.call("GET", "/", "").await.expect(200).text();
    assert!(page.contains(&format!("<code>{origin}</code>")), "the add-on is at the address of --url");

    let body = r#"{"plan":{"name":"lantern:basic"}}"#;
    let addon: Value = sandbox.call("POST", "/apps/shop/addons", body).await.expect(201).json();
    assert_eq!(addon["state"], "provisioned");
    let (_, _, sent) = requests.iter().find(|(line, _, _)| line == "POST /heroku/resources HTTP/1.1").unwrap();
    assert!(sent.contains(r#""options":{"size":"3"}"#), "{sent}");
    let recording = sandbox.call("GET", "/sandbox/export.json?secrets=true", "").await.expect(200).text();
    assert_eq!(sandbox.stop(), 0);

    // a restart keeps the state
    let sandbox = RunningSandbox::open(&folder, &["--url", &origin, "--state-file", "sandbox.db"]);
    let listed: Value = sandbox.call("GET", "/addons", "").await.expect(200).json();
    assert_eq!(listed[0]["name"], addon["name"]);
    assert_eq!(sandbox.stop(), 0);

    std::fs::write(folder.0.join("recording.json"), recording).unwrap();
    let (code, stdout, _) = folder.run(&["sandbox", "--url", &origin, "--replay", "recording.json"]);
    assert_eq!((code, stdout.as_str()), (0, "same Provision basic: 200\n"));
    let (other, _requests) = answering("503 Busy", "{}");
    let (code, stdout, _) = folder.run(&["sandbox", "--url", &other, "--replay", "recording.json"]);
    assert_eq!((code, stdout.as_str()), (1, "different Provision basic: was 200, is 503\n"));
}

#[tokio::test]
async fn each_call_is_printed_as_one_line_with_its_problems() {
    let (origin, _requests) = answering("200 OK", r#"{"id":"7","config":{"LANTERN_URL":7}}"#);
    let folder = Folder::with_manifest("http://localhost:1");
    let mut sandbox = RunningSandbox::open(&folder, &["--url", &origin]);
    let body = r#"{"name":"lantern-7","plan":{"name":"lantern:basic"}}"#;
    sandbox.call("POST", "/apps/shop/addons", body).await.expect(201);
    let mut lines: Vec<String> = Vec::new();
    while !lines.iter().any(|line| line.contains("POST /apps/shop/addons")) {
        lines.push(sandbox.lines.next().unwrap().unwrap());
    }
    let provision = lines.iter().position(|line| line.contains("Heroku → lantern")).unwrap();
    let words: Vec<_> = lines[provision].split_whitespace().skip(4).collect();
    assert_eq!((words[0], words[2]), ("200", "ms"), "{lines:#?}");
    assert!(lines[provision].ends_with("Provision basic  (lantern-7)"), "{lines:#?}");
    assert!(
        lines[provision + 1].trim_start().starts_with("! ") && lines[provision + 1].contains("heroku."),
        "{lines:#?}"
    );

    let mut quiet = RunningSandbox::open(&folder, &["--url", &origin, "--quiet"]);
    quiet.call("GET", "/addons", "").await.expect(200);
    quiet.process.kill().unwrap();
    let printed: Vec<_> = quiet.lines.by_ref().map_while(Result::ok).filter(|line| !line.is_empty()).collect();
    assert_eq!(printed, Vec::<String>::new());
}

#[tokio::test]
async fn a_manifest_is_pushed_compared_and_pulled() {
    let folder = Folder::with_manifest("http://localhost:1");
    let sandbox = RunningSandbox::open(&folder, &[]);
    let run = |arguments: &[&str], key: &str| {
        let env = [("HEROKU_HOST", sandbox.api.as_str()), ("HEROKU_API_KEY", key)];
        folder.run_with(&[&["manifest"], arguments].concat(), &env, "")
    };
    let (code, stdout, _) = run(&["diff"], "sandbox");
    assert_eq!((code, stdout), (0, format!("addon-manifest.json equals the manifest at {}.\n", sandbox.api)));

    let file = folder.0.join("addon-manifest.json");
    let mut manifest: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    manifest["api"]["regions"] = serde_json::json!(["us", "eu"]);
    manifest["api"]["password"] = "an0ther-s3cr3t-example".into();
    std::fs::write(&file, manifest.to_string()).unwrap();
    let (code, stdout, _) = run(&["diff"], "sandbox");
    assert_eq!(code, 1);
    assert_eq!(stdout, "- api.password: (secret)\n+ api.password: (secret)\n+ api.regions[1]: \"eu\"\n");
    assert_eq!(run(&["pull", "lantern"], "sandbox").0, 2, "a changed file is not overwritten");
    let (code, stdout, stderr) = run(&["push"], "sandbox");
    assert_eq!(
        (code, stdout),
        (0, format!("addon-manifest.json is now the manifest at {}.\n", sandbox.api)),
        "{stderr}"
    );
    assert_eq!(run(&["diff"], "sandbox").0, 0);
    assert!(run(&["pull", "lantern", "-o", "pulled.json"], "sandbox").1.starts_with("Created pulled.json."));
    assert_eq!(run(&["pull", "lantern", "-o", "pulled.json"], "sandbox").1, "pulled.json is current.\n");

    manifest["api"]["version"] = 3.into();
    std::fs::write(&file, manifest.to_string()).unwrap();
    let rows: [(&[&str], &str, &str); 4] = [
        (&["push"], "sandbox", "answered 422: api.version: "),
        (&["diff"], "wrong", "answered 401: Invalid credentials provided."),
        (&["pull", "candle", "-o", "candle.json"], "sandbox", "answered 404: Couldn't find that add-on."),
        (&["pull", "../x"], "sandbox", "is not the slug of an add-on"),
    ];
    for (arguments, key, message) in rows {
        let (code, _, stderr) = run(arguments, key);
        assert!(code == 2 && stderr.contains(message), "{arguments:?}: {code} {stderr}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_page_is_opened_in_the_users_browser() {
    let folder = Folder::with_manifest("http://localhost:1");
    let browser = folder.0.join("browser");
    std::fs::write(&browser, "#!/bin/sh\necho \"$1\" > part && mv part opened\n").unwrap();
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let sandbox = RunningSandbox::open(&folder, &["--open"]);
    let opened = loop {
        match std::fs::read_to_string(folder.0.join("opened")) {
            Ok(url) => break url,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    };
    assert!(sandbox.banner.contains(&format!("  Web page  {opened}")), "{} {opened}", sandbox.banner);
}

#[tokio::test]
async fn a_taken_port_is_replaced_by_the_next_free_port() {
    let folder = Folder::with_manifest("http://localhost:1");
    let first = RunningSandbox::open(&folder, &[]);
    let port: u16 = first.api.rsplit(':').next().unwrap().parse().unwrap();
    let second = RunningSandbox::open_at(&folder, &port.to_string(), &[]);
    let next: u16 = second.api.rsplit(':').next().unwrap().parse().unwrap();
    assert!(next > port, "{next}");
    let notice = format!("Port {port} is taken by another program: using port {next}.\n");
    assert!(second.banner.starts_with(&notice), "{}", second.banner);
    second.call("GET", "/addons", "").await.expect(200);
}

#[test]
fn a_sandbox_that_cannot_start_exits_with_status_2_and_a_message() {
    let folder = Folder::new();
    let (code, _, stderr) = folder.run(&["sandbox"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("cannot read addon-manifest.json") && stderr.contains("maitre manifest new"), "{stderr}");

    let folder = Folder::with_manifest("http://localhost:1");
    for (arguments, message) in [
        (["--url", "https://lantern.example"], "not this machine"),
        (["--plan", "Très cher"], "is not a plan"),
        (["--chaos", "150%"], "is not a percentage"),
    ] {
        let (code, _, stderr) = folder.run(&[&["sandbox", "--port", "0"], &arguments[..]].concat());
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
}

#[tokio::test]
async fn another_marketplace_has_its_own_manifest_and_api() {
    let folder = Folder::new();
    let settings = r#"{ "app_slug": "tamarind", "password": "development-password", "salt": "kelp-salt" }"#;
    std::fs::write(folder.0.join("digitalocean.json"), settings).unwrap();
    let sandbox = RunningSandbox::open(
        &folder,
        &["--marketplace", "digitalocean", "--manifest", "digitalocean.json", "--url", "http://127.0.0.1:9"],
    );
    assert!(sandbox.banner.contains("in place of https://api.digitalocean.com/v2\n"), "{}", sandbox.banner);
    assert!(sandbox.banner.contains("http://127.0.0.1:9/digitalocean/resources\n"), "{}", sandbox.banner);
    assert!(!sandbox.banner.to_lowercase().contains("heroku"), "{}", sandbox.banner);
    assert_eq!(sandbox.call("GET", "/apps", "").await.status(), 404, "customers have no API");
    assert_eq!(sandbox.call("POST", "/add-ons/oauth/token", "{}").await.status(), 401);
    assert_eq!(sandbox.stop(), 0);
}

#[test]
fn a_marketplace_without_a_manifest_takes_credentials() {
    let folder = Folder::new();
    let credentials = ["--user", "pomelo", "--password", "development-password", "--jwt-secret", "secret"];
    let arguments = [&["--marketplace", "quicknode", "--url", "http://127.0.0.1:9"][..], &credentials].concat();
    let sandbox = RunningSandbox::open(&folder, &arguments);
    assert!(sandbox.banner.contains("http://127.0.0.1:9/quicknode/provision\n"), "{}", sandbox.banner);
    assert!(sandbox.api.is_empty(), "{}", sandbox.banner);
    assert_eq!(sandbox.stop(), 0);

    let broker =
        ["--marketplace", "osb", "--url", "http://127.0.0.1:9/osb", "--user", "pomelo", "--password", "secret"];
    let sandbox = RunningSandbox::open(&folder, &broker);
    assert!(sandbox.banner.contains("http://127.0.0.1:9/osb/v2\n"), "{}", sandbox.banner);
    assert_eq!(sandbox.stop(), 0);

    let integration = ["--marketplace", "vercel", "--url", "http://127.0.0.1:9", "--integration", "oac_1"];
    let sandbox = RunningSandbox::open(&folder, &[&integration[..], &["--product", "pomelo"]].concat());
    assert!(sandbox.banner.contains("in place of https://api.vercel.com"), "{}", sandbox.banner);
    assert_eq!(sandbox.stop(), 0);
}
