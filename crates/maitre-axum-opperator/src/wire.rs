//! Opperator's request bodies: JSON, or a form with `features[name]=value`.

use maitre_axum::core::Fields;
use maitre_axum::{ErrorReply, Payload, WithExtra};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Features {
    features: Map<String, Value>,
}

/// The features, and all other fields.
type FeaturesAndExtra = (Map<String, Value>, Map<String, Value>);

pub(crate) fn features(body: &Payload) -> Result<FeaturesAndExtra, ErrorReply> {
    if body.is_form() {
        return from_form(body.bytes());
    }
    let WithExtra { fields, extra } = body.json::<Features>()?;
    Ok((fields.features, extra))
}

/// A form cannot distinguish an empty map from a missing one.
fn from_form(body: &[u8]) -> Result<FeaturesAndExtra, ErrorReply> {
    let (mut features, mut extra) = (Map::new(), Map::new());
    for (name, value) in form_urlencoded::parse(body) {
        let value = Value::from(value.into_owned());
        match name.strip_prefix("features[").and_then(|name| name.strip_suffix(']')) {
            Some(feature) => features.insert(feature.to_owned(), value),
            None if name == "features" && value == "" => None,
            None if name == "features" => {
                return Err(ErrorReply::bad_request(
                    "The body cannot be read at features: write features[name]=value.",
                ));
            }
            None => extra.insert(name.into_owned(), value),
        };
    }
    Ok((features, extra))
}

/// Joins the features and all other fields; see [`OpperatorProvision`](crate::OpperatorProvision).
pub(crate) fn details(features: Map<String, Value>, extra: Map<String, Value>) -> Fields {
    let mut details = Fields::from(extra);
    details.insert("features", features);
    details
}

/// Parses the body of a plan warning, which is undefined.
pub(crate) fn warning(body: &Payload) -> Result<Map<String, Value>, ErrorReply> {
    #[derive(Deserialize)]
    struct Nothing {}

    if body.bytes().is_empty() {
        return Ok(Map::new());
    }
    if body.is_form() {
        return from_form(body.bytes()).map(|(_, extra)| extra);
    }
    Ok(body.json::<Nothing>()?.extra)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &str, form: bool) -> Result<(Value, Value), ErrorReply> {
        let content_type = form.then_some("application/x-www-form-urlencoded");
        let (features, extra) = features(&Payload::new(body.as_bytes().to_vec(), content_type))?;
        Ok((features.into(), extra.into()))
    }

    #[test]
    fn features_are_json_or_a_form() {
        let json = r#"{"features":{"seats":5,"backups":true},"tags":1}"#;
        assert_eq!(read(json, false).unwrap(), (json!({ "seats": 5, "backups": true }), json!({ "tags": 1 })));
        let form = "features%5Bseats%5D=5&features[backups]=true&tags=1";
        assert_eq!(read(form, true).unwrap(), (json!({ "seats": "5", "backups": "true" }), json!({ "tags": "1" })));
        assert_eq!(read("features=", true).unwrap().0, json!({}));
    }

    #[test]
    fn features_that_are_not_a_map_are_rejected() {
        for body in ["{}", r#"{"features":null}"#, r#"{"features":[]}"#, "[]", ""] {
            assert!(read(body, false).is_err(), "{body}");
        }
        assert!(read("features=all", true).is_err());
    }
}
