//! Fields of a form or query.

use std::collections::BTreeMap;
use std::fmt;

use maitre_core::sso::TokenError;

/// Fields of a single sign-on form. Fields are removed one by one; the others remain.
///
/// ```
/// use maitre_axum::Form;
///
/// let mut form = Form::parse(b"email=ada%2Bops%40example.org&tab=billing&id=1&id=2");
/// assert_eq!(form.take("email")?.as_deref(), Some("ada+ops@example.org"));
/// assert_eq!(form.take("app")?, None);
/// assert!(form.take("id").is_err(), "the token signs only one of them");
/// # let mut form = Form::parse(b"tab=billing");
/// assert_eq!(form.into_remaining()["tab"], "billing");
/// # Ok::<(), maitre_axum::core::sso::TokenError>(())
/// ```
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Parses `application/x-www-form-urlencoded`. Any text is valid.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let Ok(plain) = std::str::from_utf8(text) else {
            return Self(form_urlencoded::parse(text).into_owned().collect());
        };
        let mut fields = Vec::with_capacity(16);
        fields.extend(plain.split('&').filter(|field| !field.is_empty()).filter_map(field));
        Self(fields)
    }

    /// Removes and returns a field.
    ///
    /// # Errors
    /// Returns [`TokenError::Incomplete`] if the field is duplicate.
    pub fn take(&mut self, name: &str) -> Result<Option<String>, TokenError> {
        let Some(index) = self.0.iter().position(|(field, _)| field == name) else { return Ok(None) };
        let (_, value) = self.0.swap_remove(index);
        if self.0.iter().any(|(field, _)| field == name) {
            return Err(TokenError::Incomplete);
        }
        Ok(Some(value))
    }

    /// Removes and returns a field that must not be empty.
    ///
    /// # Errors
    /// Returns [`TokenError::Incomplete`] if the field is missing, empty or duplicate.
    pub fn require(&mut self, name: &str) -> Result<String, TokenError> {
        self.take(name)?.filter(|value| !value.is_empty()).ok_or(TokenError::Incomplete)
    }

    /// Returns the remaining fields, and one value of each duplicate field.
    #[must_use]
    pub fn into_remaining(self) -> BTreeMap<String, String> {
        self.0.into_iter().collect()
    }
}

/// Splits a field. Only a field with escapes is decoded, which is slower.
fn field(text: &str) -> Option<(String, String)> {
    if text.contains('%') || text.contains('+') {
        return form_urlencoded::parse(text.as_bytes()).into_owned().next();
    }
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Some((name.to_owned(), value.to_owned()))
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
