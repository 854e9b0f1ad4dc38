//! Follows the steps of the tutorial in a temporary folder.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::page::{Block, Language};
use crate::support::Folder;

/// Port in the tutorial.
const PORT: &str = "8300";

/// Cargo's configuration that names the folder with the packed crates.
const CONFIG: &str = ".cargo/config.toml";

/// Time limit for the first output of a server; its build is included.
const START_TIMEOUT: Duration = Duration::from_mins(10);

/// Reader of the tutorial, who runs its commands. Dropping it ends the servers.
pub(super) struct Reader {
    /// Folder with the project.
    home: PathBuf,
    folder: PathBuf,
    /// Free port that is used in place of the tutorial's.
    port: String,
    servers: Vec<Server>,
}

struct Server {
    process: Child,
    output: Arc<Mutex<String>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Reader {
    pub(super) fn new(folder: &Folder) -> Self {
        if let Some(registry) = registry() {
            let replacement = "[source.crates-io]\nreplace-with = \"packed\"\n[source.packed]\ndirectory";
            fs::create_dir(folder.0.join(".cargo")).unwrap();
            fs::write(folder.0.join(CONFIG), format!("{replacement} = '{}'\n", registry.display())).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        Self { home: folder.0.clone(), folder: folder.0.clone(), port, servers: Vec::new() }
    }

    pub(super) fn follow(&mut self, block: &Block) {
        let text = block.text.replace(PORT, &self.port);
        match block.language {
            Language::Shell => text.lines().for_each(|command| self.run(command)),
            Language::Rust if block.before.starts_with("At the end of") => self.append("src/main.rs", &text),
            Language::Rust => self.write("src/main.rs", &text),
            Language::Console => {
                let (command, output) = text.split_once('\n').expect("a command and its output");
                let command = command.strip_prefix("$ ").expect("a command");
                if command == "cargo run" {
                    self.serve(command, output.lines().last().expect("a line"));
                } else {
                    compare(&self.output_of(command), output);
                }
            }
        }
    }

    /// Runs a command of the tutorial. Its paths are those of this workspace, and its downloads those of this build.
    pub(super) fn run(&mut self, command: &str) {
        let command = &if registry().is_some() { without_path(command) } else { command.to_owned() };
        if let Some(folder) = command.strip_prefix("cd ") {
            self.folder.push(folder);
        } else if command.starts_with("maitre sandbox") {
            self.serve(&format!("{command} --port 0"), "Press Ctrl-C");
        } else if command.starts_with("cargo install") {
            // `cargo install` reads no configuration of the folder
            let config = registry().map(|_| format!(" --config {}", self.home.join(CONFIG).display()));
            // a debug build shares what the tests have built
            self.output_of(&format!("{command} --debug{}", config.unwrap_or_default()));
        } else {
            self.output_of(command);
        }
        let lock = workspace().join("Cargo.lock");
        if command.starts_with("cargo new") && registry().is_none() {
            fs::copy(lock, self.folder.join("lantern/Cargo.lock")).unwrap();
        }
        if command.starts_with("maitre manifest new") {
            let file = self.folder.join("addon-manifest.json");
            let manifest = fs::read_to_string(&file).unwrap();
            assert!(manifest.contains(PORT), "the port of a new manifest is the tutorial's");
            fs::write(file, manifest.replace(PORT, &self.port)).unwrap();
        }
    }

    fn command(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        let tools = self.home.join("tools");
        let cargo = Path::new(env!("CARGO")).parent().unwrap();
        let path = [&tools.join("bin"), cargo].map(Path::to_owned).into_iter();
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let path = path.chain(std::env::split_paths(&inherited));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let is_of_this_test = name.starts_with("CARGO_PKG") || name.starts_with("CARGO_MANIFEST");
            if is_of_this_test || name.starts_with("MAITRE_") || name == "RUST_LOG" {
                shell.env_remove(name);
            }
        }
        shell
            .args(["-euc", &command.replace("../maitre", &workspace().to_string_lossy())])
            .current_dir(&self.folder)
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("CARGO_INSTALL_ROOT", tools)
            .env("CARGO_TARGET_DIR", target())
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_QUIET", "true")
            .stdin(Stdio::null());
        shell
    }

    /// Runs a command to its end and returns its output.
    fn output_of(&self, command: &str) -> String {
        let output = self.command(command).output().unwrap();
        let [text, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(output.status.success(), "{command}: {}\n{text}\n{errors}", output.status);
        assert!(!text.contains("Warning:"), "{command}:\n{text}");
        text
    }

    /// Starts a server and waits until its output contains a text.
    pub(super) fn serve(&mut self, command: &str, text: &str) {
        let mut shell = self.command(&format!("exec {command}"));
        let mut process = shell.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let copy = output.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *copy.lock().unwrap_or_else(PoisonError::into_inner) += &(line + "\n");
            }
        });
        let server = Server { process, output };
        let end = Instant::now() + START_TIMEOUT;
        while !server.text().contains(text) {
            assert!(Instant::now() < end, "{command} does not print {text:?}:\n{}", server.text());
            std::thread::sleep(Duration::from_millis(50));
        }
        self.servers.push(server);
    }

    /// Returns the address of the sandbox's API.
    pub(super) fn sandbox_url(&self) -> String {
        self.printed("HEROKU_HOST=")
    }

    /// Returns the word that the newest server has printed after a text.
    pub(super) fn printed(&self, before: &str) -> String {
        let text = self.servers.last().expect("a server").text();
        let word = text.split(before).nth(1).and_then(|rest| rest.split_whitespace().next());
        word.unwrap_or_else(|| panic!("no {before:?} in {text}")).to_owned()
    }

    pub(super) fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap();
    }

    fn append(&self, file: &str, text: &str) {
        let mut file = fs::OpenOptions::new().append(true).open(self.folder.join(file)).unwrap();
        file.write_all(format!("\n{text}").as_bytes()).unwrap();
    }

    /// Asserts that `git add` would add neither the manifest nor the database nor its key, which all exist.
    pub(super) fn assert_that_git_ignores_secrets(&self) {
        let files = self.output_of("git ls-files --others --cached --exclude-standard");
        for secret in ["addon-manifest.json", "lantern.db", "lantern.db.key"] {
            assert!(self.folder.join(secret).exists(), "{secret} does not exist");
            assert!(!files.lines().any(|file| file == secret), "git does not ignore {secret}:\n{files}");
        }
    }
}

