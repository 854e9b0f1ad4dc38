//! Runs the command in its own directory, and a server for it to call.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Temporary directory, deleted on drop.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("maitre-cli-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// Creates a directory with a manifest whose test addresses are at this origin.
    pub(crate) fn with_manifest(origin: &str) -> Self {
        let folder = Self::new();
        let manifest = serde_json::json!({ "id": "lantern", "api": {
            "version": "3", "password": "s3cr3t-example", "sso_salt": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "config_vars": ["LANTERN_URL"], "regions": ["us"],
            "production": { "base_url": "https://lantern.example/heroku/resources", "sso_url": "https://lantern.example/sso" },
            "test": { "base_url": format!("{origin}/heroku/resources"), "sso_url": format!("{origin}/heroku/sso") } } });
        std::fs::write(folder.0.join("addon-manifest.json"), manifest.to_string()).unwrap();
        folder
    }

    /// Runs the command in this directory. Returns its status, standard output and standard error.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run_with(arguments, &[], "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], env: &[(&str, &str)], input: &str) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maitre"));
        for name in std::env::vars_os().map(|(name, _)| name) {
            if name.to_string_lossy().starts_with("MAITRE_") {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.0).args(arguments).envs(env.iter().copied());
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = piped.spawn().unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = process.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Starts a server that always returns the same response. Returns its origin and the requests that it receives: the
/// request line, the headers and the body.
pub(crate) fn answering(status: &'static str, body: &'static str) -> (String, Receiver<(String, String, String)>) {
    answering_on(TcpListener::bind("127.0.0.1:0").unwrap(), status, body)
}

/// Starts such a server on a bound socket. The status may be followed by headers.
pub(crate) fn answering_on(
    listener: TcpListener,
    status: &'static str,
    body: &'static str,
) -> (String, Receiver<(String, String, String)>) {
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, sender) = (stream.unwrap(), sender.clone());
            thread::spawn(move || {
                if let Some(request) = read(&stream) {
                    let _ = sender.send(request);
                    let length = body.len();
                    let head = format!(
                        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
                    );
                    let _ = (&stream).write_all(format!("{head}\r\n{body}").as_bytes());
                }
            });
        }
    });
    (origin, requests)
}

fn read(stream: &TcpStream) -> Option<(String, String, String)> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines();
    let line = lines.next()?.ok()?;
    let headers: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let length =
        headers.iter().find_map(|header| header.strip_prefix("content-length: ")).map_or(0, |it| it.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((line, headers.join("\n"), String::from_utf8_lossy(&body).into_owned()))
}
