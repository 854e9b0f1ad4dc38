//! `maitre ledger reconcile` at other marketplaces than Heroku.

use maitre_testkit::apis::{CleverCloudApi, ScalingoApi};
use serde_json::{Value, json};

use crate::conformance::maitre;
use crate::ledger::support::{Database, KEY};
use crate::support::{Folder, PASSWORD};

/// Runs the command, and returns its exit status, standard output and standard error.
fn reconcile(database: &Database, marketplace: &str, manifest: &Value, arguments: &[&str]) -> (i32, String, String) {
    let folder = Folder::new();
    std::fs::write(folder.0.join("addon-manifest.json"), manifest.to_string()).unwrap();
    let mut command = maitre(["ledger", "reconcile", "--marketplace", marketplace]);
    command.args(arguments).current_dir(&folder.0).env("DATABASE_URL", &database.url).env("MAITRE_KEY", KEY);
    let output = tokio::task::block_in_place(|| command.output()).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

on_both_databases! {
    async fn the_lists_of_scalingo_and_clever_cloud_are_compared(database: Database) {
        database.migrated().await;
        let scalingo = ScalingoApi::new("lychee", PASSWORD);
        let api = scalingo.serve().await.unwrap();
        let manifest = json!({ "name": "Lychee", "username": "lychee", "password": PASSWORD, "sso_salt": "orange-salt" });
        let run = |arguments: &[&str]| {
            let (code, stdout, stderr) =
                reconcile(&database, "scalingo", &manifest, &[&["--api-url", api.url()], arguments].concat());
            assert_eq!(stderr, "");
            (code, stdout)
        };
        assert_eq!(run(&[]), (0, "The ledger and Scalingo agree.\n".to_owned()));
        for app in ["1", "2", "3"] {
            scalingo.add_app(&format!("app-{app}"), &format!("ad-{app}"), "basic");
        }
        let (code, json) = run(&["--format", "json"]);
        let found: Value = serde_json::from_str(&json).unwrap();
        let keys: Vec<_> =
            found["current"]["missing_in_ledger"].as_array().unwrap().iter().map(|missing| &missing["key"]).collect();
        assert_eq!((code, keys), (1, vec![&json!("ad-1"), &json!("ad-2"), &json!("ad-3")]));
        assert!(run(&[]).1.contains("only at Scalingo"));

        let clever_cloud = CleverCloudApi::new("quince", PASSWORD);
        let api = clever_cloud.serve().await.unwrap();
        clever_cloud.add_addon("addon_1", "q-81", "dev");
        let manifest = json!({ "id": "quince", "api": { "password": PASSWORD, "sso_salt": "plum-salt" } });
        let (code, json, _) =
            reconcile(&database, "clevercloud", &manifest, &["--api-url", api.url(), "--format", "json"]);
        let found: Value = serde_json::from_str(&json).unwrap();
        let missing = json!({ "key": "addon_1", "plan": "dev", "provider_id": "q-81" });
        assert_eq!((code, &found["current"]["missing_in_ledger"]), (1, &json!([missing])));
        assert!(scalingo.problems().is_empty() && clever_cloud.problems().is_empty());

        let (code, _, stderr) = reconcile(&database, "opperator", &manifest, &[]);
        assert!(code == 2 && stderr.contains("Opperator has no list of resources for vendors"), "{stderr}");
    }
}