impl Server {
    fn text(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn workspace() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

/// Returns the folder with the packed crates, if this test is to use them: `.ci/guards fresh` creates it.
pub(super) fn registry() -> Option<PathBuf> {
    std::env::var_os("MAITRE_REGISTRY").map(PathBuf::from)
}

/// Names a package in place of its folder: `cargo add maitre --path ../maitre/crates/maitre` adds the published one.
fn without_path(command: &str) -> String {
    let Some((before, after)) = command.split_once(" --path ../maitre/crates/") else {
        return command.to_owned();
    };
    let (name, options) = after.split_once(' ').unwrap_or((after, ""));
    let name = if before.ends_with(name) { "" } else { name };
    format!("{before} {name} {options}").trim_end().to_owned()
}

fn target() -> PathBuf {
    if let Some(registry) = registry() {
        return registry.parent().expect("a folder").to_owned();
    }
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// Asserts that an output ends with the shown lines. A line `…` stands for any lines, and durations may differ.
fn compare(output: &str, shown: &str) {
    let shown = shown.strip_prefix("…\n").unwrap_or(shown);
    let lines = |text: &str| text.trim_end().lines().map(without_duration).collect::<Vec<_>>();
    let (all, shown) = (lines(output), lines(shown));
    assert!(all.ends_with(&shown), "the output differs from the tutorial:\n{output}\n\nshown:\n{}", shown.join("\n"));
}

/// Removes a duration in parentheses from the end of a line.
fn without_duration(line: &str) -> String {
    let line = line.trim_end();
    match line.rsplit_once(" (") {
        Some((start, end)) if end.ends_with(" s)") => start.to_owned(),
        _ => line.to_owned(),
    }
}
