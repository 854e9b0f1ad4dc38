//! Notices that a marketplace shows beside a resource.

/// Notice to the customer that the marketplace shows beside a resource, where it can.
///
/// ```
/// use maitre_core::{CustomerNotice, NoticeLevel, Provisioned};
///
/// let notice = CustomerNotice::new(NoticeLevel::Warning, "Storage is 90 % full.").with_url("https://lantern.example/usage");
/// let reply = Provisioned::new(641).with_notice(notice);
/// assert_eq!(reply.notice().unwrap().title(), "Storage is 90 % full.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerNotice {
    level: NoticeLevel,
    title: String,
    message: Option<String>,
    url: Option<String>,
}

/// Level of a [`CustomerNotice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoticeLevel {
    /// Information.
    Info,
    /// Warning.
    Warning,
    /// Error that the customer can correct.
    Error,
}

impl CustomerNotice {
    /// Creates a notice; marketplaces show about 100 characters of its title.
    pub fn new(level: NoticeLevel, title: impl Into<String>) -> Self {
        Self { level, title: title.into(), message: None, url: None }
    }

    /// Sets a longer text.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets the URL of a page with more information.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Returns the level.
    #[must_use]
    pub fn level(&self) -> NoticeLevel {
        self.level
    }

    /// Returns the title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the longer text.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the URL of a page with more information.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}
