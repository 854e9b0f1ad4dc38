use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use maitre_testkit::{Heroku, Reply};
use serde_json::Value;

use crate::run::{Folder, answering};

/// The command while it serves.
struct Market {
    process: Child,
    /// What it said.
    greeting: String,
    api: String,
}

impl Market {
    fn open(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maitre"));
        command.current_dir(&folder.0).args(["sandbox", "--port", "0", "--plan", "basic"]).args(arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            greeting += &(lines.next().expect("it greets").unwrap() + "\n");
        }
        let api = greeting.split("HEROKU_HOST=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        Self { process, greeting, api }
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> Reply {
        let heroku = Heroku::new(&self.api, "nobody", "x", "x");
        let call = heroku.raw(method, &format!("{}{path}", self.api)).authorization("Bearer sandbox");
        call.header("content-type", "application/json").body(body.as_bytes().to_vec()).send().await
    }

    /// As Ctrl-C does.
    fn stop(mut self) -> i32 {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.process.wait().unwrap().code().unwrap()
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn the_marketplace_opens_sells_and_closes() {
    let (origin, asked) = answering("200 OK", r#"{"id":"7","config":{"LANTERN_URL":"https://lantern.example/7"}}"#);
    let folder = Folder::with_manifest("http://localhost:1");
    let market = Market::open(&folder, &["--addon", &origin, "--file", "sandbox.db"]);
    assert!(market.greeting.contains("The marketplace is open at http://localhost:"), "{}", market.greeting);
    let page = market.call("GET", "/", "").await.expect(200).text();
    assert!(page.contains(&format!("<code>{origin}</code>")), "the add-on is where --addon says");

    let order = r#"{"plan":{"name":"lantern:basic"}}"#;
    let addon: Value = market.call("POST", "/apps/shop/addons", order).await.expect(201).json();
    assert_eq!(addon["state"], "provisioned");
    assert!(asked.iter().any(|(line, _, _)| line == "POST /heroku/resources HTTP/1.1"));
    let recording = market.call("GET", "/sandbox/export.json?secrets=true", "").await.expect(200).text();
    assert_eq!(market.stop(), 0);

    // and the next one knows what the last one sold
    let market = Market::open(&folder, &["--addon", &origin, "--file", "sandbox.db"]);
    let listed: Value = market.call("GET", "/addons", "").await.expect(200).json();
    assert_eq!(listed[0]["name"], addon["name"]);
    assert_eq!(market.stop(), 0);

    std::fs::write(folder.0.join("recording.json"), recording).unwrap();
    let (code, told, _) = folder.run(&["sandbox", "--addon", &origin, "--replay", "recording.json"]);
    assert_eq!((code, told.as_str()), (0, "same Provision basic: 200\n"));
    let (other, _asked) = answering("503 Busy", "{}");
    let (code, told, _) = folder.run(&["sandbox", "--addon", &other, "--replay", "recording.json"]);
    assert_eq!((code, told.as_str()), (1, "other Provision basic: 200 then, 503 now\n"));
}

#[test]
fn what_keeps_it_from_opening_is_said() {
    let folder = Folder::new();
    let (code, _, said) = folder.run(&["sandbox"]);
    assert_eq!(code, 2);
    assert!(said.contains("cannot read addon-manifest.json") && said.contains("maitre manifest new"), "{said}");

    let folder = Folder::with_manifest("http://localhost:1");
    for (arguments, sentence) in [
        (["--addon", "https://lantern.example"], "not this machine"),
        (["--plan", "Très cher"], "is not a plan"),
        (["--chaos", "150%"], "is not a percentage"),
    ] {
        let (code, _, said) = folder.run(&[&["sandbox", "--port", "0"], &arguments[..]].concat());
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(sentence), "{said}");
    }
}
