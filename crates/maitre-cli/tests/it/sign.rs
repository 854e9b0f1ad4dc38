//! Known-answer tests with the test vectors of the contract.

use serde_json::Value;

use crate::run::Folder;

const UUID: &str = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21";

#[test]
fn basic_prints_an_authorization_header() {
    let folder = Folder::with_manifest("http://127.0.0.1:8300");
    let header = "Authorization: Basic bGFudGVybjpzM2NyM3QtZXhhbXBsZQ==";
    assert_eq!(folder.run(&["sign", "basic"]), (0, format!("{header}\n"), String::new()));
    let (_, curl, _) = folder.run(&["sign", "basic", "--format", "curl"]);
    assert_eq!(curl, format!("curl -i -H '{header}' 'http://127.0.0.1:8300/heroku/resources'\n"));
}

#[test]
fn a_form_is_signed_for_the_given_time() {
    let folder = Folder::with_manifest("http://127.0.0.1:8300");
    let signed = |format: &str| folder.run(&["sign", "sso", UUID, "--at", "1772000000", "--format", format]).1;
    let json: Value = serde_json::from_str(&signed("json")).unwrap();
    assert_eq!(json["action"], "http://127.0.0.1:8300/heroku/sso");
    let token = "8ba47704978c8957e89c392ca68d70ab5a3f0aebe21924c3abc452a97eb50f0d";
    assert_eq!(json["params"]["user_scoped_resource_token"], token);
    assert_eq!(json["params"]["resource_token"], "ac96a81ac9555ffb7077cce9dd00850ae85c267d");
    for format in ["form", "curl", "html"] {
        let text = signed(format);
        assert!(text.contains(token) && text.contains("1772000000"), "{text}");
    }
    assert!(signed("form").contains("email=ada%2Bops%40example.org"));
    assert!(signed("curl").starts_with("curl -i --data 'resource_id="));
    assert!(signed("html").contains("<form method=\"post\" action=\"http://127.0.0.1:8300/heroku/sso\">"));
}

#[test]
fn a_webhook_signature_covers_the_exact_bytes() {
    let folder = Folder::new();
    let body = r#"{"id":"e1","action":"update"}"#;
    let secret = [("MAITRE_WEBHOOK_SECRET", "lantern-webhook-secret")];
    let header = "Heroku-Webhook-Hmac-SHA256: UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=\n";
    assert_eq!(folder.run_with(&["sign", "webhook"], &secret, body).1, header);
    std::fs::write(folder.0.join("event.json"), body).unwrap();
    assert_eq!(folder.run_with(&["sign", "webhook", "event.json"], &secret, "").1, header);
    let (code, _, stderr) = folder.run_with(&["sign", "webhook", "event.json"], &[("MAITRE_WEBHOOK_SECRET", "")], "");
    assert_eq!(code, 2);
    assert!(stderr.contains("the secret is empty"), "{stderr}");
}

#[test]
fn signing_without_a_salt_fails() {
    let folder = Folder::new();
    std::fs::write(
        folder.0.join("addon-manifest.json"),
        r#"{"id":"a","api":{"password":"p","test":{"base_url":"http://localhost/heroku/resources"}}}"#,
    )
    .unwrap();
    let (code, _, stderr) = folder.run(&["sign", "sso", UUID]);
    assert_eq!(code, 2);
    assert!(stderr.contains("the manifest needs api.sso_salt and an sso_url"), "{stderr}");
}
