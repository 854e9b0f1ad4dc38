//! Parsing of a [`Manifest`], key by key, so that an error names the key.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Api, Endpoints, Manifest, ManifestError, syntax};

/// Path of the resources below the root in the legacy form, a plain string.
const LEGACY_PATH: &str = "/heroku/resources";

pub(super) fn file(path: &Path) -> Result<Manifest, ManifestError> {
    let text = std::fs::read_to_string(path).map_err(|cause| {
        let remedy = match cause.kind() {
            std::io::ErrorKind::InvalidData => "save it as UTF-8",
            _ => "name an existing file, such as addon-manifest.json",
        };
        ManifestError::unreadable(format!("cannot read the manifest {}: {remedy}", path.display()), cause)
    })?;
    self::text(&text).map_err(|error| error.in_file(path))
}

pub(super) fn text(text: &str) -> Result<Manifest, ManifestError> {
    let (manifest, errors) = all(text);
    errors.into_iter().next().map_or(Ok(manifest), Err)
}

/// Reads as much as possible. Returns all errors, in the order of the keys.
pub(super) fn all(text: &str) -> (Manifest, Vec<ManifestError>) {
    let mut errors = Vec::new();
    // serde_json's messages quote a value only if its type is wrong, and `Value` accepts every type
    let value = serde_json::from_str(text).unwrap_or_else(|error| {
        errors.push(syntax::error(text, &error));
        Value::Object(Map::new())
    });
    if let Some(error) = errors.pop() {
        return (manifest(value, &mut Vec::new()), vec![error]);
    }
    (manifest(value, &mut errors), errors)
}

fn manifest(value: Value, errors: &mut Vec<ManifestError>) -> Manifest {
    let root = match value {
        Value::Object(rest) => rest,
        other => {
            errors.push(ManifestError::file(format!("the manifest is {}: write an object", kind(&other))));
            return manifest(Value::Object(Map::new()), &mut Vec::new());
        }
    };
    let mut root = Keys { path: "", rest: root, errors };
    let id = root.string("id").or_missing("id", "the add-on's slug", root.errors);
    let name = root.string("name").unwrap_or_default();
    let api = root.object("api").or_missing("api", "an object with password and URLs", root.errors);
    let mut requires = root.strings("requires"); // at the top level until 2014
    let extra = root.rest;
    let mut api = Keys { path: "api", rest: api, errors };
    let version = api.version();
    let password = api.string("password").unwrap_or_default().map(Into::into);
    let sso_salt = api.string("sso_salt").unwrap_or_default().map(Into::into);
    let config_vars = api.strings("config_vars");
    let config_vars_prefix = api.string("config_vars_prefix").unwrap_or_default();
    let regions = api.strings("regions");
    requires.extend(api.strings("requires"));
    let production = api.endpoints("production", "api.production");
    let test = api.endpoints("test", "api.test");
    let extra_api = api.rest;
    Manifest {
        id,
        name,
        api: Api {
            version,
            password,
            sso_salt,
            config_vars,
            config_vars_prefix,
            regions,
            requires,
            production,
            test,
            extra: extra_api,
        },
        extra,
    }
}

/// Error that was recorded already.
struct Recorded;

/// Value of an optional key.
type Optional<T> = Result<Option<T>, Recorded>;

trait OrMissing<T> {
    /// Returns the value, or records that the key is missing.
    fn or_missing(self, path: &str, what: &str, errors: &mut Vec<ManifestError>) -> T;
}

impl<T: Default> OrMissing<T> for Optional<T> {
    fn or_missing(self, path: &str, what: &str, errors: &mut Vec<ManifestError>) -> T {
        match self {
            Ok(Some(value)) => return value,
            Ok(None) => errors.push(ManifestError::missing(path, what)),
            Err(Recorded) => {}
        }
        T::default()
    }
}

/// The keys of one object that are not yet taken.
struct Keys<'a> {
    path: &'static str,
    rest: Map<String, Value>,
    errors: &'a mut Vec<ManifestError>,
}

