use serde_json::json;

use super::*;

/// Returns `path: detail`, or nothing for a valid value.
fn problem(schema: &Value, parameters: &Value) -> String {
    let schema = Schema::new(schema.clone());
    assert_eq!(schema.problem(), None);
    match schema.check(parameters.as_object().expect("an object")) {
        Ok(()) => String::new(),
        Err(problem) => format!("{}: {}", problem.path, problem.detail),
    }
}

/// Checks one parameter `a`.
fn problem_of(schema: &Value, value: &Value) -> String {
    problem(&json!({ "properties": { "a": schema } }), &json!({ "a": value }))
}

#[test]
fn each_keyword_accepts_and_rejects() {
    for (schema, valid, invalid, message) in [
        (json!({ "type": "string" }), json!("x"), json!(1), "it must be a string"),
        (json!({ "type": ["integer", "null"] }), json!(null), json!("x"), "it must be an integer or null"),
        (json!({ "type": "integer" }), json!(1.0), json!(1.5), "it must be an integer"),
        (json!({ "type": "number" }), json!(1.5), json!(true), "it must be a number"),
        (json!({ "type": "boolean" }), json!(false), json!(0), "it must be a boolean"),
        (json!({ "type": "array" }), json!([]), json!({}), "it must be an array"),
        (json!({ "type": "object" }), json!({}), json!([]), "it must be an object"),
        (json!({ "enum": ["7d", 30] }), json!(30.0), json!("8d"), "it must be one of \"7d\", 30"),
        (json!({ "const": { "b": 1 } }), json!({ "b": 1.0 }), json!({}), "it must be {\"b\":1}"),
        (json!({ "minimum": 1 }), json!(1), json!(0.9), "it must be at least 1"),
        (json!({ "maximum": 9.5 }), json!(9.5), json!(10), "it must be at most 9.5"),
        (json!({ "minimum": 1, "exclusiveMinimum": true }), json!(2), json!(1), "it must be greater than 1"),
        (json!({ "exclusiveMinimum": 1 }), json!(1.1), json!(1), "it must be greater than 1"),
        (json!({ "maximum": 9, "exclusiveMaximum": true }), json!(8), json!(9), "it must be less than 9"),
        (json!({ "exclusiveMaximum": 9 }), json!(8), json!(9), "it must be less than 9"),
        (json!({ "multipleOf": 5 }), json!(15), json!(16), "it must be a multiple of 5"),
        (json!({ "multipleOf": 0.1 }), json!(0.3), json!(0.35), "it must be a multiple of 0.1"),
        (json!({ "minLength": 2 }), json!("üü"), json!("ü"), "it must have at least 2 characters"),
        (json!({ "maxLength": 2 }), json!("üü"), json!("üüü"), "it must have at most 2 characters"),
        (json!({ "minItems": 1 }), json!([1]), json!([]), "it must have at least 1 item"),
        (json!({ "maxItems": 1 }), json!([1]), json!([1, 2]), "it must have at most 1 item"),
        (json!({ "uniqueItems": true }), json!([1, 2]), json!([1, 1.0]), "it must not have an item twice"),
        (json!({ "minProperties": 1 }), json!({ "b": 1 }), json!({}), "it must have at least 1 field"),
        (json!({ "maxProperties": 1 }), json!({ "b": 1 }), json!({ "b": 1, "c": 2 }), "it must have at most 1 field"),
        (json!({ "allOf": [{ "minimum": 1 }, { "maximum": 2 }] }), json!(2), json!(3), "it must be at most 2"),
        (
            json!({ "anyOf": [{ "type": "null" }, { "minimum": 1 }] }),
            json!(1),
            json!(0),
            "it has none of the allowed forms",
        ),
        (
            json!({ "oneOf": [{ "minimum": 1 }, { "minimum": 5 }] }),
            json!(2),
            json!(0),
            "it has none of the allowed forms",
        ),
        (
            json!({ "oneOf": [{ "minimum": 1 }, { "minimum": 5 }] }),
            json!(2),
            json!(6),
            "it has more than one of the allowed forms",
        ),
        (json!({ "not": { "const": 1 } }), json!(2), json!(1), "it has a form that is not allowed"),
    ] {
        assert_eq!(problem_of(&schema, &valid), "", "{schema} {valid}");
        assert_eq!(problem_of(&schema, &invalid), format!("a: {message}"), "{schema} {invalid}");
    }
}

#[test]
fn a_rule_applies_only_to_values_of_its_type() {
    let schema = json!({ "minimum": 1, "minLength": 2, "minItems": 2, "required": ["b"] });
    for value in [json!(null), json!(true), json!(1), json!("xx"), json!([1, 2]), json!({ "b": 1 })] {
        assert_eq!(problem_of(&schema, &value), "", "{value}");
    }
}

