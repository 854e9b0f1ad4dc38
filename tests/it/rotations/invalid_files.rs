//! Files that cannot be loaded: the secrets in use stay, and the log names the file and the reason.

use maitre::{SecretFiles, SharedSecret};
use time::OffsetDateTime;

use super::write;
use crate::support::{Folder, Log};

#[test]
fn an_invalid_file_changes_nothing_and_is_logged_without_its_secrets() {
    let (log, folder) = (Log::open(), Folder::new());
    let path = folder.0.join("secret");
    write(&path, "kept-4711\n");
    let secret = SharedSecret::new("kept-4711").unwrap();
    let mut files = SecretFiles::new().with_file(&path, secret.clone());
    assert_eq!(files.reload_changed().unwrap(), 1);
    assert_eq!(files.reload_changed().unwrap(), 0, "nothing has changed");

    write(&path, "sha256:bb9d4712\n");
    let error = files.reload_changed().unwrap_err().to_string();
    assert!(error.contains("64 hex digits"), "{error}");
    assert_eq!(files.reload_changed().unwrap(), 0, "an error is reported once");
    std::fs::remove_file(&path).unwrap();
    assert!(files.reload_changed().unwrap_err().to_string().contains("No such file"));
    assert!(secret.verify("kept-4711", OffsetDateTime::now_utc()));

    let errors = log.events_containing("the secrets in use stay");
    assert_eq!(errors.len(), 2);
    for error in &errors {
        let shown = error.to_string();
        assert!(shown.starts_with("ERROR") && shown.contains(&path.display().to_string()), "{shown}");
    }
    write(&path, "next-4713\n");
    assert_eq!(files.reload_changed().unwrap(), 1);
    assert!(secret.verify("next-4713", OffsetDateTime::now_utc()));
    for part in ["4711", "4712", "4713"] {
        assert!(!log.text().contains(part), "{}", log.text());
    }
}
