//! JSON objects whose values may be secret.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::map::{IntoIter, Iter};
use serde_json::{Map, Value};

/// A JSON object whose values are not printed: a customer's parameters, the fields of one marketplace, or credentials.
///
/// ```
/// use maitre_core::Fields;
///
/// let mut parameters = Fields::new();
/// parameters.insert("retention", "7d");
/// parameters.insert("seats", 3);
/// assert_eq!(parameters.text("retention"), Some("7d"));
/// assert_eq!(parameters.get("seats").and_then(|seats| seats.as_u64()), Some(3));
/// assert_eq!(format!("{parameters:?}"), r#"{"retention", "seats"}"#);
/// ```
#[derive(Clone, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Creates an empty object.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns a field that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Sets a field and returns its previous value.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(name.into(), value.into())
    }

    /// Sets the fields that have a value.
    ///
    /// ```
    /// use maitre_core::Fields;
    ///
    /// let mut details = Fields::new();
    /// details.extend_some([("callback_url", Some("https://api.example.org/7")), ("log_drain_token", None)]);
    /// assert_eq!(details.len(), 1);
    /// ```
    pub fn extend_some<N: Into<String>, V: Into<Value>>(&mut self, fields: impl IntoIterator<Item = (N, Option<V>)>) {
        self.extend(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }

    /// Removes a field and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Returns the number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether it has no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names and values.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter()
    }

    /// Returns the object as a JSON map.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Converts to a JSON map.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// Deserializes the object.
    ///
    /// # Errors
    /// Returns an error if it is not a `T`. The error quotes the value, so it must not be logged or sent.
    ///
    /// ```
    /// use maitre_core::Fields;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Parameters {
    ///     seats: u32,
    /// }
    ///
    /// let parameters: Fields = [("seats", 3)].into_iter().collect();
    /// assert_eq!(parameters.read::<Parameters>()?.seats, 3);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.0)
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl From<Map<String, Value>> for Fields {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        Self::Object(fields.0)
    }
}

impl<N: Into<String>, V: Into<Value>> Extend<(N, V)> for Fields {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, fields: I) {
        self.0.extend(fields.into_iter().map(|(name, value)| (name.into(), value.into())));
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut object = Self::new();
        object.extend(fields);
        object
    }
}

impl IntoIterator for Fields {
    type Item = (String, Value);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = (&'a String, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self)
    }
}
