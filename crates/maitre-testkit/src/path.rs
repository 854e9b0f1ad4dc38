//! Paths of requests.

/// Escapes an id as one segment of a path.
pub(crate) fn segment(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    id.bytes().map(escape).collect()
}

/// Returns the path of a resource in the marketplaces that follow Heroku.
pub(crate) fn resource(id: &str) -> String {
    format!("/resources/{}", segment(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment() {
        assert_eq!(segment("7b0c-9_~."), "7b0c-9_~.");
        assert_eq!(segment("dep1@cc/../x?é"), "dep1%40cc%2F..%2Fx%3F%C3%A9");
    }
}
