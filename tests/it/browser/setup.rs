//! Sandboxes for browser tests, and the example in one.

use std::ops::Deref;

use maitre_sandbox::{Sandbox, SandboxBuilder, Serving};
use tokio::net::TcpListener;

use crate::saas::Saas;
use crate::support::Folder;

/// Running sandbox.
pub(super) struct RunningSandbox {
    sandbox: Sandbox,
    serving: Serving,
}

impl Deref for RunningSandbox {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl RunningSandbox {
    pub(super) async fn start(setup: SandboxBuilder) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), setup)
    }

    /// Starts a sandbox on a port that was bound before, as the add-on has to know it.
    pub(super) fn start_on(socket: TcpListener, setup: SandboxBuilder) -> Self {
        let sandbox = setup.open().expect("a sandbox");
        let serving = sandbox.serve(socket).expect("an address");
        assert!(serving.url().starts_with("http://localhost:"), "{}", serving.url());
        Self { sandbox, serving }
    }

    /// Returns the URL of a path of the sandbox.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.serving.url())
    }
}

/// The example `saas` and its sandbox.
pub(super) struct Example {
    pub(super) sandbox: RunningSandbox,
    pub(super) saas: Saas,
    pub(super) folder: Folder,
}

impl Example {
    pub(super) async fn start() -> Self {
        let folder = Folder::new();
        let home = folder.0.clone();
        let saas = tokio::task::spawn_blocking(move || Saas::start_in(&home)).await.expect("the example");
        let manifest = include_str!("../../../addon-manifest.json");
        let setup = Sandbox::builder(manifest).unwrap().url(&saas.origin).plans(["basic", "premium=900"]).unwrap();
        Self { sandbox: RunningSandbox::start(setup).await, saas, folder }
    }
}
