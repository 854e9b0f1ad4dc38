//! JSON schemas of parameters: the part of draft 4 that needs neither regular expressions nor references.
//!
//! A schema with any other keyword is an error when the catalog is built, so no rule is silently skipped.

mod check;
mod compile;
mod number;
mod path;
mod rules;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

pub(super) use path::SchemaProblem;

use path::Path;
use rules::Node;

/// The longest schema, in bytes, as demanded by Open Service Broker.
const MAX_SIZE: usize = 64 * 1024;

const DRAFT_4: &str = "http://json-schema.org/draft-04/schema#";

/// Schema of parameters. It is compiled when it is created; a problem is reported when the catalog is built.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Schema {
    source: Value,
    compiled: Result<Node, SchemaProblem>,
}

impl Schema {
    /// Creates a schema. `$schema` defaults to draft 4.
    pub(super) fn new(mut source: Value) -> Self {
        let compiled = match &mut source {
            Value::Object(fields) => {
                fields.entry("$schema").or_insert_with(|| DRAFT_4.into());
                compile::compile(fields).and_then(|node| {
                    if source.to_string().len() > MAX_SIZE {
                        return Err(Path::Root.problem("it has more than 64 kB"));
                    }
                    Ok(node)
                })
            }
            _ => Err(Path::Root.problem("write an object")),
        };
        Self { source, compiled }
    }

    /// Returns the schema as JSON.
    pub(super) fn source(&self) -> &Value {
        &self.source
    }

    /// Returns the problem of the schema itself.
    pub(super) fn problem(&self) -> Option<&SchemaProblem> {
        self.compiled.as_ref().err()
    }

    /// Checks parameters.
    pub(super) fn check(&self, parameters: &Map<String, Value>) -> Result<(), SchemaProblem> {
        let node = self.compiled.as_ref().map_err(Clone::clone)?;
        check::check(node, &Value::Object(parameters.clone()), Path::Root)
    }
}

impl From<Value> for Schema {
    fn from(source: Value) -> Self {
        Self::new(source)
    }
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source.serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
