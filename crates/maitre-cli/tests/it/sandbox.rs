use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use maitre_testkit::{Heroku, Reply};
use serde_json::Value;

use crate::run::{Folder, answering};

/// Running `maitre sandbox`.
struct RunningSandbox {
    process: Child,
    banner: String,
    api: String,
}

impl RunningSandbox {
    fn open(folder: &Folder, arguments: &[&str]) -> Self {
        Self::open_at(folder, "0", arguments)
    }

    fn open_at(folder: &Folder, port: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maitre"));
        command.current_dir(&folder.0).args(["sandbox", "--port", port, "--plan", "basic"]).args(arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut banner = String::new();
        while !banner.contains("Ctrl-C") {
            banner += &(lines.next().expect("a banner").unwrap() + "\n");
        }
        let api = banner.split("HEROKU_HOST=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        Self { process, banner, api }
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
    assert!(sandbox.banner.contains("The marketplace is running at http://localhost:"), "{}", sandbox.banner);
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
