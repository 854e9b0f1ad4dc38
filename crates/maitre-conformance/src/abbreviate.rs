//! Abbreviation of long names in reports.

use std::borrow::Cow;

/// Maximum length of a word in a report, in characters.
const MAX_WORD: usize = 160;

/// Number of characters that remain of a longer word.
const KEPT: usize = 60;

/// Abbreviates long words, such as ids and URLs, and states their length.
pub(crate) fn abbreviated(text: &str) -> Cow<'_, str> {
    let is_long = |word: &str| word.len() > MAX_WORD && word.chars().count() > MAX_WORD;
    if !text.split(' ').any(is_long) {
        return text.into();
    }
    let words = text.split(' ').map(|word| {
        if !is_long(word) {
            return Cow::Borrowed(word);
        }
        let beginning: String = word.chars().take(KEPT).collect();
        format!("{beginning}… ({} characters)", word.chars().count()).into()
    });
    words.collect::<Vec<_>>().join(" ").into()
}

#[cfg(test)]
mod tests {
    use super::abbreviated;

    #[test]
    fn only_long_words_are_abbreviated() {
        let url = format!("http://localhost/{}", "a".repeat(100));
        assert_eq!(abbreviated(&url), url);
        let line = format!("DELETE /{} HTTP/1.1", "ä".repeat(1_999));
        assert_eq!(abbreviated(&line), format!("DELETE /{}… (2000 characters) HTTP/1.1", "ä".repeat(59)));
    }
}
