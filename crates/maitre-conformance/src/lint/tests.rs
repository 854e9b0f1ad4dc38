use super::*;
use serde_json::json;

fn valid() -> Value {
    json!({ "id": "fast-db", "name": "Fast DB", "api": {
        "version": "3", "password": "unguessable-example-password", "sso_salt": "unguessable-example-salt",
        "config_vars": ["FAST_DB_URL"], "regions": ["us", "*"], "requires": ["log_input"],
        "production": { "base_url": "https://db.example/heroku/resources", "sso_url": "https://db.example/sso" },
        "test": { "base_url": "http://localhost:8300/heroku/resources", "sso_url": "http://localhost:8300/sso" } } })
}

#[test]
fn a_valid_manifest_has_no_findings() {
    assert_eq!(manifest(&valid()), []);
}

#[test]
fn each_problem_is_found_at_its_path_by_its_rule() {
    let rows = [
        ("/id", json!("Fast_DB"), "id", "slug", Level::Must),
        ("/api", json!(7), "api", "type", Level::Must),
        ("/api/version", json!(3), "api.version", "version-type", Level::Must),
        ("/api/version", json!("1"), "api.version", "legacy-version", Level::Should),
        ("/api/password", json!(""), "api.password", "secret", Level::Must),
        ("/api/password", json!("short"), "api.password", "secret-length", Level::Should),
        ("/api/sso_salt", json!("unguessable-example-password"), "api.sso_salt", "secret-shared", Level::Should),
        ("/api/config_vars", json!(null), "api.config_vars", "config-vars", Level::Should),
        ("/api/config_vars/0", json!(1), "api.config_vars[0]", "type", Level::Must),
        ("/api/config_vars/0", json!("fast_db_url"), "api.config_vars[0]", "config-var-name", Level::Must),
        ("/api/config_vars/0", json!("FAST_DBURL"), "api.config_vars[0]", "config-var-prefix", Level::Must),
        ("/api/regions", json!([]), "api.regions", "regions", Level::Must),
        ("/api/regions/0", json!("moon"), "api.regions[0]", "region-name", Level::Should),
        ("/api/requires", json!("log_input"), "api.requires", "type", Level::Must),
        ("/api/requires/0", json!("tea"), "api.requires[0]", "requirement-name", Level::Should),
        ("/api/requires/0", json!("deploy_notify"), "api.requires[0]", "deploy-notify", Level::Info),
        ("/api/production", json!(null), "api.production", "production", Level::Must),
        ("/api/production", json!("https://db.example"), "api.production", "legacy-url", Level::Should),
        (
            "/api/production/base_url",
            json!("http://db.example/heroku/resources"),
            "api.production.base_url",
            "https",
            Level::Must,
        ),
        (
            "/api/production/base_url",
            json!("https://db.example/"),
            "api.production.base_url",
            "base-url-end",
            Level::Info,
        ),
        (
            "/api/production/sso_url",
            json!("https://localhost/sso"),
            "api.production.sso_url",
            "production-loopback",
            Level::Must,
        ),
        ("/api/production/sso_url", json!("db.example"), "api.production.sso_url", "url", Level::Must),
        ("/api/test", json!(null), "api.test", "test-url", Level::Info),
        ("/api/test/sso_url", json!(5), "api.test.sso_url", "type", Level::Must),
    ];
    for (pointer, value, path, rule, level) in rows {
        let mut json = valid();
        *json.pointer_mut(pointer).unwrap() = value;
        let found: Vec<_> = manifest(&json).into_iter().map(|f| (f.path, f.rule, f.level)).collect();
        assert_eq!(found, [(path.to_owned(), rule, level)], "{pointer}");
    }
}

#[test]
fn single_sign_on_is_optional() {
    let mut json = valid();
    let api = json["api"].as_object_mut().unwrap();
    api.remove("sso_salt");
    api["production"].as_object_mut().unwrap().remove("sso_url");
    let missing: Vec<_> = manifest(&json).into_iter().map(|f| (f.path, f.rule)).collect();
    let salt = ("api.sso_salt".to_owned(), "secret");
    let url = ("api.production.sso_url".to_owned(), "no-sso");
    assert_eq!(missing, [salt, url.clone()], "the test URL requires a salt");

    json["api"]["test"].as_object_mut().unwrap().remove("sso_url");
    let found: Vec<_> = manifest(&json).into_iter().map(|f| (f.path, f.rule)).collect();
    assert_eq!(found, [url]);
}

#[test]
fn forbidden_keys_are_found() {
    let mut json = valid();
    json["api"]["username"] = json!("me");
    json["requires"] = json!([]);
    let rules: Vec<_> = manifest(&json).into_iter().map(|f| f.rule).collect();
    assert_eq!(rules, ["username", "requires-place"]);
}

#[test]
fn findings_contain_no_secrets() {
    let mut json = valid();
    json["api"]["password"] = json!("hunter2");
    json["api"]["sso_salt"] = json!("hunter2");
    let output = format!("{:?}", manifest(&json));
    assert!(output.contains("secret-shared") && !output.contains("hunter2"), "{output}");
}