#[test]
fn a_problem_names_the_path() {
    let schema = json!({
        "required": ["size"],
        "properties": {
            "size": { "type": "object", "additionalProperties": { "type": "integer" } },
            "zones": { "items": { "type": "string" } },
            "pair": { "items": [{ "type": "string" }, { "type": "integer" }], "additionalItems": false },
        },
        "additionalProperties": false,
    });
    for (parameters, expected) in [
        (json!({ "size": {} }), ""),
        (json!({}), "size: it is required"),
        (json!({ "size": { "disk": "10" } }), "size.disk: it must be an integer"),
        (json!({ "size": {}, "zones": ["a", "b", 3] }), "zones[2]: it must be a string"),
        (json!({ "size": {}, "pair": ["a", 1] }), ""),
        (json!({ "size": {}, "pair": ["a", "b"] }), "pair[1]: it must be an integer"),
        (json!({ "size": {}, "pair": ["a", 1, 2] }), "pair[2]: it is not allowed"),
        (json!({ "size": {}, "sizes": {} }), "sizes: it is not allowed"),
    ] {
        assert_eq!(problem(&schema, &parameters), expected, "{parameters}");
    }
    assert_eq!(problem(&json!({ "minProperties": 1 }), &json!({})), ": it must have at least 1 field");
}

#[test]
fn a_callers_text_is_not_quoted_and_its_names_are_short_and_plain() {
    let schema = json!({ "properties": { "a": { "enum": ["x"] } }, "additionalProperties": false });
    assert_eq!(problem(&schema, &json!({ "a": "s3cr3t" })), "a: it must be \"x\"");
    let long = problem(&schema, &json!({ ("\r\n".to_owned() + &"b".repeat(1000)): 1 }));
    assert_eq!(long, format!("\\r\\n{}: it is not allowed", "b".repeat(62)));
}

#[test]
fn large_integers_are_compared_exactly() {
    let schema = json!({ "maximum": 9_007_199_254_740_992_u64 });
    assert_eq!(problem_of(&schema, &json!(9_007_199_254_740_992_u64)), "");
    assert_ne!(problem_of(&schema, &json!(9_007_199_254_740_993_u64)), "");
    assert_ne!(problem_of(&json!({ "maximum": -1 }), &json!(u64::MAX)), "");
}

#[test]
fn a_schema_with_an_unsupported_keyword_is_a_problem() {
    for (schema, path, detail) in [
        (
            json!({ "pattern": "^a" }),
            "pattern",
            "regular expressions are not supported: check the text in the listener",
        ),
        (
            json!({ "properties": { "a": { "$ref": "#/definitions/b" } } }),
            "properties.a.$ref",
            "references are not supported: write the schema in its place",
        ),
        (json!({ "allOf": [{}, { "propertys": {} }] }), "allOf[1].propertys", "this keyword is not supported"),
        (json!({ "type": "text" }), "type", "this type does not exist"),
        (json!({ "required": true }), "required", "write an array"),
        (json!({ "required": [1] }), "required", "write an array of strings"),
        (json!({ "enum": [] }), "enum", "write an array that is not empty"),
        (json!({ "minimum": "1" }), "minimum", "write a number"),
        (json!({ "multipleOf": 0 }), "multipleOf", "write a number that is greater than 0"),
        (json!({ "minLength": -1 }), "minLength", "write an integer that is not negative"),
        (json!({ "minLength": 3, "maxLength": 2 }), "minLength", "it is greater than the maximum"),
        (json!({ "exclusiveMinimum": true }), "exclusiveMinimum", "it needs a limit next to it"),
        (json!({ "items": 1 }), "items", "write a schema: an object or a boolean"),
        (json!(true), "", "write an object"),
        (json!({ "title": "x".repeat(70_000) }), "", "it has more than 64 kB"),
    ] {
        let compiled = Schema::new(schema);
        let expected = SchemaProblem { path: path.to_owned(), detail: detail.to_owned() };
        assert_eq!(compiled.problem(), Some(&expected));
    }
}

#[test]
fn annotations_have_no_effect_and_the_draft_is_named() {
    let schema = json!({ "title": "t", "format": "uri", "default": 1, "ui:label": "Size", "x-order": 2 });
    let schema = Schema::new(schema);
    assert_eq!((schema.problem(), schema.source()["$schema"].as_str()), (None, Some(DRAFT_4)));
    assert_eq!(schema.check(&Map::new()), Ok(()));
    let later = Schema::new(json!({ "$schema": "http://json-schema.org/draft-07/schema#" }));
    assert_eq!(later.source()["$schema"], "http://json-schema.org/draft-07/schema#");
}
