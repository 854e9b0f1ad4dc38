use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Add-on written with Python's standard library, as a process.
pub(super) struct Python {
    process: Child,
    pub(super) origin: String,
}

impl Python {
    /// Starts a script of `tests/python` on a free port, with these arguments after the port.
    pub(super) fn start(script: &str, arguments: &[&OsStr]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(script);
        let mut process = Command::new("python3")
            .args([script.as_os_str(), OsStr::new("0")])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let mut origin = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut origin).unwrap();
        Self { process, origin: origin.trim().to_owned() }
    }

    /// Returns the numbers of resources that exist and that were made.
    pub(super) async fn resources(&self) -> (u64, u64) {
        let counts = reqwest::get(format!("{}/alive", self.origin)).await.unwrap();
        let counts = counts.json::<serde_json::Value>().await.unwrap();
        (counts["alive"].as_u64().unwrap(), counts["made"].as_u64().unwrap())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
