//! Manifest lint.

mod document;
mod keys;
mod own_forms;
mod values;

#[cfg(test)]
mod tests;

use std::fmt;

use maitre_core::manifest::{ManifestError, ManifestErrorKind};
use maitre_core::{Manifest, mask_urls};
use serde_json::Value;

use crate::level::Level;
use crate::marketplace::Marketplace;

/// Problem with one key of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Path of the key to change: `api.config_vars[1]`. Empty if the problem concerns the whole file.
    pub path: String,
    /// Stable name of the rule: `config-var-name`.
    pub rule: &'static str,
    /// Severity.
    pub level: Level,
    /// Problem and remedy, without secrets.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:6} {} [{}] {}", self.level, self.path, self.rule, self.message)
    }
}

/// Checks a manifest against Heroku's rules. The most severe findings come first, otherwise in the order of the manifest's
/// documentation.
///
/// Accepts any text. Everything that [`Manifest::problems`] returns is a finding of level must.
///
/// ```
/// use maitre_conformance::{Level, lint};
///
/// let findings = lint::text(r#"{ "id": "lantern", "api": { "version": true } }"#);
/// assert_eq!((findings[0].path.as_str(), findings[0].level), ("api.version", Level::Must));
/// assert_eq!(findings[0].message, "It is a boolean: write a string.");
/// assert_eq!(lint::text("{")[0].rule, "json");
/// ```
#[must_use]
pub fn text(text: &str) -> Vec<Finding> {
    let mut lint = Lint::default();
    match document::parse(text) {
        Some(document) => {
            keys::check(&mut lint, &document);
            lint.refusals(text);
            values::check(&mut lint, &document.root);
        }
        None => lint.refusals(text),
    }
    lint.findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    lint.findings
}

/// Checks a manifest against the rules of a marketplace. Clever Cloud and Scalingo have their own; see [`text`] for the others.
///
/// ```
/// use maitre_conformance::{Marketplace, lint};
///
/// let findings = lint::text_for(Marketplace::Scalingo, r#"{ "name": "Lychee", "config_vars": [] }"#);
/// assert_eq!((findings[0].path.as_str(), findings[0].rule), ("username", "missing"));
/// ```
#[must_use]
pub fn text_for(marketplace: Marketplace, manifest: &str) -> Vec<Finding> {
    let check = match marketplace {
        Marketplace::CleverCloud => own_forms::clevercloud,
        Marketplace::Scalingo => own_forms::scalingo,
        _ => return text(manifest),
    };
    let mut lint = Lint::default();
    match serde_json::from_str(manifest) {
        Ok(Value::Object(manifest)) => check(&mut lint, &manifest),
        _ => lint.must("", "json", "The manifest is not a JSON object."),
    }
    lint.findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    lint.findings
}

/// Checks a manifest that is already parsed; see [`text`].
///
/// ```
/// use maitre_conformance::{Level, lint};
/// use serde_json::json;
///
/// let findings = lint::manifest(&json!({ "id": "Lantern", "api": {
///     "version": "3", "password": "unguessable-example-password", "sso_salt": "unguessable-example-salt",
///     "config_vars": ["LANTERN_URL"], "regions": ["us"],
///     "production": { "base_url": "https://api.lantern.example/heroku/resources",
///                     "sso_url": "https://api.lantern.example/heroku/resources/sso" } } }));
/// assert_eq!((findings[0].path.as_str(), findings[0].rule, findings[0].level), ("id", "slug", Level::Must));
/// ```
#[must_use]
pub fn manifest(manifest: &Value) -> Vec<Finding> {
    text(&manifest.to_string())
}

#[derive(Default)]
struct Lint {
    findings: Vec<Finding>,
    /// Paths of missing keys that are present under another name or in another object, with the index of that finding.
    elsewhere: Vec<(String, usize)>,
}

impl Lint {
    /// Adds a finding. If the key is missing but present elsewhere, the finding about that key gets the level instead.
    fn add(&mut self, level: Level, path: &str, rule: &'static str, message: impl Into<String>) {
        if let Some((_, index)) = self.elsewhere.iter().find(|(missing, _)| missing == path) {
            let finding = &mut self.findings[*index];
            finding.level = finding.level.max(level);
            return;
        }
        let message = mask_urls(&message.into());
        self.findings.push(Finding { path: path.to_owned(), rule, level, message });
    }

    fn has(&self, path: &str) -> bool {
        self.findings.iter().any(|finding| finding.path == path)
    }

    fn must(&mut self, path: &str, rule: &'static str, message: impl Into<String>) {
        self.add(Level::Must, path, rule, message);
    }

    fn should(&mut self, path: &str, rule: &'static str, message: impl Into<String>) {
        self.add(Level::Should, path, rule, message);
    }

    fn info(&mut self, path: &str, rule: &'static str, message: impl Into<String>) {
        self.add(Level::Info, path, rule, message);
    }

    /// Adds a finding about a key that is probably meant to be the missing key.
    fn instead(&mut self, missing: String, path: &str, rule: &'static str, message: impl Into<String>) {
        self.should(path, rule, message);
        self.elsewhere.push((missing, self.findings.len() - 1));
    }

    /// Adds whatever the reader of manifests refuses.
    fn refusals(&mut self, text: &str) {
        for error in Manifest::problems(text) {
            self.must(error.path(), rule(&error), format!("{}.", error.detail()));
        }
    }
}

fn rule(error: &ManifestError) -> &'static str {
    let is_secret = matches!(error.path(), "api.password" | "api.sso_salt");
    match error.kind() {
        ManifestErrorKind::File => "json",
        ManifestErrorKind::Missing | ManifestErrorKind::Credentials if is_secret => "secret",
        ManifestErrorKind::Missing => "missing",
        ManifestErrorKind::Credentials => "slug",
        _ => "type",
    }
}

/// Quotes a value of the manifest for a message.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() { format!("{:?}", short + "…") } else { format!("{short:?}") }
}