impl Keys<'_> {
    fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.rest.remove(key).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, path: &str, value: &Value, write: &str) -> Recorded {
        self.errors.push(ManifestError::wrong_type(path, kind(value), write));
        Recorded
    }

    fn string(&mut self, key: &str) -> Optional<String> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(&self.path(key), &other, "a string")),
        }
    }

    fn object(&mut self, key: &str) -> Optional<Map<String, Value>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => Err(self.wrong(&self.path(key), &other, "an object")),
        }
    }

    /// Reads the version. Some tools write `3` instead of `"3"`: both are accepted, and the lint reports it.
    fn version(&mut self) -> Option<String> {
        if let Some(Value::Number(number)) = self.rest.get("version") {
            let version = number.to_string();
            self.rest.remove("version");
            return Some(version);
        }
        self.string("version").unwrap_or_default()
    }

    fn strings(&mut self, key: &str) -> Vec<String> {
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong(&self.path(key), &other, "a list of strings");
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text),
                other => {
                    self.wrong(&format!("{}[{index}]", self.path(key)), &other, "a string");
                }
            }
        }
        texts
    }

    fn endpoints(&mut self, key: &str, path: &'static str) -> Option<Endpoints> {
        match self.take(key)? {
            Value::String(root) => {
                let root = root.trim_end_matches('/');
                let suffix = if root.ends_with(LEGACY_PATH) { "" } else { LEGACY_PATH };
                Some(Endpoints { base_url: format!("{root}{suffix}"), sso_url: None, legacy: true })
            }
            Value::Object(rest) => {
                let mut keys = Keys { path, rest, errors: self.errors };
                let base_path = keys.path("base_url");
                let base_url = keys.string("base_url").or_missing(&base_path, "the URL of your resources", keys.errors);
                let sso_url = keys.string("sso_url").unwrap_or_default();
                Some(Endpoints { base_url, sso_url, legacy: false })
            }
            other => {
                self.wrong(path, &other, "an object with base_url and sso_url");
                None
            }
        }
    }
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATED: &str = r#"{ "id": "lantern", "name": "Lantern", "$base": 7,
        "api": { "version": "3", "password": "s3cr3t-example", "sso_salt": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
          "config_vars_prefix": "LANTERN", "config_vars": ["LANTERN_URL", "LANTERN_TOKEN"], "$base": 9,
          "regions": ["us", "eu"], "requires": ["many_per_app", "attachable"],
          "production": { "base_url": "https://api.lantern.example/heroku/resources",
                          "sso_url": "https://api.lantern.example/heroku/sso" } } }"#;

    #[test]
    fn a_generated_manifest_is_read_completely() {
        let manifest = Manifest::parse(GENERATED).unwrap();
        assert_eq!(manifest.name.as_deref(), Some("Lantern"));
        assert_eq!(manifest.password().unwrap().expose(), "s3cr3t-example");
        assert_eq!(manifest.api.requires, ["many_per_app", "attachable"]);
        let production = manifest.api.production.unwrap();
        assert_eq!(production.sso_url.as_deref(), Some("https://api.lantern.example/heroku/sso"));
        assert!(!production.legacy);
    }

    #[test]
    fn unknown_keys_are_kept_on_both_levels() {
        let manifest = Manifest::parse(GENERATED).unwrap();
        assert_eq!(manifest.extra["$base"], 7);
        assert_eq!(manifest.api.extra["$base"], 9);
    }

    #[test]
    fn a_string_is_the_root_of_the_legacy_paths() {
        let manifest = Manifest::parse(r#"{"id":"a","api":{"test":"http://localhost:4567/"}}"#).unwrap();
        let test = manifest.api.test.unwrap();
        assert_eq!(
            (test.base_url.as_str(), test.sso_url, test.legacy),
            ("http://localhost:4567/heroku/resources", None, true)
        );
        let full = Manifest::parse(r#"{"id":"a","api":{"test":"http://localhost:4567/heroku/resources"}}"#).unwrap();
        assert_eq!(full.api.test.unwrap().base_url, "http://localhost:4567/heroku/resources");
    }

    #[test]
    fn an_error_names_the_position_and_no_value() {
        for (text, message) in [
            ("{", "the manifest is not JSON: EOF while parsing an object at line 1 column 1"),
            ("[]", "the manifest is a list: write an object"),
            ("{}", "the manifest lacks id: add the add-on's slug"),
            (r#"{"id":"a"}"#, "the manifest lacks api: add an object with password and URLs"),
            (r#"{"id":"a","api":[]}"#, "the manifest's api is a list: write an object"),
            (
                r#"{"id":"a","api":{"config_vars":["A",7]}}"#,
                "the manifest's api.config_vars[1] is a number: write a string",
            ),
            (
                r#"{"id":"a","api":{"production":{}}}"#,
                "the manifest lacks api.production.base_url: add the URL of your resources",
            ),
        ] {
            assert_eq!(Manifest::parse(text).unwrap_err().to_string(), message);
        }
        let missing = Manifest::read("no/such/file.json").unwrap_err();
        assert!(missing.to_string().contains("no/such/file.json"));
        assert!(std::error::Error::source(&missing).is_some());
    }

    #[test]
    fn every_error_is_reported() {
        let problems =
            Manifest::problems(r#"{"name":5,"api":{"version":true,"requires":[null],"test":{"sso_url":[]}}}"#);
        let paths: Vec<_> = problems.iter().map(ManifestError::path).collect();
        let expected = ["id", "name", "api.version", "api.requires[0]", "api.test.base_url", "api.test.sso_url"];
        assert_eq!(paths, [&expected[..], &["api.password"]].concat());
        assert_eq!(Manifest::problems("{").len(), 1, "what follows from a syntax error is not reported");
        assert_eq!(Manifest::problems("{\"id\":\"a\"}").len(), 1);
        assert!(Manifest::problems(GENERATED).is_empty());
    }

    #[test]
    fn a_salt_is_required_for_single_sign_on_only() {
        let paths = |production: &str| {
            let text = format!(r#"{{"id":"a","api":{{"password":"p","production":{production}}}}}"#);
            let problems = Manifest::problems(&text);
            assert_eq!(problems.is_empty(), Manifest::parse(&text).unwrap().credentials().is_ok(), "{text}");
            problems.into_iter().map(|error| error.path().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(paths(r#"{"base_url":"https://a.example"}"#), [""; 0]);
        assert_eq!(paths(r#"{"base_url":"https://a.example","sso_url":"https://a.example/sso"}"#), ["api.sso_salt"]);
        assert_eq!(paths(r#""https://a.example""#), ["api.sso_salt"], "the legacy form has single sign-on by GET");
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = r#"{"id":"a","api":{"test":{"base_url":"http://u:hunter2@localhost","sso_url":"http://u:hunter2@localhost"}}}"#;
        let shown = format!("{:?}", Manifest::parse(text).unwrap());
        assert!(shown.contains("localhost") && !shown.contains("hunter2"), "{shown}");
        let shown = format!("{:?}", Manifest::parse(GENERATED).unwrap());
        assert!(shown.contains("lantern"));
        assert!(!shown.contains("s3cr3t") && !shown.contains("0f1e2d3c"), "{shown}");
    }
}
