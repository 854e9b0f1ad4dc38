//! Fields of requests, and changes to them.

/// The header with Opperator's shared secret.
pub(crate) const SHARED_SECRET_HEADER: &str = "x-opperator-shared-secret";

pub(crate) fn named<T, const N: usize>(fields: [(&str, T); N]) -> Vec<(String, T)> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Changes to named values. A later change replaces an earlier one; `None` removes the value.
#[derive(Clone)]
pub(crate) struct Edits<T>(Vec<(String, Option<T>)>);

impl<T> Default for Edits<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> Edits<T> {
    pub(crate) fn set(&mut self, name: String, value: T) {
        self.0.push((name, Some(value)));
    }

    pub(crate) fn remove(&mut self, name: String) {
        self.0.push((name, None));
    }

    pub(crate) fn apply(&self, pairs: &mut Vec<(String, T)>) {
        for (name, value) in &self.0 {
            let found = pairs.iter().position(|(known, _)| known == name);
            match (value, found) {
                (Some(value), Some(index)) => pairs[index].1 = value.clone(),
                (Some(value), None) => pairs.push((name.clone(), value.clone())),
                (None, Some(index)) => drop(pairs.remove(index)),
                (None, None) => {}
            }
        }
    }
}
