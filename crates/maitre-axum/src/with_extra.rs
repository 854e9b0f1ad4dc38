//! Documented fields of a JSON object, and all other fields.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Value};

/// A JSON object parsed as `T`, with the fields that `T` does not have.
///
/// `#[serde(flatten)]` would do the same, but buffers every field first. Here known fields are deserialized directly by
/// `T`, whose derived `Deserialize` provides their names. `T` must be a struct without `flatten` and aliases.
///
/// ```
/// use maitre_axum::WithExtra;
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     plan: String,
/// }
///
/// let order: WithExtra<Order> = serde_json::from_str(r#"{ "plan": "basic", "tags": ["fair"] }"#)?;
/// assert_eq!(order.fields.plan, "basic");
/// assert_eq!(order.extra["tags"][0], "fair");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct WithExtra<T> {
    /// Documented fields.
    pub fields: T,
    /// All other fields, unchanged.
    pub extra: Map<String, Value>,
}

impl<T> fmt::Debug for WithExtra<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithExtra").finish_non_exhaustive()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WithExtra<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut extra = Map::new();
        let fields = T::deserialize(Split { deserializer, extra: &mut extra })?;
        Ok(Self { fields, extra })
    }
}

/// Deserializes a map where `T` requests a struct, and so sees the keys before `T` does.
struct Split<'e, D> {
    deserializer: D,
    extra: &'e mut Map<String, Value>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Split<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserializer.deserialize_map(SplitMap { fields, visitor, extra: self.extra })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
        Err(D::Error::custom("only structs have documented fields"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct SplitMap<'e, V> {
    fields: &'static [&'static str],
    visitor: V,
    extra: &'e mut Map<String, Value>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for SplitMap<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(KnownKeys { fields: self.fields, map, extra: self.extra })
    }
}

struct KnownKeys<'e, A> {
    fields: &'static [&'static str],
    map: A,
    extra: &'e mut Map<String, Value>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for KnownKeys<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            match self.map.next_key_seed(Key { fields: self.fields, error: PhantomData })? {
                None => return Ok(None),
                Some(Field::Known(name)) => return seed.deserialize(name).map(Some),
                Some(Field::Other(name)) => {
                    let value = self.map.next_value()?;
                    self.extra.insert(name, value);
                }
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

enum Field<E> {
    Known(StrDeserializer<'static, E>),
    Other(String),
}

struct Key<E> {
    fields: &'static [&'static str],
    error: PhantomData<E>,
}

impl<'de, E: Error> DeserializeSeed<'de> for Key<E> {
    type Value = Field<E>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<E>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<E: Error> Visitor<'_> for Key<E> {
    type Value = Field<E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<X: Error>(self, name: &str) -> Result<Field<E>, X> {
        Ok(match self.fields.iter().find(|field| **field == name) {
            Some(field) => Field::Known(field.into_deserializer()),
            None => Field::Other(name.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug)]
    struct Order {
        plan: String,
        #[serde(default)]
        size: Option<u8>,
    }

    #[test]
    fn known_and_unknown_fields_are_separated_in_any_order() {
        let order: WithExtra<Order> = serde_json::from_str(r#"{"a":{"b":[1]},"plan":"p","c":null,"size":3}"#).unwrap();
        assert_eq!((order.fields.plan.as_str(), order.fields.size), ("p", Some(3)));
        assert_eq!(Value::from(order.extra), serde_json::json!({"a":{"b":[1]},"c":null}));
    }

    #[test]
    fn a_name_written_with_escapes_is_the_same_name() {
        let order: WithExtra<Order> = serde_json::from_str(r#"{"\u0070lan":"p"}"#).unwrap();
        assert_eq!(order.fields.plan, "p");
        assert!(order.extra.is_empty());
    }

    #[test]
    fn a_value_that_is_not_an_object_is_rejected() {
        for text in ["[]", "null", "7", "\"plan\"", "{", "{\"plan\":1}", "{}", r#"{"plan":"a","plan":"b"}"#] {
            assert!(serde_json::from_str::<WithExtra<Order>>(text).is_err(), "{text}");
        }
    }
}
