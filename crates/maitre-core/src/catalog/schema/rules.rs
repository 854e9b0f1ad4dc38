//! Compiled schemas.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

/// A compiled schema, or a part of one.
#[derive(Clone, Debug, Default)]
pub(super) enum Node {
    /// Every value is valid.
    #[default]
    Anything,
    /// No value is valid.
    Nothing,
    Rules(Box<Rules>),
}

/// Rules of a schema, all of which apply. Rules for numbers, text, arrays and objects apply to values of that type.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) types: Option<Vec<Type>>,
    pub(super) values: Option<Vec<Value>>,
    pub(super) lower: Vec<Limit>,
    pub(super) upper: Vec<Limit>,
    pub(super) multiple_of: Option<Number>,
    pub(super) length: Range,
    pub(super) item_count: Range,
    pub(super) field_count: Range,
    pub(super) unique_items: bool,
    /// Schemas of the first items.
    pub(super) first_items: Vec<Node>,
    /// Schema of all other items.
    pub(super) other_items: Node,
    pub(super) required: Vec<String>,
    pub(super) properties: BTreeMap<String, Node>,
    /// Schema of all other fields.
    pub(super) other_fields: Node,
    pub(super) all_of: Vec<Node>,
    pub(super) any_of: Option<Vec<Node>>,
    pub(super) one_of: Option<Vec<Node>>,
    pub(super) not: Option<Node>,
}

/// Lower or upper limit of a number.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    pub(super) value: Number,
    pub(super) exclusive: bool,
}

/// Limits of a count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Range {
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
}

/// Type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Type {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }

    /// Returns the type in a sentence.
    pub(super) fn phrase(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}
