//! Lists of alternatives in messages.

/// Joins alternatives: `401`, `404 or 410`, `200, 201 or 202`.
pub(crate) fn one_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}
