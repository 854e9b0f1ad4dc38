//! Validation of the names that customers choose.

/// Validates the name of an app or an add-on.
///
/// # Errors
/// Returns Heroku's error message if the name is invalid.
pub(crate) fn check(name: &str) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let starts_with_letter = name.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_with_letter && !name.ends_with('-') && name.len() <= 60 && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err("Name must start with a letter, end with a letter or digit and can only contain lowercase letters, digits, and \
         dashes."
        .to_owned())
}

/// Validates the name of an attachment, which is the prefix of its config vars.
///
/// # Errors
/// Returns an error message if the name is invalid.
pub(crate) fn check_attachment(name: &str) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if name.starts_with(|first: char| first.is_ascii_uppercase()) && name.len() <= 60 && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err("Name must start with a letter and can only contain uppercase letters, digits, and underscores.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_in_herokus_format_are_valid() {
        for name in ["shop", "tally-curved-1", "a"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in ["", "Shop", "1shop", "shop-", "<script>", "../etc", "a b", "é", &"a".repeat(61)] {
            assert!(check(name).is_err(), "{name}");
        }
        assert!(check_attachment("PRIMARY_DB2").is_ok());
        for name in ["", "primary", "1A", "A-B", "A<"] {
            assert!(check_attachment(name).is_err(), "{name}");
        }
    }
}
