//! Text that is safe to log.

use std::error::Error;

/// Masks the user part of every URL in `text`: `postgres://u:pw@host` becomes `postgres://***@host`.
///
/// Errors of database and HTTP libraries often contain the URL, with the password.
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
        let host = user_end(after);
        if host > 0 {
            masked.push_str("***");
        }
        rest = &after[host..];
    }
    masked.push_str(rest);
    masked
}

/// Returns the start of the host: after the last `@` before the path, or after the last `@` of the URL if the password
/// contains an unescaped slash.
fn user_end(after: &str) -> usize {
    let url = &after[..after.find(|c: char| c.is_whitespace() || "\"'<>".contains(c)).unwrap_or(after.len())];
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    let behind_last = |text: &str| text.rfind('@').unwrap_or(0);
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    let half_a_password = port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit()));
    match behind_last(authority) {
        0 if half_a_password && !authority.starts_with('[') => behind_last(url),
        host => host,
    }
}

/// Formats an error and its sources on one line, outermost first, with [masked URLs](mask_urls).
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
    fn only_user_and_password_are_masked() {
        for (text, masked) in [
            ("", ""),
            ("no url", "no url"),
            ("a://b", "a://b"),
            ("://", "://"),
            ("a://u:p@h b://v:q@i/@x", "a://***@h b://***@i/@x"),
            ("a://u:p@ss@h", "a://***@h"),
            ("a://u:p/w@h/x", "a://***@h/x"),
            ("a://h:80/@ada", "a://h:80/@ada"),
            ("a://[::1]/@ada", "a://[::1]/@ada"),
            ("\"https://token:t.1@1.us.logplex.io/logs\"", "\"https://***@1.us.logplex.io/logs\""),
            ("ü://ü:ü@ü", "ü://***@ü"),
        ] {
            assert_eq!(mask_urls(text), masked);
        }
    }
}
