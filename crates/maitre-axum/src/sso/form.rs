//! Flat forms, where a field that is there twice is nobody's.

use std::collections::BTreeMap;
use std::fmt;

use maitre_core::sso::TokenError;

/// The fields of a single sign-on, taken out one by one; what nobody takes is the rest.
///
/// ```
/// use maitre_axum::Form;
///
/// let mut form = Form::parse(b"email=ada%2Bops%40example.org&tab=billing&id=1&id=2");
/// assert_eq!(form.take("email")?.as_deref(), Some("ada+ops@example.org"));
/// assert_eq!(form.take("app")?, None);
/// assert!(form.take("id").is_err(), "which of the two did the token speak for?");
/// # let mut form = Form::parse(b"tab=billing");
/// assert_eq!(form.rest()["tab"], "billing");
/// # Ok::<(), maitre_axum::core::sso::TokenError>(())
/// ```
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`, which every text is.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let Ok(plain) = std::str::from_utf8(text) else {
            return Self(form_urlencoded::parse(text).into_owned().collect());
        };
        let mut fields = Vec::with_capacity(16);
        fields.extend(plain.split('&').filter(|field| !field.is_empty()).filter_map(field));
        Self(fields)
    }

    /// Takes a field out.
    ///
    /// # Errors
    /// [`TokenError::Incomplete`] when it is there more than once.
    pub fn take(&mut self, name: &str) -> Result<Option<String>, TokenError> {
        let Some(place) = self.0.iter().position(|(field, _)| field == name) else { return Ok(None) };
        let (_, value) = self.0.swap_remove(place);
        if self.0.iter().any(|(field, _)| field == name) {
            return Err(TokenError::Incomplete);
        }
        Ok(Some(value))
    }

    /// Takes a field out that must be there with something in it.
    ///
    /// # Errors
    /// [`TokenError::Incomplete`] when it is not, or more than once.
    pub fn need(&mut self, name: &str) -> Result<String, TokenError> {
        self.take(name)?.filter(|value| !value.is_empty()).ok_or(TokenError::Incomplete)
    }

    /// All that is left; of fields that are there twice, one.
    #[must_use]
    pub fn rest(self) -> BTreeMap<String, String> {
        self.0.into_iter().collect()
    }
}

/// Decoding goes byte by byte, and nearly every field has nothing to decode.
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
