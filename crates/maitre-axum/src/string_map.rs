//! JSON objects of text.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// A JSON object of text, as used for command-line options. Other values are converted to their JSON text, so each
/// value is text.
///
/// ```
/// use maitre_axum::StringMap;
///
/// let options: StringMap = serde_json::from_str(r#"{ "retention": "7d", "trace": true }"#)?;
/// assert_eq!((&options.0["retention"], &options.0["trace"]), (&"7d".into(), &"true".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct StringMap(pub Map<String, Value>);

impl<'de> Deserialize<'de> for StringMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StringMapVisitor)
    }
}

struct StringMapVisitor;

impl<'de> Visitor<'de> for StringMapVisitor {
    type Value = StringMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StringMap, A::Error> {
        let mut strings = Map::new();
        while let Some((name, value)) = map.next_entry()? {
            let text = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            strings.insert(name, text.into());
        }
        Ok(StringMap(strings))
    }
}

impl fmt::Debug for StringMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
