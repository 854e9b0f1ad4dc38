//! Text from callers: what is accepted as an id, and how it is shown.

/// The longest id or plan, in bytes.
///
/// An index of Postgres holds at most some 2,700 bytes of a row.
const MAX_LENGTH: usize = 1024;

/// The longest excerpt of a caller's text in a log or an answer, in bytes.
const MAX_EXCERPT: usize = 200;

/// Returns whether `text` may be an id or a plan: not too long, and without control characters.
///
/// Every database stores such text. Postgres does not store U+0000, and a line break would begin a new line in a log.
pub(crate) fn is_valid_id(text: &str) -> bool {
    if text.len() > MAX_LENGTH {
        return false;
    }
    // the usual text, without a branch per character
    let is_printable_ascii = text.bytes().fold(true, |printable, byte| printable & matches!(byte, b' '..=b'~'));
    is_printable_ascii || !text.chars().any(char::is_control)
}

/// Returns the beginning of `text`, at most 200 bytes.
pub(crate) fn excerpt(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_EXCERPT)]
}

/// Returns the beginning of `text` with its control characters escaped.
pub(crate) fn escaped_excerpt(text: &str) -> String {
    let mut escaped = String::new();
    for c in excerpt(text).chars() {
        if c.is_control() {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_has_no_control_characters() {
        for valid in ["", "basic", "größer 2.0", "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21", &"x".repeat(1024)] {
            assert!(is_valid_id(valid), "{valid:?}");
        }
        for invalid in ["\0", "a\0", "a\nb", "\u{7f}", "\u{85}", &"x".repeat(1025)] {
            assert!(!is_valid_id(invalid), "{invalid:?}");
        }
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(escaped_excerpt("a\r\nb\u{1b}[0m"), r"a\r\nb\u{1b}[0m");
        assert_eq!(escaped_excerpt(&"é".repeat(200)).len(), 200);
        assert_eq!(excerpt(&format!("x{}", "é".repeat(200))).len(), 199, "no character is cut");
    }
}
