//! Rotations of every kind of secret under load, reloaded from files, without a refused request.

mod invalid_files;
mod keys;
mod load;
mod marketplaces;
mod platform;
mod process;
mod tokens;

use std::path::Path;

use axum::Router;
use maitre::{Addon, Heroku, Opperator, Osb, SecretFiles};
use maitre_testkit as testkit;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::load::Load;
use crate::support::{Counts, Folder, UUID, Vendor};

/// Starts an app that reloads its secrets. Returns its origin and what stops it.
async fn start(app: Router, files: SecretFiles) -> (String, oneshot::Sender<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", socket.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = maitre::serve(socket, app).secret_files(files);
    tokio::spawn(serving.until(async { drop(stopped.await) }));
    (origin, stop)
}

/// Replaces a file as a whole, as a deployment does.
fn write(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}

fn manifest(slug: &str, password: &str, salt: &str) -> String {
    let config_vars = ["LANTERN_URL", "TALLY_URL", "TALLY_TOKEN"];
    json!({ "id": slug, "api": { "password": password, "sso_salt": salt, "config_vars": config_vars } }).to_string()
}

async fn no_change_there() {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_rotated_without_a_refused_request() {
    let (counts, folder, slug) = (Counts::installed(), Folder::new(), "rotating-password");
    let path = folder.0.join("addon-manifest.json");
    write(&path, &manifest(slug, "old password", "salt"));
    let addon = Addon::<Heroku>::from_manifest(&path, Vendor::default()).unwrap();
    let files = SecretFiles::new().with_file(&path, addon.clone());
    let (origin, _stop) = start(Router::new().nest("/heroku", maitre::heroku(addon)), files).await;
    let url = format!("{origin}/heroku");
    let [old, new] = ["old password", "new password"].map(|password| testkit::Heroku::new(&url, slug, password, "s"));
    let send = move |switched: bool| {
        let heroku = if switched { new.clone() } else { old.clone() };
        async move { heroku.provision("basic").send().await.status() }
    };
    let old_uses = || counts.old_uses(&format!("heroku/{slug} password"));
    let reload = || write(&path, &manifest(slug, "new password", "salt"));
    Load { name: "password", send }.rotate(old_uses, reload, no_change_there).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_salt_is_rotated_without_a_refused_sign_on() {
    let (counts, folder, slug) = (Counts::installed(), Folder::new(), "rotating-salt");
    let path = folder.0.join("addon-manifest.json");
    write(&path, &manifest(slug, "password", "old salt"));
    let addon = Addon::<Heroku>::from_manifest(&path, Vendor::default()).unwrap();
    let files = SecretFiles::new().with_file(&path, addon.clone());
    let app = crate::support::host(Router::new().nest("/heroku", maitre::heroku(addon)));
    let (origin, _stop) = start(app, files).await;
    let url = format!("{origin}/heroku");
    let [old, new] = ["old salt", "new salt"].map(|salt| testkit::Heroku::new(&url, slug, "password", salt));
    old.provision("basic").uuid(UUID).send().await.expect(200);
    let send = move |switched: bool| {
        let heroku = if switched { new.clone() } else { old.clone() };
        async move { heroku.single_sign_on(UUID).send().await.status() }
    };
    let old_uses = || counts.old_uses(&format!("heroku/{slug} salt"));
    let reload = || write(&path, &manifest(slug, "password", "new salt"));
    Load { name: "salt", send }.rotate(old_uses, reload, no_change_there).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_secret_is_rotated_without_a_refused_request() {
    let (counts, folder, slug) = (Counts::installed(), Folder::new(), "rotating-secret");
    let path = folder.0.join("secret");
    write(&path, "old secret\n");
    let opperator = Opperator::new(slug, "old secret", |_| Some("basic".to_owned())).unwrap();
    let addon = Addon::new(opperator, Vendor::default());
    let files = SecretFiles::new().with_file(&path, addon.clone());
    let (origin, _stop) = start(Router::new().nest("/opperator", maitre::opperator(addon)), files).await;
    let url = format!("{origin}/opperator");
    let [old, new] = ["old secret", "new secret"].map(|secret| testkit::Opperator::new(&url, secret));
    let send = move |switched: bool| {
        let opperator = if switched { new.clone() } else { old.clone() };
        async move { opperator.provision(json!({})).send().await.status() }
    };
    let old_uses = || counts.old_uses(&format!("opperator/{slug} shared secret"));
    Load { name: "shared secret", send }.rotate(old_uses, || write(&path, "new secret\n"), no_change_there).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_of_a_broker_is_rotated_without_a_refused_request() {
    let (counts, folder, slug) = (Counts::installed(), Folder::new(), "rotating-broker");
    let path = folder.0.join("password");
    write(&path, "old password\n");
    let osb = Osb::new(slug, "old password", maitre::Catalog::default()).unwrap();
    let addon = Addon::new(osb, Vendor::default());
    let files = SecretFiles::new().with_file(&path, addon.clone());
    let (origin, _stop) = start(Router::new().nest("/osb", maitre::osb(addon)), files).await;
    let url = format!("{origin}/osb");
    let [old, new] = ["old password", "new password"].map(|password| testkit::Osb::new(&url, slug, password));
    let send = move |switched: bool| {
        let platform = if switched { new.clone() } else { old.clone() };
        async move { platform.catalog().send().await.status() }
    };
    let old_uses = || counts.old_uses(&format!("osb/{slug} password"));
    Load { name: "password of a broker", send }
        .rotate(old_uses, || write(&path, "new password\n"), no_change_there)
        .await;
}
