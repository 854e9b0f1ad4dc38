//! The manifest. Each check covers rules of the lint.

use crate::lint::{self, Finding};

use super::citation;
use super::target::Target;
use crate::check::Case;
use crate::level::Level;
use crate::verdict::{Stop, Verdict};

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.manifest.slug",
        "The id is a slug of lower-case letters, digits and hyphens.",
        citation::manifest("id is the slug and the Basic user, and cannot be changed after the first push"),
        |target| Box::pin(async move { none(target, |finding| finding.rule == "slug") }),
    ),
    Case::must(
        "heroku.manifest.version",
        "The version of the contract is a string, not a number.",
        citation::manifest("api.version is the string \"3\""),
        |target| Box::pin(async move { none(target, |finding| finding.rule == "version-type") }),
    ),
    Case::must(
        "heroku.manifest.secrets",
        "Password and salt are present and not empty.",
        citation::kensa("api.password and api.sso_salt are non-empty strings"),
        |target| Box::pin(async move { none(target, |finding| finding.rule == "secret") }),
    ),
    Case::should(
        "heroku.manifest.secret-strength",
        "Password and salt are long and different.",
        citation::practice("generators use 32 random characters for each"),
        |target| {
            Box::pin(async move { none(target, |finding| matches!(finding.rule, "secret-length" | "secret-shared")) })
        },
    ),
    Case::should(
        "heroku.manifest.placeholders",
        "Hosts and secrets are not those of a template.",
        citation::practice("a secret of a public template does not protect anything"),
        |target| {
            Box::pin(async move {
                none(target, |finding| matches!(finding.rule, "secret-placeholder" | "placeholder-host"))
            })
        },
    ),
    Case::must(
        "heroku.manifest.required-keys",
        "No required key is misspelt or in the wrong object.",
        citation::manifest("the keys of the manifest and their places"),
        |target| Box::pin(async move { none(target, |finding| is_about_keys(finding, Level::Must)) }),
    ),
    Case::should(
        "heroku.manifest.keys",
        "Every key is spelt correctly, in the right object, and occurs once.",
        citation::manifest("the keys of the manifest and their places"),
        |target| Box::pin(async move { none(target, |finding| is_about_keys(finding, Level::Should)) }),
    ),
    Case::must(
        "heroku.manifest.no-username",
        "The manifest does not set a user name.",
        citation::kensa("api.username is forbidden, as the Basic user is the slug"),
        |target| Box::pin(async move { none(target, |finding| finding.rule == "username") }),
    ),
    Case::must(
        "heroku.manifest.config-vars",
        "Config vars are in uppercase and begin with the add-on's prefix.",
        citation::manifest("each of api.config_vars is in uppercase and begins with the prefix"),
        |target| Box::pin(async move { none(target, |finding| finding.rule.starts_with("config-var-")) }),
    ),
    Case::should(
        "heroku.manifest.config-vars-listed",
        "The manifest lists the add-on's config vars.",
        citation::manifest("a response may only set config vars in api.config_vars"),
        |target| Box::pin(async move { none(target, |finding| finding.rule == "config-vars") }),
    ),
    Case::must(
        "heroku.manifest.regions",
        "The manifest lists at least one region.",
        citation::manifest("api.regions is not empty"),
        |target| Box::pin(async move { none(target, |finding| finding.rule == "regions") }),
    ),
    Case::should(
        "heroku.manifest.known-names",
        "Regions and requirements are known to Heroku.",
        citation::manifest("the names of api.regions and api.requires"),
        |target| {
            Box::pin(async move { none(target, |finding| matches!(finding.rule, "region-name" | "requirement-name")) })
        },
    ),
    Case::must(
        "heroku.manifest.production-urls",
        "The production URLs are https and on a public host.",
        citation::reference("base_url must be https with a valid certificate"),
        |target| {
            Box::pin(async move {
                none(target, |finding| {
                    matches!(finding.rule, "production" | "https" | "production-loopback")
                        || (finding.rule == "url" && finding.path.starts_with("api.production"))
                })
            })
        },
    ),
    Case::must(
        "heroku.manifest.test-urls",
        "The test URLs, if there are any, are valid URLs.",
        citation::kensa("api.test has the form of api.production"),
        |target| {
            Box::pin(
                async move { none(target, |finding| finding.rule == "url" && finding.path.starts_with("api.test")) },
            )
        },
    ),
    Case::should(
        "heroku.manifest.current-form",
        "The manifest has the current form, not that of version 1.",
        citation::reference("version 1 ended on 3 July 2023"),
        |target| {
            Box::pin(async move { none(target, |finding| matches!(finding.rule, "legacy-version" | "legacy-url")) })
        },
    ),
    Case::info(
        "heroku.manifest.habits",
        "The manifest uses no deprecated or incomplete values.",
        citation::manifest("the current form of base_url, requires and test URLs"),
        |target| {
            Box::pin(async move {
                let habits =
                    ["requires-place", "deploy-notify", "base-url-end", "test-url", "no-sso", "user-in-url", "plans"];
                none(target, |finding| habits.contains(&finding.rule))
            })
        },
    ),
];

fn is_about_keys(finding: &Finding, level: Level) -> bool {
    matches!(finding.rule, "duplicate-key" | "misplaced-key" | "misspelt-key") && finding.level == level
}

