//! The first mistakes in an add-on, and what `maitre check` prints about each.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

use axum::Router;
use axum::routing::get;
use maitre::{Addon, Failure, Heroku};
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore, SessionManagerLayer};

use super::{PASSWORD, maitre, manifest};
use crate::support::{Folder, SALT, SLUG, Server, Vendor};

/// Source of docs/conformance.md, which contains the transcript.
const PAGE: &str = "../crates/maitre-cli/src/conformance.md";

const BEGIN: &str = "<!-- tutorial begins -->\n";
const END: &str = "<!-- tutorial ends -->\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    WrongNestPath,
    NoSessionLayer,
    StrictCookie,
    ListenerError,
}

impl Mistake {
    /// Each mistake, its description, and what the command must print.
    const ALL: [(Self, &str, &str); 4] = [
        (Self::WrongNestPath, "`.nest(\"/api\", maitre::heroku(addon))`", "Is the nest path right?"),
        (Self::NoSessionLayer, "no session layer", "heroku.sso-token.lets-in (must)"),
        (Self::StrictCookie, "`.with_same_site(SameSite::Strict)`", "is SameSite=Strict, so a browser"),
        (Self::ListenerError, "an error of the listener", "heroku.provision.succeeds (must)"),
    ];

    fn app(self) -> Router {
        let vendor = Vendor::default();
        if self == Self::ListenerError {
            vendor.on_provision(|_| async { Err(Failure::unavailable("the database does not answer")) });
        }
        let heroku = Heroku::new(SLUG, PASSWORD, SALT).unwrap();
        let path = if self == Self::WrongNestPath { "/api" } else { "/heroku" };
        let app = Router::new().nest(path, maitre::heroku(Addon::new(heroku, vendor)));
        let app = app.route("/dashboard", get(crate::support::dashboard));
        let same_site = if self == Self::StrictCookie { SameSite::Strict } else { SameSite::Lax };
        let sessions = SessionManagerLayer::new(MemoryStore::default()).with_same_site(same_site).with_secure(false);
        if self == Self::NoSessionLayer { app } else { app.layer(sessions) }
    }
}

/// Returns the lines to begin with: the error, or the last failure with its advice.
fn excerpt(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let Some(start) = stdout.rfind("\nFAILED") else { return stderr };
    let failure = stdout[start..].trim_start().lines().take_while(|line| !line.is_empty());
    let mut is_kept = true;
    let lines = failure.filter(|line| {
        let label = line.get(2..8).unwrap_or_default().trim();
        if !label.is_empty() || !line.starts_with("  ") {
            is_kept = !matches!(label, "rule" | "source" | "before");
        }
        is_kept
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_mistakes_are_explained() {
    let folder = Folder::new();
    let file = folder.0.join("addon-manifest.json").display().to_string();
    std::fs::write(&file, manifest()).unwrap();
    let mut transcript = String::new();
    for (mistake, description, expected) in Mistake::ALL {
        let server = Server::start(mistake.app()).await;
        let origin = server.url("");
        let arguments = ["check", "--manifest", &file, "--url", &origin, "--plan", "basic,premium"];
        let mut command = maitre(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        server.stop().await;
        let shown = excerpt(&output).replace(&origin, "http://localhost:8300");
        assert!(shown.contains(expected), "{mistake:?}: {shown}");
        let code = output.status.code().unwrap();
        let _ = write!(transcript, "\nWith {description} (exit status {code}):\n\n```text\n{shown}```\n");
    }

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (current, after) = rest.split_once(END).unwrap();
    let transcript = format!("{}\n", transcript.trim_start());
    if std::env::var_os("MAITRE_WRITE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}\n{transcript}{END}{after}")).unwrap();
    } else {
        assert_eq!(current.trim(), transcript.trim(), "outdated: run this test with MAITRE_WRITE=1");
    }
}
