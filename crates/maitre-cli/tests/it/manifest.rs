use serde_json::Value;

use crate::run::Folder;

fn manifest_of(folder: &Folder) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.0.join("addon-manifest.json")).unwrap()).unwrap()
}

#[test]
fn a_new_manifest_has_no_problems() {
    let folder = Folder::new();
    let (code, stdout, _) = folder.run(&["manifest", "new", "fast-db", "--config-var", "FAST_DB_URL"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("keep it out of version control"), "{stdout}");
    assert!(stdout.contains("Mount the add-on at http://localhost:8300/heroku/resources\n"), "{stdout}");
    let manifest = manifest_of(&folder);
    assert_eq!(manifest["api"]["config_vars_prefix"], "FAST_DB");
    assert_eq!(manifest["api"]["password"].as_str().unwrap().len(), 32);
    assert_ne!(manifest["api"]["password"], manifest["api"]["sso_salt"]);
    assert!(!stdout.contains(manifest["api"]["password"].as_str().unwrap()));

    let (code, stdout, _) = folder.run(&["manifest", "lint", "--strict"]);
    assert_eq!((code, stdout.as_str()), (0, "No problems found in addon-manifest.json.\n"));
}

#[test]
fn the_printed_commands_fit_the_manifest() {
    let folder = Folder::new();
    let rows: [(&[&str], &str); 4] = [
        (
            &["--plan", "basic", "--plan", "bright=900"],
            "    maitre sandbox --plan basic --plan bright=900\n    maitre check --plan basic,bright\n",
        ),
        (
            &["-o", "other.json"],
            "    maitre sandbox --manifest other.json --plan test\n    maitre check --manifest other.json --plan test\n",
        ),
        (&["-o", "a b.json", "--plan", "s"], "    maitre check --manifest 'a b.json' --plan s\n"),
        (
            &["-o", "cc.json", "--marketplace", "cloudcontrol"],
            "check it:\n\n    maitre check --manifest cc.json --plan test --marketplace cloudcontrol\n",
        ),
    ];
    for (arguments, commands) in rows {
        let (code, stdout, stderr) = folder.run(&[&["manifest", "new", "lantern"], arguments].concat());
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.ends_with(commands), "{stdout}");
    }
}

#[test]
fn a_manifest_that_git_would_commit_causes_a_warning() {
    let git = |folder: &Folder| {
        let git = std::process::Command::new("git").args(["init", "--quiet"]).current_dir(&folder.0).status();
        git.is_ok_and(|status| status.success())
    };
    let folder = Folder::new();
    assert!(git(&folder), "git is required");
    let (_, stdout, _) = folder.run(&["manifest", "new", "lantern"]);
    let warning = "Warning: git does not ignore addon-manifest.json. To ignore it, run in its directory:\n\n    \
                   echo '/addon-manifest.json' >> .gitignore\n";
    assert!(stdout.contains(warning), "{stdout}");
    std::fs::write(folder.0.join(".gitignore"), "*.json\n").unwrap();
    let (_, stdout, _) = folder.run(&["manifest", "new", "lantern", "-o", "second.json"]);
    assert!(!stdout.contains("Warning"), "{stdout}");
    let (_, stdout, _) = Folder::new().run(&["manifest", "new", "lantern"]);
    assert!(!stdout.contains("Warning"), "outside of a work tree: {stdout}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_new_manifest() {
    let folder = Folder::new();
    folder.run(&["manifest", "new", "lantern"]);
    let metadata = std::fs::metadata(folder.0.join("addon-manifest.json")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
}

#[test]
fn an_existing_manifest_is_not_overwritten() {
    let folder = Folder::with_manifest("http://127.0.0.1:1");
    let before = manifest_of(&folder);
    let (code, _, stderr) = folder.run(&["manifest", "new", "lantern"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("addon-manifest.json already exists, and its secrets may be in use"), "{stderr}");
    assert_eq!(manifest_of(&folder), before);
    let (code, stdout, _) = folder.run(&["manifest", "new", "lantern", "--output", "-"]);
    assert_eq!((code, serde_json::from_str::<Value>(&stdout).unwrap()["id"].clone()), (0, "lantern".into()));
}

#[test]
fn an_invalid_manifest_is_not_written() {
    let folder = Folder::new();
    let rows: &[(&[&str], &str)] = &[
        (&["manifest", "new", "Fast DB"], "error: id: "),
        (
            &["manifest", "new", "lantern", "--config-var", "URL"],
            "error: api.config_vars[0]: URL must begin with LANTERN_: rename it",
        ),
        (&["manifest", "new", "lantern", "--marketplace", "opperator"], "error: opperator has no manifest"),
    ];
    for (arguments, message) in rows {
        let (code, _, stderr) = folder.run(arguments);
        assert_eq!(code, 2);
        assert!(stderr.contains(message), "{stderr}");
    }
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn a_cloudcontrol_manifest_has_the_older_format() {
    let folder = Folder::new();
    folder.run(&["manifest", "new", "papaya", "--marketplace", "cloudcontrol"]);
    let manifest = manifest_of(&folder);
    assert_eq!(manifest["api"]["test"]["base_url"], "http://localhost:8300/cloudcontrol/resources");
    assert!(manifest["api"].get("requires").is_none());
}

#[test]
fn a_problem_names_the_path_and_the_rule() {
    let folder = Folder::with_manifest("http://127.0.0.1:1");
    let mut manifest = manifest_of(&folder);
    manifest["api"]["regions"] = serde_json::json!(["moon"]);
    let file = folder.0.join("addon-manifest.json");
    std::fs::write(&file, manifest.to_string()).unwrap();
    let (code, stdout, _) = folder.run(&["manifest", "lint"]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("should api.regions[0]: \"moon\" is not one of us, eu,"), "{stdout}");
    assert_eq!(folder.run(&["manifest", "lint", "--strict"]).0, 1);

    manifest["api"]["version"] = 3.into();
    std::fs::write(&file, manifest.to_string()).unwrap();
    let (code, stdout, _) = folder.run(&["manifest", "lint", "--format", "json"]);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &report["ok"]), (1, &false.into()));
    assert_eq!(report["findings"][0]["rule"], "version-type");

    std::fs::write(&file, "{").unwrap();
    let (code, stdout, _) = folder.run(&["manifest", "lint"]);
    assert_eq!(code, 1);
    let message =
        "must   addon-manifest.json: The manifest is not JSON: EOF while parsing an object at line 1 column 1.";
    assert!(stdout.contains(message), "{stdout}");

    std::fs::remove_file(&file).unwrap();
    let (code, _, stderr) = folder.run(&["manifest", "lint"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("cannot read addon-manifest.json"), "{stderr}");
}

#[test]
fn a_manifest_is_shown_without_its_secrets() {
    let folder = Folder::with_manifest("http://127.0.0.1:8300");
    let (code, stdout, _) = folder.run(&["manifest", "show"]);
    assert_eq!(code, 0);
    for line in
        ["id                   lantern\n", "password             set, 14 characters\n", "requires             none\n"]
    {
        assert!(stdout.contains(line), "no {line} in {stdout}");
    }
    let (_, json, _) = folder.run(&["manifest", "show", "--format", "json"]);
    let shown: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(shown["test"]["sso_url"], "http://127.0.0.1:8300/heroku/sso");
    for output in [stdout, json] {
        assert!(!output.contains("s3cr3t-example") && !output.contains("0f1e2d3c"), "{output}");
    }
}
