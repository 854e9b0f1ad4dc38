use std::net::TcpListener;
use std::process::Command;

use crate::run::{Folder, answering_on};

/// Runs `maitre` where `localhost` stands for `::1` and 127.0.0.1. Returns standard error, or `None` if this machine has no
/// IPv6 or does not allow to replace its table of hosts.
fn run_with_two_addresses(folder: &Folder, arguments: &[&str]) -> Option<String> {
    std::fs::write(folder.0.join("hosts"), "::1 localhost\n127.0.0.1 localhost\n").unwrap();
    let mount = "mount --bind hosts /etc/hosts || exit 99\nexec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", mount, "sh", env!("CARGO_BIN_EXE_maitre")]);
    let output = command.current_dir(&folder.0).args(arguments).env_remove("MAITRE_URL").output().ok()?;
    let stderr = String::from_utf8(output.stderr).unwrap();
    let is_isolated = output.status.code() != Some(99) && !stderr.starts_with("unshare:");
    is_isolated.then_some(stderr)
}

#[test]
fn the_address_that_answered_is_named_if_localhost_has_two() {
    let Ok(socket) = TcpListener::bind("[::1]:0") else { return };
    let port = socket.local_addr().unwrap().port();
    let (_, _requests) = answering_on(socket, "403 Forbidden\r\nserver: AirTunes/870.14.1", "");
    let folder = Folder::with_manifest(&format!("http://localhost:{port}"));
    let notice = format!(
        "localhost has the addresses ::1 and 127.0.0.1: [::1]:{port} answered (server: AirTunes/870.14.1); if that is \
         not your add-on, use --url http://127.0.0.1:{port} or another port\n"
    );
    for arguments in
        [&["send", "provision"][..], &["check", "--only", "auth"], &["send", "provision", "--format", "json"]]
    {
        let Some(stderr) = run_with_two_addresses(&folder, arguments) else { return };
        assert!(stderr.contains(&notice), "{arguments:?}: {stderr}");
    }
}
