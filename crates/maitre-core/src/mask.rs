//! Text that may go to a log.

use std::error::Error;

/// Replaces the user part of every URL in `text`: `postgres://u:pw@host` becomes `postgres://***@host`.
///
/// Database and HTTP libraries like to quote the URL that failed, password and all.
///
/// ```
/// use maitre_core::mask_urls;
///
/// assert_eq!(mask_urls("cannot reach postgres://app:hunter2@db/x"), "cannot reach postgres://***@db/x");
/// assert_eq!(mask_urls("see https://example.org/@ada"), "see https://example.org/@ada");
/// ```
#[must_use]
pub fn mask_urls(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        masked.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "/?#\"'<>".contains(c)).unwrap_or(after.len());
        let host = after[..end].rfind('@').unwrap_or(0);
        if host > 0 {
            masked.push_str("***");
        }
        rest = &after[host..];
    }
    masked.push_str(rest);
    masked
}

/// An error and all its causes on one line, outermost first, with [masked URLs](mask_urls).
///
/// ```
/// use maitre_core::error_chain;
///
/// let error = std::io::Error::other("no route to redis://:pw@cache");
/// assert_eq!(error_chain(&error), "no route to redis://***@cache");
/// ```
#[must_use]
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string);
    mask_urls(&chain.collect::<Vec<_>>().join(": "))
}

#[cfg(test)]
mod tests {
    use super::mask_urls;

    #[test]
    fn user_and_password_go_and_the_rest_stays() {
        for (text, masked) in [
            ("", ""),
            ("no url", "no url"),
            ("a://b", "a://b"),
            ("://", "://"),
            ("a://u:p@h b://v:q@i/@x", "a://***@h b://***@i/@x"),
            ("a://u:p@ss@h", "a://***@h"),
            ("\"https://token:t.1@1.us.logplex.io/logs\"", "\"https://***@1.us.logplex.io/logs\""),
            ("ü://ü:ü@ü", "ü://***@ü"),
        ] {
            assert_eq!(mask_urls(text), masked);
        }
    }
}
