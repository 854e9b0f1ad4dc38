//! URLs as text.

/// Splits a URL into its origin and the rest.
pub(crate) fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |index| index + 3);
    url.split_at(url[host..].find(['/', '?', '#']).map_or(url.len(), |end| host + end))
}
