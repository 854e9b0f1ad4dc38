//! Config vars of a resource.

use std::fmt;

use crate::secret::Secret;

/// Config vars in the order in which they were set, each name once. Values are secret.
///
/// ```
/// use maitre_core::ConfigVars;
///
/// let mut config = ConfigVars::default();
/// config.set("LANTERN_URL", "https://u4:pw@eu1.lantern.example/t4");
/// assert_eq!(format!("{config:?}"), r#"{"LANTERN_URL"}"#);
/// let (name, value) = config.iter().next().unwrap();
/// assert_eq!((name, value.expose()), ("LANTERN_URL", "https://u4:pw@eu1.lantern.example/t4"));
/// ```
#[derive(Clone, Default)]
pub struct ConfigVars(Vec<(String, Secret)>);

impl ConfigVars {
    /// Sets a var. An existing name keeps its position.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Secret>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(existing, _)| *existing == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Returns the names and values in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// Returns whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ConfigVars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl<'a> IntoIterator for &'a ConfigVars {
    type Item = (&'a str, &'a Secret);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<N: Into<String>, V: Into<Secret>> Extend<(N, V)> for ConfigVars {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, vars: I) {
        for (name, value) in vars {
            self.set(name, value);
        }
    }
}

impl<N: Into<String>, V: Into<Secret>> FromIterator<(N, V)> for ConfigVars {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(vars: I) -> Self {
        let mut config = Self::default();
        config.extend(vars);
        config
    }
}

/// Iterator over names and values; see [`ConfigVars::iter`].
#[derive(Debug, Clone)]
pub struct Iter<'a>(std::slice::Iter<'a, (String, Secret)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a Secret);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name.as_str(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_var_set_twice_keeps_its_position() {
        let config: ConfigVars = [("A", "1"), ("B", "2"), ("A", "3")].into_iter().collect();
        let vars: Vec<_> = config.iter().map(|(name, value)| (name, value.expose())).collect();
        assert_eq!(vars, [("A", "3"), ("B", "2")]);
    }
}