fn none(target: &Target, filter: impl Fn(&Finding) -> bool) -> Verdict {
    let findings: Vec<_> = lint::text(&target.manifest_text).into_iter().filter(filter).collect();
    if findings.is_empty() {
        return Ok(());
    }
    let messages: Vec<_> = findings.iter().map(|finding| format!("{}: {}", finding.path, finding.message)).collect();
    Err(Stop::fault(messages.join(" "), "Fix the manifest; `maitre manifest lint` lists all findings."))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::address::Address;
    use crate::heroku::TargetOptions;
    use crate::manifest_input::ManifestInput;
    use crate::marketplace::Marketplace;

    fn input_with(change: &str, value: Value) -> ManifestInput {
        let mut json = serde_json::json!({ "id": "fast-db", "api": {
            "version": "3", "password": "unguessable-example-password", "sso_salt": "unguessable-example-salt",
            "config_vars": ["FAST_DB_URL"], "regions": ["us"], "requires": ["log_input"],
            "production": { "base_url": "https://db.example/heroku/resources", "sso_url": "https://db.example/sso" },
            "test": { "base_url": "http://localhost:8300/heroku/resources", "sso_url": "http://localhost:8300/sso" } } });
        let (parent, key) = change.rsplit_once('/').unwrap_or(("", change));
        if !change.is_empty() {
            *json.pointer_mut(parent).and_then(|parent| parent.get_mut(key)).unwrap_or(&mut Value::Null) =
                value.clone();
            if let Some(Value::Object(parent)) = json.pointer_mut(parent) {
                parent.insert(key.to_owned(), value);
            }
        }
        ManifestInput::parse(Marketplace::Heroku, &json.to_string()).unwrap_or_else(|error| panic!("{error}"))
    }

    async fn failing(input: &ManifestInput) -> Vec<(&'static str, Level)> {
        let address = Address { root: "http://127.0.0.1:1/heroku".to_owned(), sso: None };
        let (plans, options) = (vec!["test".to_owned()], Vec::new());
        let options = TargetOptions { plans, options, timeout: std::time::Duration::from_secs(1), allow_remote: false };
        // the lint reports an empty password; it is not used here
        let Ok(target) = Target::new(input, address, options, None) else { panic!("cannot create the target") };
        let mut failing = Vec::new();
        for case in CASES {
            if (case.run)(&target).await.is_err() {
                failing.push((case.check.id, case.check.level));
            }
        }
        failing
    }

    #[tokio::test]
    async fn every_lint_rule_belongs_to_one_check_of_the_same_level() {
        assert_eq!(failing(&input_with("", Value::Null)).await, []);
        for (change, value, id) in [
            ("/id", json!("fast-Db"), "slug"),
            ("/api/version", json!(3), "version"),
            ("/api/version", json!("1"), "current-form"),
            ("/api/sso_salt", json!(""), "secrets"),
            ("/api/password", json!("short"), "secret-strength"),
            ("/api/sso_salt", json!("unguessable-example-password"), "secret-strength"),
            ("/api/username", json!("me"), "no-username"),
            ("/api/config_vars", json!(["FAST_DB_url"]), "config-vars"),
            ("/api/config_vars", json!(["DB_URL"]), "config-vars"),
            ("/api/config_vars", Value::Null, "config-vars-listed"),
            ("/api/regions", json!([]), "regions"),
            ("/api/regions", json!(["moon"]), "known-names"),
            ("/api/requires", json!(["cheese"]), "known-names"),
            ("/api/production", Value::Null, "production-urls"),
            ("/api/production/base_url", json!("http://db.example/heroku/resources"), "production-urls"),
            ("/api/production/sso_url", json!("nowhere"), "production-urls"),
            ("/api/production/base_url", json!("https://localhost/heroku/resources"), "production-urls"),
            ("/api/production", json!("https://db.example"), "current-form"),
            ("/api/test/base_url", json!("localhost"), "test-urls"),
            ("/api/test", Value::Null, "habits"),
            ("/requires", json!(["log_input"]), "habits"),
            ("/api/requires", json!(["deploy_notify"]), "habits"),
            ("/api/production/base_url", json!("https://db.example/"), "habits"),
            ("/api/production/base_url", json!("https://u:p@db.example/heroku/resources"), "habits"),
            ("/plans", json!([]), "habits"),
            ("/api/password", json!("CHANGEME CHANGEME"), "placeholders"),
            ("/api/production/sso_url", json!("https://myaddon.com/sso"), "placeholders"),
            ("/version", json!("3"), "keys"),
            ("/api/config_vars_prefx", json!("FAST_DB"), "keys"),
            ("/api/config_vars_prefix", json!(""), "config-vars"),
        ] {
            let input = input_with(change, value.clone());
            let findings = lint::text(&input.text);
            assert_eq!(findings.len(), 1, "{change} = {value}: {findings:?}");
            let id = format!("heroku.manifest.{id}");
            let failing = failing(&input).await;
            assert_eq!(failing.len(), 1, "{change} = {value}: {failing:?}");
            assert_eq!((failing[0].0, failing[0].1), (id.as_str(), findings[0].level), "{change} = {value}");
        }
    }
}
