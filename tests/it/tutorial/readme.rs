//! The lines of the README, in a project of their own.

use std::fmt::Write as _;

use maitre_testkit::Heroku;

use crate::support::Folder;

use super::follow::{Reader, registry};

const README: &str = include_str!("../../../README.md");

/// Code that the lines leave to the vendor.
const VENDOR: &str = r#"
use axum::Router;
use maitre::{Addon, Deprovision, Deprovisioned, Heroku, Ledger, Listener, PlanChange, PlanChanged};
use maitre::{Provision, Provisioned, SignOn, SignedOn};
use tower_sessions::{SessionManagerLayer, cookie::SameSite};

struct Db;

struct Widgets {
    #[allow(dead_code)]
    db: Db,
}

struct Widget {
    id: String,
    key: String,
}

impl Widgets {
    async fn create_or_get(&self, resource: &impl ToString, plan: &str) -> anyhow::Result<Widget> {
        Ok(Widget { id: resource.to_string(), key: format!("key-{plan}") })
    }
}
"#;

/// Returns a program that consists of the lines of the README and what they leave to the vendor.
fn program() -> String {
    let lines = README.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a code block");
    let (listener, main) = lines.split_once("\n}\n\n").expect("a listener and the lines of main");
    let mut program = VENDOR.to_owned();
    for line in listener.lines() {
        let answer =
            if line.contains("plan_change") { "{ Ok(PlanChanged::new()) }" } else { "{ Ok(Deprovisioned::new()) }" };
        writeln!(program, "{}", line.replace("{ … }", answer)).unwrap();
    }
    program += "}\n\n#[tokio::main]\nasync fn main() -> anyhow::Result<()> {\n    let shutdown = maitre::shutdown_signal()?;\n";
    program += "    let socket = tokio::net::TcpListener::bind(\"127.0.0.1:0\").await?;\n    let db = Db;\n";
    program += "    println!(\"listening on http://{}\", socket.local_addr()?);\n";
    for line in main.lines() {
        writeln!(program, "    {line}").unwrap();
        if line.contains("Ledger::open") {
            program +=
                "    let sessions = SessionManagerLayer::new(ledger.sessions()).with_same_site(SameSite::Lax);\n";
        }
    }
    program + "    Ok(())\n}\n"
}

#[test]
fn the_readme_leaves_two_methods_to_the_reader() {
    assert!(!program().contains("{ … }"));
    assert_eq!(README.matches("{ … }").count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_of_the_readme_run_with_the_packed_crates() {
    if registry().is_none() {
        eprintln!("skipped: MAITRE_REGISTRY is not set");
        return;
    }
    let folder = Folder::new();
    let origin = tokio::task::spawn_blocking(move || {
        let mut reader = Reader::new(&folder);
        for command in [
            "cargo new widgets",
            "cd widgets",
            "cargo add maitre --features sqlite",
            "cargo add anyhow axum",
            "cargo add tokio --features full",
            "cargo add tower-sessions@0.15 --no-default-features --features axum-core",
        ] {
            reader.run(command);
        }
        let manifest =
            include_str!("../../../addon-manifest.json").replace("TALLY_URL", "TALLY_KEY").replace("TALLY", "WIDGET");
        reader.write("addon-manifest.json", &manifest);
        reader.write("src/main.rs", &program());
        reader.run("cargo build"); // without a time limit
        reader.serve("cargo run", "listening on");
        let origin = reader.printed("listening on ");
        (folder, reader, origin)
    });
    let (_folder, _reader, origin) = origin.await.unwrap();
    let heroku =
        Heroku::new(&format!("{origin}/heroku"), "tally", "development-only-password", "development-only-sso-salt");
    let reply = heroku.provision("basic").await;
    assert_eq!(reply.expect(200).json()["config"]["WIDGET_KEY"], "key-basic");
}
