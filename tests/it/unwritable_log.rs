//! A log that cannot be written changes no answer.

use std::fs::File;
use std::process::Stdio;

use crate::saas::Saas;
use crate::support::Folder;

async fn serves_and_stops(stderr: impl Into<Stdio>) {
    let folder = Folder::new();
    let mut saas = Saas::start_with_stderr(&folder, stderr);
    let heroku = saas.heroku();
    let uuid = heroku.new_uuid();
    heroku.provision("basic").uuid(&uuid).await.expect(200);
    heroku.plan_change(&uuid, "premium").await.expect(200);
    heroku.provision("no such plan").await.expect(422);
    heroku.deprovision(&uuid).await.expect(204);
    assert!(saas.terminate().success(), "the process drains and exits as with a log");
}

#[tokio::test]
async fn a_full_disk_under_the_log_changes_no_answer() {
    serves_and_stops(File::options().write(true).open("/dev/full").expect("Linux")).await;
}

#[tokio::test]
async fn a_log_whose_reader_has_gone_changes_no_answer() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    serves_and_stops(writer).await;
}
