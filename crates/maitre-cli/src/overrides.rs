//! Overrides of a request's fields. An override that does not match the request is an error.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use clap::Args;
use maitre_testkit::{Call, Kind};
use serde_json::{Map, Value};

/// Changes to a request before it is sent.
#[derive(Args)]
pub(crate) struct Overrides {
    #[arg(
        long,
        value_name = "PATH=VALUE",
        help = "Change an existing field: plan=basic, oauth_grant.code=null. A value that is not JSON is a string"
    )]
    set: Vec<String>,

    /// Add a new field
    #[arg(long, value_name = "PATH=VALUE")]
    add: Vec<String>,

    /// Remove a field
    #[arg(long, value_name = "PATH")]
    unset: Vec<String>,

    /// Set a header, replacing an existing header of the same name
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,

    /// Replace the body by this text
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
}

/// Field value that can be edited as JSON.
pub(crate) trait Editable: Sized {
    fn to_json(self) -> Value;
    fn from_json(value: Value) -> Self;
}

impl Editable for Value {
    fn to_json(self) -> Value {
        self
    }

    fn from_json(value: Value) -> Self {
        value
    }
}

/// Field of a form, which can only be a string.
impl Editable for String {
    fn to_json(self) -> Value {
        Value::String(self)
    }

    fn from_json(value: Value) -> Self {
        match value {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }
}

/// Condition on a field that is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Existing,
    New,
}

impl Overrides {
    pub(crate) fn apply<K>(&self, mut call: Call<K>) -> anyhow::Result<Call<K>>
    where
        K: Kind,
        K::Value: Editable,
    {
        let fields = || call.fields().into_iter().map(|(name, value)| (name, value.to_json()));
        let before: Map<String, Value> = fields().collect();
        let mut after = Value::Object(before.clone());
        let set = self.set.iter().map(|change| (change, Field::Existing));
        let add = self.add.iter().map(|change| (change, Field::New));
        for (change, field) in set.chain(add) {
            let (path, value) =
                change.split_once('=').with_context(|| format!("invalid override {change:?}: expected path=value"))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            insert(&mut after, path, value, field)?;
        }
        for path in &self.unset {
            remove(&mut after, path)?;
        }
        let Value::Object(after) = after else { bail!("the request is no longer an object") };
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            call = call.without(name);
        }
        for (name, value) in after {
            if before.get(&name) != Some(&value) {
                call = call.set(name, K::Value::from_json(value));
            }
        }
        for header in &self.header {
            let (name, value) =
                header.split_once(':').with_context(|| format!("invalid header {header:?}: expected name: value"))?;
            call = call.header(name.trim(), value.trim());
        }
        Ok(match &self.body {
            Some(body) => call.body(body.as_bytes()),
            None => call,
        })
    }
}

/// Returns the object that contains the field at `path`, and the field's name.
fn parent<'v>(value: &'v mut Value, path: &str) -> anyhow::Result<(&'v mut Map<String, Value>, String)> {
    let mut object = value;
    let mut rest = path;
    while let Some((name, tail)) = rest.split_once('.') {
        object = match object.get_mut(name) {
            Some(inner) => inner,
            None => bail!("the request has no {path}: there is no {name}"),
        };
        rest = tail;
    }
    match object {
        Value::Object(fields) => Ok((fields, rest.to_owned())),
        _ => bail!("the request has no {path}: the parent of {rest} is not an object"),
    }
}

fn insert(value: &mut Value, path: &str, new: Value, field: Field) -> anyhow::Result<()> {
    let (fields, name) = parent(value, path)?;
    match (fields.contains_key(&name), field) {
        (false, Field::Existing) => bail!("the request has no {path} (fields: {}). Use --add to add it", names(fields)),
        (true, Field::New) => bail!("the request already has {path}: use --set to change it"),
        _ => drop(fields.insert(name, new)),
    }
    Ok(())
}

fn remove(value: &mut Value, path: &str) -> anyhow::Result<()> {
    let (fields, name) = parent(value, path)?;
    if fields.remove(&name).is_none() {
        bail!("the request has no {path} (fields: {})", names(fields));
    }
    Ok(())
}

fn names(fields: &Map<String, Value>) -> String {
    if fields.is_empty() {
        return "none".to_owned();
    }
    // sorted, as the order of a JSON map depends on the features of other crates in the build
    let names: BTreeSet<_> = fields.keys().map(String::as_str).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use maitre_testkit::Heroku;
    use serde_json::json;

    use super::*;

    fn overrides(set: &[&str], add: &[&str], unset: &[&str]) -> Overrides {
        let strings = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Overrides { set: strings(set), add: strings(add), unset: strings(unset), header: vec![], body: None }
    }

    fn provision_with(set: &[&str], add: &[&str], unset: &[&str]) -> Result<Map<String, Value>, String> {
        let heroku = Heroku::new("http://127.0.0.1:1", "lantern", "p", "s");
        let call = overrides(set, add, unset).apply(heroku.provision("basic"));
        call.map(|call| call.fields().into_iter().collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_that_is_not_json_is_a_string() {
        let set = ["plan=premium", "region=null", "options={\"a\":1}", "name=\"7\""];
        let fields = provision_with(&set, &[], &[]).unwrap();
        assert_eq!((&fields["plan"], &fields["region"]), (&json!("premium"), &Value::Null));
        assert_eq!((&fields["options"], &fields["name"]), (&json!({ "a": 1 }), &json!("7")));
    }

    #[test]
    fn a_path_selects_a_field_of_a_nested_object() {
        let set = ["oauth_grant.code=x"];
        let fields = provision_with(&set, &["options.trace=true"], &["oauth_grant.expires_at"]).unwrap();
        assert_eq!(fields["oauth_grant"], json!({ "code": "x", "type": "authorization_code" }));
        assert_eq!(fields["options"], json!({ "trace": true }));
    }

    #[test]
    fn an_override_that_does_not_match_is_an_error() {
        for (set, add, unset, message) in [
            ("paln=x", "", "", "the request has no paln (fields: callback_url, log_drain_token, log_input_url, name"),
            ("options.a=x", "", "", "the request has no options.a (fields: none). Use --add to add it"),
            ("plan.a=x", "", "", "the request has no plan.a: the parent of a is not an object"),
            ("a.b=x", "", "", "the request has no a.b: there is no a"),
            ("plan", "", "", "invalid override \"plan\": expected path=value"),
            ("", "plan=x", "", "the request already has plan: use --set to change it"),
            ("", "", "grant", "the request has no grant (fields: callback_url"),
        ] {
            let list = |text: &'static str| if text.is_empty() { vec![] } else { vec![text] };
            let error = provision_with(&list(set), &list(add), &list(unset)).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn values_of_a_form_are_strings() {
        let heroku = Heroku::new("http://127.0.0.1:1", "lantern", "p", "s");
        let overrides = overrides(&["timestamp=0"], &["tab=true"], &["token"]);
        let fields = overrides.apply(heroku.single_sign_on("7")).unwrap().fields();
        assert!(fields.contains(&("timestamp".into(), "0".into())) && fields.contains(&("tab".into(), "true".into())));
        assert!(!fields.iter().any(|(name, _)| name == "token"));
    }
}
