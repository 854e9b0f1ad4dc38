//! Content by which a repeated request is recognized.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// Content by which a repeated request is recognized, as decided by the marketplace's contract.
///
/// A ledger answers a repeated request with the same content from its record, and one with other content with a
/// conflict. By default the content is the request's service, plan, region and parameters. A contract that compares
/// other fields sets it in [`Context::identity`](crate::Context::identity).
///
/// ```
/// use maitre_core::{AddonId, Provision, RequestIdentity};
///
/// let mut first = Provision::new(AddonId::new("osb", "lantern"), "i-1", "basic");
/// let mut second = first.clone();
/// assert_eq!(first.identity(), second.identity());
/// first.context.identity = RequestIdentity::of(&("basic", "space-1"));
/// second.context.identity = RequestIdentity::of(&("basic", "space-2"));
/// assert_ne!(first.identity(), second.identity());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RequestIdentity(Option<Arc<[u8]>>);

impl RequestIdentity {
    /// Creates it from bytes.
    pub fn new(content: impl Into<Arc<[u8]>>) -> Self {
        Self(Some(content.into()))
    }

    /// Creates it from values, as their JSON text. The order of fields in JSON objects does not matter.
    #[must_use]
    pub fn of(content: &impl Serialize) -> Self {
        Self::new(json(content))
    }

    /// Returns the content that the contract has set.
    #[must_use]
    pub fn content(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }

    /// Returns the content: the contract's, or that of the request's own fields.
    pub(crate) fn or(&self, fields: &impl Serialize) -> Vec<u8> {
        self.content().map_or_else(|| json(fields), <[u8]>::to_vec)
    }
}

/// Returns the JSON text with sorted fields. Without the sort, their order would be that of the request if another crate
/// enables the feature `preserve_order` of `serde_json`.
fn json(content: &impl Serialize) -> Vec<u8> {
    let mut value = serde_json::to_value(content).unwrap_or_default();
    value.sort_all_objects();
    serde_json::to_vec(&value).unwrap_or_default()
}

/// Prints no content, as parameters may be secret.
impl fmt::Debug for RequestIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "RequestIdentity(..)" } else { "RequestIdentity(default)" })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{AddonId, Provision};

    #[test]
    fn the_order_of_fields_does_not_matter() {
        let ordered = RequestIdentity::of(&json!({ "a": { "b": 1, "c": [{ "d": 2, "e": 3 }] } }));
        assert_eq!(RequestIdentity::of(&json!({ "a": { "c": [{ "e": 3, "d": 2 }], "b": 1 } })), ordered);
        assert_eq!(ordered.content(), Some(br#"{"a":{"b":1,"c":[{"d":2,"e":3}]}}"#.as_slice()));
    }

    #[test]
    fn an_identity_is_the_same_in_every_release() {
        let mut request = Provision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "basic");
        request.parameters.insert("trace", "true");
        request.parameters.insert("retention", "7d");
        assert_eq!(request.identity(), br#"["basic",null,{"retention":"7d","trace":"true"},{}]"#);
        request.region = Some("eu".into());
        request.service = Some("lantern".into());
        assert_eq!(request.identity(), br#"["lantern","basic","eu",{"retention":"7d","trace":"true"}]"#);
    }
}
