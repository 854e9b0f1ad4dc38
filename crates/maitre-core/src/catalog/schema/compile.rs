//! Compilation of a schema. A keyword that is unknown or has a value of another type is a problem.

use serde_json::{Map, Number, Value};

use super::path::{Path, SchemaProblem};
use super::rules::{Limit, Node, Range, Rules, Type};

type Result<T> = std::result::Result<T, SchemaProblem>;

/// Compiles the schema of an object.
pub(super) fn compile(schema: &Map<String, Value>) -> Result<Node> {
    rules(schema, Path::Root)
}

fn node(schema: &Value, path: Path<'_>) -> Result<Node> {
    match schema {
        Value::Bool(true) => Ok(Node::Anything),
        Value::Bool(false) => Ok(Node::Nothing),
        Value::Object(fields) => rules(fields, path),
        _ => Err(path.problem("write a schema: an object or a boolean")),
    }
}

fn rules(schema: &Map<String, Value>, path: Path<'_>) -> Result<Node> {
    let mut rules = Rules::default();
    for (keyword, value) in schema {
        let at = Path::Field(&path, keyword);
        match keyword.as_str() {
            "type" => rules.types = Some(types(value, at)?),
            "enum" => rules.values = Some(filled(value, at)?.clone()),
            "const" => rules.values = Some(vec![value.clone()]),
            "minimum" => rules.lower.push(Limit { value: number(value, at)?, exclusive: false }),
            "maximum" => rules.upper.push(Limit { value: number(value, at)?, exclusive: false }),
            "exclusiveMinimum" => exclusive(&mut rules.lower, schema.get("minimum"), value, at)?,
            "exclusiveMaximum" => exclusive(&mut rules.upper, schema.get("maximum"), value, at)?,
            "multipleOf" => rules.multiple_of = Some(positive(value, at)?),
            "minLength" => rules.length.min = Some(count(value, at)?),
            "maxLength" => rules.length.max = Some(count(value, at)?),
            "minItems" => rules.item_count.min = Some(count(value, at)?),
            "maxItems" => rules.item_count.max = Some(count(value, at)?),
            "minProperties" => rules.field_count.min = Some(count(value, at)?),
            "maxProperties" => rules.field_count.max = Some(count(value, at)?),
            "uniqueItems" => rules.unique_items = boolean(value, at)?,
            "items" if value.is_array() => rules.first_items = nodes(array(value, at)?, at)?,
            // it has no meaning without an array of `items`
            "additionalItems" if schema.get("items").is_none_or(|items| !items.is_array()) => drop(node(value, at)?),
            "items" | "additionalItems" => rules.other_items = node(value, at)?,
            "required" => rules.required = names(value, at)?,
            "properties" => {
                for (name, schema) in object(value, at)? {
                    rules.properties.insert(name.clone(), node(schema, Path::Field(&at, name))?);
                }
            }
            "additionalProperties" => rules.other_fields = node(value, at)?,
            "allOf" => rules.all_of = nodes(filled(value, at)?, at)?,
            "anyOf" => rules.any_of = Some(nodes(filled(value, at)?, at)?),
            "oneOf" => rules.one_of = Some(nodes(filled(value, at)?, at)?),
            "not" => rules.not = Some(node(value, at)?),
            _ if is_annotation(keyword) => {}
            "$ref" => return Err(at.problem("references are not supported: write the schema in its place")),
            "pattern" | "patternProperties" => {
                return Err(at.problem("regular expressions are not supported: check the text in the listener"));
            }
            _ => return Err(at.problem("this keyword is not supported")),
        }
    }
    check_range(rules.length, path, "minLength")?;
    check_range(rules.item_count, path, "minItems")?;
    check_range(rules.field_count, path, "minProperties")?;
    Ok(Node::Rules(Box::new(rules)))
}

/// Returns whether a keyword has no effect on validity. Names with a colon, such as `ui:label`, and with the prefix `x-`
/// belong to forms.
fn is_annotation(keyword: &str) -> bool {
    const ANNOTATIONS: [&str; 14] = [
        "$schema",
        "$id",
        "id",
        "$comment",
        "title",
        "description",
        "default",
        "example",
        "examples",
        "format",
        "readOnly",
        "writeOnly",
        "deprecated",
        "definitions",
    ];
    ANNOTATIONS.contains(&keyword) || keyword.contains(':') || keyword.starts_with("x-")
}

/// In draft 4 a boolean that changes `minimum` or `maximum`, later a limit of its own.
fn exclusive(limits: &mut Vec<Limit>, inclusive: Option<&Value>, value: &Value, at: Path<'_>) -> Result<()> {
    match (value, inclusive) {
        (Value::Bool(false), _) => {}
        (Value::Bool(true), Some(Value::Number(limit))) | (Value::Number(limit), _) => {
            limits.push(Limit { value: limit.clone(), exclusive: true });
        }
        (Value::Bool(true), _) => return Err(at.problem("it needs a limit next to it")),
        _ => return Err(at.problem("write a number or a boolean")),
    }
    Ok(())
}

fn check_range(range: Range, path: Path<'_>, keyword: &str) -> Result<()> {
    match range {
        Range { min: Some(min), max: Some(max) } if min > max => {
            Err(Path::Field(&path, keyword).problem("it is greater than the maximum"))
        }
        _ => Ok(()),
    }
}

fn types(value: &Value, at: Path<'_>) -> Result<Vec<Type>> {
    let parse = |name: &str| Type::parse(name).ok_or_else(|| at.problem("this type does not exist"));
    match value {
        Value::String(name) => Ok(vec![parse(name)?]),
        _ => names(value, at)?.iter().map(|name| parse(name)).collect(),
    }
}

fn nodes(schemas: &[Value], at: Path<'_>) -> Result<Vec<Node>> {
    schemas.iter().enumerate().map(|(index, schema)| node(schema, Path::Index(&at, index))).collect()
}

fn names(value: &Value, at: Path<'_>) -> Result<Vec<String>> {
    let names = array(value, at)?.iter().map(|name| name.as_str().map(ToOwned::to_owned));
    names.collect::<Option<_>>().ok_or_else(|| at.problem("write an array of strings"))
}

fn array<'v>(value: &'v Value, at: Path<'_>) -> Result<&'v Vec<Value>> {
    value.as_array().ok_or_else(|| at.problem("write an array"))
}

fn filled<'v>(value: &'v Value, at: Path<'_>) -> Result<&'v Vec<Value>> {
    value.as_array().filter(|values| !values.is_empty()).ok_or_else(|| at.problem("write an array that is not empty"))
}

fn object<'v>(value: &'v Value, at: Path<'_>) -> Result<&'v Map<String, Value>> {
    value.as_object().ok_or_else(|| at.problem("write an object"))
}

fn boolean(value: &Value, at: Path<'_>) -> Result<bool> {
    value.as_bool().ok_or_else(|| at.problem("write a boolean"))
}

fn count(value: &Value, at: Path<'_>) -> Result<u64> {
    value.as_u64().ok_or_else(|| at.problem("write an integer that is not negative"))
}

fn number(value: &Value, at: Path<'_>) -> Result<Number> {
    value.as_number().cloned().ok_or_else(|| at.problem("write a number"))
}

fn positive(value: &Value, at: Path<'_>) -> Result<Number> {
    number(value, at)
        .ok()
        .filter(|number| number.as_f64().is_some_and(|number| number > 0.0))
        .ok_or_else(|| at.problem("write a number that is greater than 0"))
}
