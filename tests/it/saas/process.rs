//! The example as a separate process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use maitre_testkit::Heroku;

use crate::ledger::support::KEY;
use crate::support::{Folder, build};

pub(crate) const PASSWORD: &str = "development-only-password";
pub(crate) const SALT: &str = "development-only-sso-salt";

static BINARY: LazyLock<PathBuf> = LazyLock::new(|| build("saas", ""));

/// The same with the sandbox.
static WITH_SANDBOX: LazyLock<PathBuf> = LazyLock::new(|| build("saas", "sandbox"));

pub(crate) struct Saas {
    process: Child,
    pub(crate) origin: String,
    pub(crate) greeting: String,
}

impl Saas {
    pub(crate) fn command(folder: &Path) -> Command {
        Self::command_of(&BINARY, folder)
    }

    pub(super) fn command_with_sandbox(folder: &Path) -> Command {
        Self::command_of(&WITH_SANDBOX, folder)
    }

    fn command_of(binary: &Path, folder: &Path) -> Command {
        let mut command = Command::new(binary);
        command
            .current_dir(folder)
            .env_remove("DATABASE_URL")
            .env_remove("MAITRE_KEY")
            .env_remove("HOST")
            .env_remove("PUBLIC_URL")
            .env_remove("HEROKU_API")
            .env_remove("HEROKU_CLIENT_SECRET")
            .env_remove("ADDON_MANIFEST")
            .env_remove("CLOUDCONTROL_MANIFEST")
            .env_remove("OSB_CATALOG")
            .env_remove("VERCEL_INTEGRATION_ID")
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_in(&folder.0)
    }

    pub(crate) fn start_in(folder: &Path) -> Self {
        Self::start_by(Self::command(folder))
    }

    /// Starts the example as a process that may open only so many files.
    #[cfg(unix)]
    pub(crate) fn start_with_descriptors(folder: &Folder, descriptors: u32) -> Self {
        let mut command = Self::command_of(Path::new("sh"), &folder.0);
        command.arg("-c").arg(format!("ulimit -n {descriptors} && exec \"$0\"")).arg(&*BINARY);
        Self::start_by(command)
    }

    /// Starts the example with the sandbox; each provision takes `set_up` seconds.
    pub(crate) fn with_sandbox(folder: &Folder, set_up: u64) -> Self {
        let mut command = Self::command_of(&WITH_SANDBOX, &folder.0);
        command.env("SANDBOX_PORT", "0").env("SET_UP_SECONDS", set_up.to_string());
        Self::start_by(command)
    }

    /// Starts one of several processes on a shared database.
    pub(crate) fn start_on(folder: &Folder, url: &str) -> Self {
        Self::start_by(Self::on_database(Self::command(&folder.0), url))
    }

    /// Starts an older build of the example on a shared database.
    pub(crate) fn start_build_on(binary: &Path, folder: &Folder, url: &str) -> Self {
        Self::start_by(Self::build_on(binary, folder, url))
    }

    /// Returns the command of an older build, which has no manifests compiled in.
    fn build_on(binary: &Path, folder: &Folder, url: &str) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = Self::on_database(Self::command_of(binary, &folder.0), url);
        command.env("ADDON_MANIFEST", root.join("addon-manifest.json"));
        command.env("CLOUDCONTROL_MANIFEST", root.join("examples/saas/cloudcontrol-manifest.json"));
        command
    }

    /// Runs the migrations of the example, as before a rollout.
    pub(crate) fn migrate(folder: &Folder, url: &str) {
        let status = Self::on_database(Self::command(&folder.0), url).arg("migrate").status().unwrap();
        assert!(status.success(), "saas migrate");
    }

    /// Starts an older build of the example, which must refuse the tables. Returns what it writes to standard error.
    pub(crate) fn refusal_of_build(binary: &Path, folder: &Folder, url: &str) -> String {
        refusal(&mut Self::build_on(binary, folder, url))
    }

    fn on_database(mut command: Command, url: &str) -> Command {
        command.env("DATABASE_URL", url).env("MAITRE_KEY", KEY);
        command
    }

    /// Starts the example with its log going to `stderr`.
    pub(crate) fn start_with_stderr(folder: &Folder, stderr: impl Into<Stdio>) -> Self {
        Self::spawn(Self::command(&folder.0).stderr(stderr))
    }

    pub(crate) fn start_by(mut command: Command) -> Self {
        Self::spawn(command.stderr(Stdio::null()))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            greeting += &(lines.next().expect("a greeting").unwrap() + "\n");
        }
        let origin = greeting.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { process, origin, greeting }
    }

    pub(crate) fn heroku(&self) -> Heroku {
        Heroku::new(&format!("{}/heroku", self.origin), "tally", PASSWORD, SALT)
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        self.signal("-TERM");
        self.process.wait().unwrap()
    }
}

/// Runs the example, which must refuse to start. Returns what it writes to standard error.
pub(super) fn refusal(command: &mut Command) -> String {
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let started = lines.any(|line| line.unwrap().contains("Ctrl-C"));
    if started {
        process.kill().unwrap();
    }
    let output = process.wait_with_output().unwrap();
    assert!(!started && !output.status.success(), "the example must not start");
    String::from_utf8(output.stderr).unwrap()
}

/// Returns a command with secrets other than those of the repository.
pub(super) fn command_with_own_secrets(folder: &Folder) -> Command {
    let mut command = Saas::command(&folder.0);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (variable, file) in [
        ("ADDON_MANIFEST", "addon-manifest.json"),
        ("CLOUDCONTROL_MANIFEST", "examples/saas/cloudcontrol-manifest.json"),
        ("CLEVERCLOUD_MANIFEST", "examples/saas/clevercloud-manifest.json"),
        ("DIGITALOCEAN_MANIFEST", "examples/saas/digitalocean-settings.json"),
        ("SCALINGO_MANIFEST", "examples/saas/scalingo-manifest.json"),
        ("QUICKNODE_MANIFEST", "examples/saas/quicknode-settings.json"),
    ] {
        let manifest = std::fs::read_to_string(root.join(file)).unwrap().replace("development-only", "vendors-own");
        let path = folder.0.join(format!("{variable}.json"));
        std::fs::write(&path, manifest).unwrap();
        command.env(variable, path);
    }
    for variable in ["OPPERATOR_SECRET", "OSB_PASSWORD"] {
        command.env(variable, "vendors-own-secret");
    }
    command
}

impl Drop for Saas {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the number of rows in the vendor's own table.
pub(crate) async fn installs(folder: &Folder) -> i64 {
    let url = format!("sqlite://{}", folder.0.join("saas.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM resources").fetch_one(&pool).await.unwrap()
}
