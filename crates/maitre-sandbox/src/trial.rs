//! Result of a trial of single sign-on.

/// Result of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trial {
    /// Statuses of the form and of the pages that it led to, such as `302 → 200`, and the reason if they are wrong.
    pub(crate) text: String,
    pub(crate) is_signed_in: bool,
    /// Entry of the form.
    pub(crate) entry: i64,
}
