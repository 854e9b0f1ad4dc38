//! Parsing of a [`Manifest`], key by key, so that an error names the key.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Api, Endpoints, Manifest, ManifestError};

pub(super) fn file(path: &Path) -> Result<Manifest, ManifestError> {
    let text = std::fs::read_to_string(path).map_err(|cause| ManifestError {
        message: format!(
            "cannot read the manifest {}: name an existing file, such as addon-manifest.json",
            path.display()
        ),
        cause: Some(cause),
    })?;
    text_of(&text)
        .map_err(|error| ManifestError { message: format!("{} ({})", error.message, path.display()), ..error })
}

pub(super) fn text(text: &str) -> Result<Manifest, ManifestError> {
    text_of(text)
}

fn text_of(text: &str) -> Result<Manifest, ManifestError> {
    // serde_json's messages quote a value only if its type is wrong, and `Value` accepts every type
    let value: Value =
        serde_json::from_str(text).map_err(|error| ManifestError::new(format!("the manifest is not JSON: {error}")))?;
    let mut root = Keys::new("", value)?;
    let id = root.string("id")?.ok_or_else(|| ManifestError::missing("id", "the add-on's slug"))?;
    let name = root.string("name")?;
    let api = root.take("api").ok_or_else(|| ManifestError::missing("api", "an object with password and URLs"))?;
    let mut requires = root.strings("requires")?; // at the top level until 2014
    let mut api = Keys::new("api", api)?;
    requires.extend(api.strings("requires")?);
    Ok(Manifest {
        id,
        name,
        api: Api {
            version: api.version()?,
            password: api.string("password")?.map(Into::into),
            sso_salt: api.string("sso_salt")?.map(Into::into),
            config_vars: api.strings("config_vars")?,
            config_vars_prefix: api.string("config_vars_prefix")?,
            regions: api.strings("regions")?,
            requires,
            production: api.endpoints("production")?,
            test: api.endpoints("test")?,
            extra: api.rest,
        },
        extra: root.rest,
    })
}

/// The keys of one object that are not yet taken.
struct Keys {
    path: &'static str,
    rest: Map<String, Value>,
}

impl Keys {
    fn new(path: &'static str, value: Value) -> Result<Self, ManifestError> {
        match value {
            Value::Object(rest) => Ok(Self { path, rest }),
            other if path.is_empty() => {
                Err(ManifestError::new(format!("the manifest is {}: write an object", kind(&other))))
            }
            other => Err(wrong(path, &other, "an object")),
        }
    }

    fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.rest.remove(key).filter(|value| !value.is_null())
    }

    fn string(&mut self, key: &str) -> Result<Option<String>, ManifestError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(&self.path(key), &other, "a string")),
        }
    }

    /// Reads the version. Some tools write `3` instead of `"3"`: both are accepted, and the lint reports it.
    fn version(&mut self) -> Result<Option<String>, ManifestError> {
        match self.take("version") {
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(value) => {
                self.rest.insert("version".into(), value);
                self.string("version")
            }
            None => Ok(None),
        }
    }

    fn strings(&mut self, key: &str) -> Result<Vec<String>, ManifestError> {
        let items = match self.take(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(wrong(&self.path(key), &other, "a list of strings")),
        };
        let text = |(index, item)| match item {
            Value::String(text) => Ok(text),
            other => Err(wrong(&format!("{}[{index}]", self.path(key)), &other, "a string")),
        };
        items.into_iter().enumerate().map(text).collect()
    }

    fn endpoints(&mut self, key: &'static str) -> Result<Option<Endpoints>, ManifestError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(root)) => {
                let base_url = format!("{}/heroku/resources", root.trim_end_matches('/'));
                Ok(Some(Endpoints { base_url, sso_url: None, legacy: true }))
            }
            Some(Value::Object(rest)) => {
                let path = if key == "test" { "api.test" } else { "api.production" };
                let mut keys = Self { path, rest };
                let base_url = keys
                    .string("base_url")?
                    .ok_or_else(|| ManifestError::missing(&keys.path("base_url"), "the URL of your resources"))?;
                Ok(Some(Endpoints { base_url, sso_url: keys.string("sso_url")?, legacy: false }))
            }
            Some(other) => Err(wrong(&self.path(key), &other, "an object with base_url and sso_url")),
        }
    }
}

fn wrong(path: &str, value: &Value, write: &str) -> ManifestError {
    ManifestError::new(format!("the manifest's {path} is {}: write {write}", kind(value)))
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
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", Manifest::parse(GENERATED).unwrap());
        assert!(shown.contains("lantern"));
        assert!(!shown.contains("s3cr3t") && !shown.contains("0f1e2d3c"), "{shown}");
    }
}
