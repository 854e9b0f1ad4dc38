//! Checks of a value against a compiled schema.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::number::{compare, is_equal, is_integer, is_multiple};
use super::path::{Path, SchemaProblem};
use super::rules::{Node, Range, Rules, Type};

type Result = std::result::Result<(), SchemaProblem>;

/// The most values that a message lists.
const MAX_LISTED: usize = 20;

/// Returns the first problem. It quotes values of the schema, but none of the caller.
pub(super) fn check(node: &Node, value: &Value, path: Path<'_>) -> Result {
    let rules = match node {
        Node::Anything => return Ok(()),
        Node::Nothing => return Err(path.problem("it is not allowed")),
        Node::Rules(rules) => rules,
    };
    if let Some(types) = &rules.types
        && !types.iter().any(|it| has_type(value, *it))
    {
        let types: Vec<_> = types.iter().map(|it| it.phrase()).collect();
        return Err(path.problem(format!("it must be {}", types.join(" or "))));
    }
    if let Some(values) = &rules.values
        && !values.iter().any(|it| is_equal(it, value))
    {
        return Err(path.problem(one_of_phrase(values)));
    }
    match value {
        Value::Number(number) => check_number(rules, number, path)?,
        Value::String(text) => check_range(rules.length, text.chars().count(), "character", path)?,
        Value::Array(items) => check_array(rules, items, path)?,
        Value::Object(fields) => check_object(rules, fields, path)?,
        Value::Null | Value::Bool(_) => {}
    }
    check_combinations(rules, value, path)
}

fn has_type(value: &Value, expected: Type) -> bool {
    match expected {
        Type::Null => value.is_null(),
        Type::Boolean => value.is_boolean(),
        Type::Integer => value.as_number().is_some_and(is_integer),
        Type::Number => value.is_number(),
        Type::String => value.is_string(),
        Type::Array => value.is_array(),
        Type::Object => value.is_object(),
    }
}

fn one_of_phrase(values: &[Value]) -> String {
    match values {
        [value] => format!("it must be {value}"),
        values if values.len() > MAX_LISTED => "it is not one of the allowed values".to_owned(),
        values => {
            let values: Vec<_> = values.iter().map(ToString::to_string).collect();
            format!("it must be one of {}", values.join(", "))
        }
    }
}

fn check_number(rules: &Rules, number: &Number, path: Path<'_>) -> Result {
    for limit in &rules.lower {
        match compare(number, &limit.value) {
            Ordering::Less if !limit.exclusive => {
                return Err(path.problem(format!("it must be at least {}", limit.value)));
            }
            Ordering::Less | Ordering::Equal if limit.exclusive => {
                return Err(path.problem(format!("it must be greater than {}", limit.value)));
            }
            _ => {}
        }
    }
    for limit in &rules.upper {
        match compare(number, &limit.value) {
            Ordering::Greater if !limit.exclusive => {
                return Err(path.problem(format!("it must be at most {}", limit.value)));
            }
            Ordering::Greater | Ordering::Equal if limit.exclusive => {
                return Err(path.problem(format!("it must be less than {}", limit.value)));
            }
            _ => {}
        }
    }
    match &rules.multiple_of {
        Some(factor) if !is_multiple(number, factor) => Err(path.problem(format!("it must be a multiple of {factor}"))),
        _ => Ok(()),
    }
}

fn check_range(range: Range, count: usize, unit: &str, path: Path<'_>) -> Result {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let problem = |bound: &str, limit: u64| {
        let plural = if limit == 1 { "" } else { "s" };
        Err(path.problem(format!("it must have {bound} {limit} {unit}{plural}")))
    };
    match range {
        Range { min: Some(min), .. } if count < min => problem("at least", min),
        Range { max: Some(max), .. } if count > max => problem("at most", max),
        _ => Ok(()),
    }
}

fn check_array(rules: &Rules, items: &[Value], path: Path<'_>) -> Result {
    check_range(rules.item_count, items.len(), "item", path)?;
    let is_repeated = |(index, item): (usize, &Value)| items[..index].iter().any(|earlier| is_equal(earlier, item));
    if rules.unique_items && items.iter().enumerate().any(is_repeated) {
        return Err(path.problem("it must not have an item twice"));
    }
    items.iter().enumerate().try_for_each(|(index, item)| {
        let node = rules.first_items.get(index).unwrap_or(&rules.other_items);
        check(node, item, Path::Index(&path, index))
    })
}

fn check_object(rules: &Rules, fields: &Map<String, Value>, path: Path<'_>) -> Result {
    if let Some(missing) = rules.required.iter().find(|name| !fields.contains_key(*name)) {
        return Err(Path::Field(&path, missing).problem("it is required"));
    }
    check_range(rules.field_count, fields.len(), "field", path)?;
    fields.iter().try_for_each(|(name, value)| {
        let node = rules.properties.get(name).unwrap_or(&rules.other_fields);
        check(node, value, Path::Field(&path, name))
    })
}

fn check_combinations(rules: &Rules, value: &Value, path: Path<'_>) -> Result {
    let is_valid = |node: &Node| check(node, value, path).is_ok();
    rules.all_of.iter().try_for_each(|node| check(node, value, path))?;
    if rules.any_of.as_ref().is_some_and(|nodes| !nodes.iter().any(is_valid)) {
        return Err(path.problem("it has none of the allowed forms"));
    }
    match rules.one_of.as_ref().map(|nodes| nodes.iter().filter(|node| is_valid(node)).count()) {
        None | Some(1) => {}
        Some(0) => return Err(path.problem("it has none of the allowed forms")),
        Some(_) => return Err(path.problem("it has more than one of the allowed forms")),
    }
    if rules.not.as_ref().is_some_and(is_valid) {
        return Err(path.problem("it has a form that is not allowed"));
    }
    Ok(())
}
