//! `maitre run`

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;

use crate::run::{Folder, answering};

const PROVISIONED: &str = r#"{"id":7,"config":{"LANTERN_URL":"https://u:pw@lantern.example/7"}}"#;

/// Returns the method and the path of each request so far.
fn lines(requests: &Receiver<(String, String, String)>) -> Vec<String> {
    requests.try_iter().map(|(line, _, _)| line.trim_end_matches(" HTTP/1.1").to_owned()).collect()
}

#[test]
fn the_command_has_the_config_vars_and_its_exit_status_is_returned() {
    let (origin, requests) = answering("200 OK", PROVISIONED);
    let folder = Folder::with_manifest(&origin);
    let arguments = ["run", "--plan", "basic", "--option", "retention=7d"];
    let command = ["--", "sh", "-c", "echo \"$LANTERN_URL\"; exit 7"];
    let (code, stdout, stderr) = folder.run(&[&arguments[..], &command].concat());
    assert_eq!((code, stdout.as_str()), (7, "https://u:pw@lantern.example/7\n"), "{stderr}");
    assert!(stderr.contains("provisioned 7, which sets LANTERN_URL") && !stderr.contains("pw@"), "{stderr}");
    let (line, _, body) = requests.recv().unwrap();
    assert_eq!(line, "POST /heroku/resources HTTP/1.1");
    assert!(body.contains(r#""options":{"retention":"7d"}"#) && body.contains(r#""plan":"basic""#), "{body}");
    assert_eq!(lines(&requests), ["DELETE /heroku/resources/7"]);
}

#[test]
fn the_resource_is_deprovisioned_if_the_command_cannot_be_run() {
    let (origin, requests) = answering("200 OK", PROVISIONED);
    let (code, _, stderr) = Folder::with_manifest(&origin).run(&["run", "--", "/no/such/command"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("error: cannot run /no/such/command"), "{stderr}");
    assert_eq!(lines(&requests), ["POST /heroku/resources", "DELETE /heroku/resources/7"]);
}

#[test]
fn a_refused_provision_is_an_error_with_the_message() {
    let (origin, requests) = answering("422 Unprocessable", r#"{"message":"No such plan."}"#);
    let (code, stdout, stderr) = Folder::with_manifest(&origin).run(&["run", "--", "echo", "ran"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("error: the provision was answered 422: No such plan."), "{stderr}");
    drop(requests);

    let (origin, requests) = answering("202 Accepted", r#"{"id":"7"}"#);
    let (code, stdout, stderr) = Folder::with_manifest(&origin).run(&["run", "--", "echo", "ran"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("sets its config vars later") && stderr.contains("maitre sandbox"), "{stderr}");
    assert_eq!(lines(&requests), ["POST /heroku/resources", "DELETE /heroku/resources/7"]);
}

/// The command gets the signal, and the resource is deprovisioned after it has exited.
#[test]
fn a_signal_ends_the_command_and_cleans_up() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let (origin, requests) = answering("200 OK", PROVISIONED);
        let folder = Folder::with_manifest(&origin);
        let mut command = Command::new(env!("CARGO_BIN_EXE_maitre"));
        command.current_dir(&folder.0).args(["run", "--", "sh", "-c", "echo started; exec sleep 60"]);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
        let mut stderr = String::new();
        process.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(process.wait().unwrap().code(), Some(status), "{stderr}");
        assert_eq!(lines(&requests), ["POST /heroku/resources", "DELETE /heroku/resources/7"], "{signal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_that_cannot_be_printed_does_not_change_the_exit_status() {
    for arguments in [&["manifest", "lint", "/no/such/file"][..], &["run", "--", "true"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux");
        let mut command = Command::new(env!("CARGO_BIN_EXE_maitre"));
        let status = command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(full);
        assert_eq!(status.status().unwrap().code(), Some(2), "{arguments:?}");
    }
}
