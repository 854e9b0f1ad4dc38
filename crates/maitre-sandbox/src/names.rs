//! What customers may call things.

/// Says what is wrong with the name of an app or an add-on, in Heroku's words.
pub(crate) fn check(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    if begins && !name.ends_with('-') && name.len() <= 60 && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err("Name must start with a letter, end with a letter or digit and can only contain lowercase letters, digits, and \
         dashes."
        .to_owned())
}

/// Says what is wrong with the name of an attachment, which config vars begin with.
pub(crate) fn check_attachment(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if name.starts_with(|first: char| first.is_ascii_uppercase()) && name.len() <= 60 && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err("Name must start with a letter and can only contain uppercase letters, digits, and underscores.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
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
