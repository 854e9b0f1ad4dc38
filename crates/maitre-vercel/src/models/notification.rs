use serde::Serialize;

/// Notice to the customer, shown in Vercel's dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Notification {
    level: &'static str,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    href: Option<String>,
}

impl Notification {
    fn new(level: &'static str, title: String) -> Self {
        Self { level, title, message: None, href: None }
    }

    /// Creates a notice.
    pub fn info(title: impl Into<String>) -> Self {
        Self::new("info", title.into())
    }

    /// Creates a warning.
    pub fn warn(title: impl Into<String>) -> Self {
        Self::new("warn", title.into())
    }

    /// Creates a notice of an error.
    pub fn error(title: impl Into<String>) -> Self {
        Self::new("error", title.into())
    }

    /// Sets the text below the title.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets a link: an URL, or `sso:` and a URL of the vendor, for which the customer is signed on.
    #[must_use]
    pub fn with_link(mut self, href: impl Into<String>) -> Self {
        self.href = Some(href.into());
        self
    }
}
