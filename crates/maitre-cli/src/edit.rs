//! Overrides of a request's fields, each of which has to hit something.

use anyhow::{Context as _, bail};
use clap::Args;
use maitre_testkit::{Call, Kind};
use serde_json::{Map, Value};

use crate::answer::Fault;

/// What is changed in a request before it is sent.
#[derive(Args)]
pub(crate) struct Edits {
    #[arg(
        long,
        value_name = "PATH=VALUE",
        help = "Change a field that is there: plan=basic, oauth_grant.code=null. The value is JSON, or else a text"
    )]
    set: Vec<String>,

    /// Add a field that is not there
    #[arg(long, value_name = "PATH=VALUE")]
    add: Vec<String>,

    /// Leave a field out
    #[arg(long, value_name = "PATH")]
    unset: Vec<String>,

    /// Send this header, in place of the one of its name
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,

    /// Send these bytes in place of the body
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
}

/// A field's value that can be edited as JSON.
pub(crate) trait Editable: Sized {
    fn to_json(self) -> Value;
    fn from_json(value: Value) -> Result<Self, Fault>;
}

impl Editable for Value {
    fn to_json(self) -> Value {
        self
    }

    fn from_json(value: Value) -> Result<Self, Fault> {
        Ok(value)
    }
}

impl Editable for String {
    fn to_json(self) -> Value {
        Value::String(self)
    }

    /// A form holds texts alone.
    fn from_json(value: Value) -> Result<Self, Fault> {
        match value {
            Value::String(text) => Ok(text),
            other => Ok(other.to_string()),
        }
    }
}

impl Edits {
    pub(crate) fn apply<K>(&self, mut call: Call<K>) -> Result<Call<K>, Fault>
    where
        K: Kind,
        K::Value: Editable,
    {
        let fields = || call.fields().into_iter().map(|(name, value)| (name, value.to_json()));
        let before: Map<String, Value> = fields().collect();
        let mut after = Value::Object(before.clone());
        for (change, there) in self.set.iter().map(|it| (it, true)).chain(self.add.iter().map(|it| (it, false))) {
            let (path, value) =
                change.split_once('=').with_context(|| format!("{change:?} is no change: write path=value"))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            put(&mut after, path, value, there)?;
        }
        for path in &self.unset {
            take(&mut after, path)?;
        }
        let Value::Object(after) = after else { bail!("the request is no object any more") };
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            call = call.without(name);
        }
        for (name, value) in after {
            if before.get(&name) != Some(&value) {
                call = call.set(name, K::Value::from_json(value)?);
            }
        }
        for header in &self.header {
            let (name, value) =
                header.split_once(':').with_context(|| format!("{header:?} is no header: write name: value"))?;
            call = call.header(name.trim(), value.trim());
        }
        Ok(match &self.body {
            Some(body) => call.body(body.as_bytes()),
            None => call,
        })
    }
}

fn parent<'v>(value: &'v mut Value, path: &str) -> Result<(&'v mut Map<String, Value>, String), Fault> {
    let whole = path;
    let mut place = value;
    let mut rest = path;
    while let Some((first, others)) = rest.split_once('.') {
        place = match place.get_mut(first) {
            Some(inner) => inner,
            None => bail!("the request has no {whole}: there is no {first} in it"),
        };
        rest = others;
    }
    match place {
        Value::Object(fields) => Ok((fields, rest.to_owned())),
        _ => bail!("the request has no {whole}: what holds {rest} is no object"),
    }
}

fn put(value: &mut Value, path: &str, new: Value, there: bool) -> Result<(), Fault> {
    let (fields, name) = parent(value, path)?;
    match (fields.contains_key(&name), there) {
        (false, true) => bail!("the request has no {path}: it has {}. Say --add to add it", names(fields)),
        (true, false) => bail!("the request has {path}: say --set to change it"),
        _ => drop(fields.insert(name, new)),
    }
    Ok(())
}

fn take(value: &mut Value, path: &str) -> Result<(), Fault> {
    let (fields, name) = parent(value, path)?;
    if fields.remove(&name).is_none() {
        bail!("the request has no {path}: it has {}", names(fields));
    }
    Ok(())
}

fn names(fields: &Map<String, Value>) -> String {
    if fields.is_empty() {
        return "no field at all".to_owned();
    }
    // in this order, whatever order the build's other crates have JSON keep
    fields
        .keys()
        .map(String::as_str)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use maitre_testkit::Heroku;
    use serde_json::json;

    use super::*;

    fn edits(set: &[&str], add: &[&str], unset: &[&str]) -> Edits {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Edits { set: texts(set), add: texts(add), unset: texts(unset), header: vec![], body: None }
    }

    fn edited(set: &[&str], add: &[&str], unset: &[&str]) -> Result<Map<String, Value>, String> {
        let heroku = Heroku::new("http://127.0.0.1:1", "lantern", "p", "s");
        let call = edits(set, add, unset).apply(heroku.provision("basic"));
        call.map(|call| call.fields().into_iter().collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_json_or_else_a_text() {
        let fields = edited(&["plan=premium", "region=null", "options={\"a\":1}", "name=\"7\""], &[], &[]).unwrap();
        assert_eq!((&fields["plan"], &fields["region"]), (&json!("premium"), &Value::Null));
        assert_eq!((&fields["options"], &fields["name"]), (&json!({ "a": 1 }), &json!("7")));
    }

    #[test]
    fn a_path_goes_into_objects() {
        let fields = edited(&["oauth_grant.code=x"], &["options.trace=true"], &["oauth_grant.expires_at"]).unwrap();
        assert_eq!(fields["oauth_grant"], json!({ "code": "x", "type": "authorization_code" }));
        assert_eq!(fields["options"], json!({ "trace": true }));
    }

    #[test]
    fn what_hits_nothing_is_an_error() {
        for (set, add, unset, said) in [
            ("paln=x", "", "", "the request has no paln: it has callback_url, log_drain_token, log_input_url, name"),
            ("options.a=x", "", "", "the request has no options.a: it has no field at all. Say --add to add it"),
            ("plan.a=x", "", "", "the request has no plan.a: what holds a is no object"),
            ("a.b=x", "", "", "the request has no a.b: there is no a in it"),
            ("plan", "", "", "\"plan\" is no change: write path=value"),
            ("", "plan=x", "", "the request has plan: say --set to change it"),
            ("", "", "grant", "the request has no grant: it has callback_url"),
        ] {
            let some = |text: &'static str| if text.is_empty() { vec![] } else { vec![text] };
            let error = edited(&some(set), &some(add), &some(unset)).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn a_form_holds_texts() {
        let heroku = Heroku::new("http://127.0.0.1:1", "lantern", "p", "s");
        let form = edits(&["timestamp=0"], &["tab=true"], &["token"]).apply(heroku.single_sign_on("7")).unwrap();
        let fields = form.fields();
        assert!(fields.contains(&("timestamp".into(), "0".into())) && fields.contains(&("tab".into(), "true".into())));
        assert!(!fields.iter().any(|(name, _)| name == "token"));
    }
}
