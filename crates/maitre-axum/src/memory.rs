//! Upper bound of the memory that a JSON body takes while it is parsed.

/// Bytes per `{`: a map with one entry.
const OBJECT: usize = 704;
/// Bytes per `[`: a list with one element.
const ARRAY: usize = 320;
/// Bytes per `,`: a place in a list, which is three times its size while the list grows.
const ELEMENT: usize = 224;
/// The most bytes that one byte of a body can cost.
const MAX_PER_BYTE: usize = OBJECT + 4;

/// Returns the position at which the estimate exceeds `budget`.
///
/// The body and its texts count once each, and twice more the longest text with an escape, for the buffer in which it is
/// decoded.
pub(crate) fn first_excess(body: &[u8], budget: usize) -> Option<usize> {
    if body.len().saturating_mul(MAX_PER_BYTE) <= budget {
        return None; // the usual body need not be searched
    }
    let (mut cost, mut decoded) = (2 * body.len(), 0);
    let mut bytes = body.iter().enumerate();
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'{' => cost += OBJECT,
            b'[' => cost += ARRAY,
            b',' => cost += ELEMENT,
            b'"' => {
                let (mut length, mut has_escape) = (0, false);
                while let Some((_, byte)) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => {
                            has_escape = true;
                            bytes.next();
                        }
                        _ => {}
                    }
                    length += 1;
                }
                if has_escape {
                    decoded = length.max(decoded);
                }
            }
            _ => {}
        }
        if cost + 2 * decoded > budget {
            return Some(place);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_counted_up_to_the_value_that_exceeds_the_budget() {
        let body = br#"{"a":[0,0,0],"b":{"c":"d"}}"#;
        let fixed = 2 * body.len() + OBJECT + ARRAY;
        assert_eq!(first_excess(body, fixed + ELEMENT), Some(9), "the second comma");
        assert_eq!(first_excess(body, fixed + 3 * ELEMENT), Some(17), "the second object");
        assert_eq!(first_excess(body, fixed + 3 * ELEMENT + OBJECT), None);
    }

    #[test]
    fn separators_in_a_text_are_not_values_and_escapes_need_a_buffer() {
        let plain = format!("{{\"a\":\"{}\"}}", "[{,".repeat(1_000));
        assert_eq!(first_excess(plain.as_bytes(), 2 * plain.len() + OBJECT), None);
        let escaped = format!("{{\"a\":\"{}\"}}", r#"[{,\""#.repeat(1_000));
        assert_eq!(first_excess(escaped.as_bytes(), 2 * escaped.len() + OBJECT), Some(5), "the text");
        assert_eq!(first_excess(escaped.as_bytes(), 2 * escaped.len() + OBJECT + 8_000), None);
        let unterminated = format!("{{\"a\":\"{}", r"\n".repeat(1_000));
        assert_eq!(first_excess(unterminated.as_bytes(), 2 * unterminated.len() + OBJECT), Some(5));
    }
}
