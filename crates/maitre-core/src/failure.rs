//! Failures of a listener.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::mask::error_chain;

/// Result of a listener.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Kind of a failure. Each marketplace maps it to a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The vendor declines the request, and a retry will not help. Heroku: 422, with the message shown to the customer.
    Refused,
    /// The request contradicts an earlier one for the same resource. Heroku: 422.
    Conflict,
    /// The resource does not exist. Heroku: 404.
    Unknown,
    /// The resource was deprovisioned, and its key is never reused. Heroku: 410.
    Gone,
    /// Another operation of the resource is in progress: retry when it has completed. Open Service Broker: 422 with the
    /// code `ConcurrencyError`; Heroku: 503.
    Concurrent,
    /// The request needs an asynchronous reply, which the caller does not accept. Open Service Broker: 422 with the code
    /// `AsyncRequired`; Heroku: 503.
    AsyncRequired,
    /// The request may succeed later: retry. Heroku: 503.
    Unavailable,
}

/// Reason why a listener did not complete a request.
///
/// `?` converts any error to [`Failure::unavailable`]: each [`std::error::Error`], `anyhow::Error`, `Box<dyn Error + Send +
/// Sync>`, and also text. The caller receives 503 with a general message, and the cause is logged. This is right for every
/// temporary error (database, network), so only permanent failures need a kind:
///
/// ```
/// use maitre_core::{Failure, FailureKind};
///
/// fn plan(name: &str) -> maitre_core::Result<u32> {
///     match name {
///         "basic" => Ok("3".parse()?),
///         other => Err(Failure::refused(format!("The plan {other} does not exist: choose basic."))),
///     }
/// }
///
/// async fn connect() -> anyhow::Result<()> {
///     Err(anyhow::anyhow!("timed out").context("connecting to the cluster"))
/// }
///
/// async fn create() -> maitre_core::Result<()> {
///     Ok(connect().await?)
/// }
///
/// assert_eq!(plan("basic").unwrap(), 3);
/// assert_eq!(plan("gold").unwrap_err().kind(), FailureKind::Refused);
/// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// # let std::task::Poll::Ready(created) = std::pin::pin!(create()).poll(&mut cx) else { panic!() };
/// let failure = created.unwrap_err();
/// assert_eq!(failure.kind(), FailureKind::Unavailable);
/// assert_eq!(failure.cause().as_deref(), Some("connecting to the cluster: timed out"));
/// ```
pub struct Failure {
    kind: FailureKind,
    message: Option<String>,
    code: Option<Cow<'static, str>>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    fn new(kind: FailureKind) -> Self {
        Self { kind, message: None, code: None, cause: None }
    }

    /// Declines the request permanently. The message is a full sentence that the customer reads in the marketplace's
    /// terminal or page.
    ///
    /// A deprovision cannot be declined: there, this is answered like [`Failure::unavailable`].
    ///
    /// ```
    /// # use maitre_core::Failure;
    /// let failure = Failure::refused("The plan premium is sold out in Europe: choose basic.");
    /// assert_eq!(failure.message(), Some("The plan premium is sold out in Europe: choose basic."));
    /// ```
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused).with_message(message)
    }

    /// Declines a request that contradicts an earlier one for the same resource. The message is for the customer.
    ///
    /// ```
    /// # use maitre_core::{Failure, FailureKind};
    /// let failure = Failure::conflict("This add-on was provisioned with the plan basic.");
    /// assert_eq!(failure.kind(), FailureKind::Conflict);
    /// ```
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Conflict).with_message(message)
    }

    /// The resource does not exist and never did.
    ///
    /// ```
    /// # use maitre_core::{Failure, FailureKind};
    /// assert_eq!(Failure::unknown().kind(), FailureKind::Unknown);
    /// ```
    #[must_use]
    pub fn unknown() -> Self {
        Self::new(FailureKind::Unknown)
    }

    /// The resource was deprovisioned before. Also the answer to a provision with the key of such a resource.
    ///
    /// ```
    /// # use maitre_core::{Failure, FailureKind};
    /// assert_eq!(Failure::gone().kind(), FailureKind::Gone);
    /// ```
    #[must_use]
    pub fn gone() -> Self {
        Self::new(FailureKind::Gone)
    }

    /// Another operation of the resource is in progress.
    ///
    /// ```
    /// # use maitre_core::{Failure, FailureKind};
    /// assert_eq!(Failure::concurrent().kind(), FailureKind::Concurrent);
    /// ```
    #[must_use]
    pub fn concurrent() -> Self {
        Self::new(FailureKind::Concurrent)
    }

    /// The request needs an asynchronous reply, which the caller does not accept.
    ///
    /// ```
    /// # use maitre_core::{Failure, FailureKind};
    /// assert_eq!(Failure::async_required().kind(), FailureKind::AsyncRequired);
    /// ```
    #[must_use]
    pub fn async_required() -> Self {
        Self::new(FailureKind::AsyncRequired)
    }

    /// The request may succeed later. The cause is logged and never sent to the caller; `?` does the same.
    ///
    /// ```
    /// # use maitre_core::{Failure, FailureKind};
    /// let failure = Failure::unavailable(std::io::Error::other("disk full"));
    /// assert_eq!(failure.kind(), FailureKind::Unavailable);
    /// assert_eq!(failure.cause().as_deref(), Some("disk full"));
    /// assert_eq!(failure.message(), None);
    /// ```
    #[must_use]
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(FailureKind::Unavailable) }
    }

    /// Like [`Failure::unavailable`], for causes that implement `Display` but not [`std::error::Error`].
    ///
    /// ```
    /// # use maitre_core::Failure;
    /// let result: Result<(), &str> = Err("queue full");
    /// let failure = result.map_err(Failure::from_display).unwrap_err();
    /// assert_eq!(failure.cause().as_deref(), Some("queue full"));
    /// ```
    #[must_use]
    pub fn from_display(cause: impl fmt::Display) -> Self {
        Self::unavailable(cause.to_string())
    }

    /// Sets the message for the customer.
    ///
    /// ```
    /// # use maitre_core::Failure;
    /// let failure = Failure::unknown().with_message("This widget does not exist.");
    /// assert_eq!(failure.message(), Some("This widget does not exist."));
    /// ```
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets the machine-readable code, for marketplaces that define some.
    ///
    /// ```
    /// # use maitre_core::Failure;
    /// let failure = Failure::refused("Bind the add-on to an app.").with_code("RequiresApp");
    /// assert_eq!(failure.code(), Some("RequiresApp"));
    /// ```
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Returns the message for the customer, if the listener set one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the machine-readable code, if one was set.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the cause with its error chain on one line, with passwords in URLs masked, for the log.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        self.cause.as_deref().map(|cause| error_chain(cause))
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self::unavailable(cause)
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::Unknown => "unknown resource",
            Self::Gone => "resource is gone",
            Self::Concurrent => "another operation is in progress",
            Self::AsyncRequired => "asynchronous reply required",
            Self::Unavailable => "unavailable",
        })
    }
}

/// Shows the kind, message and cause, for the log. Not for the customer.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(cause) = self.cause() {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

/// A failure as an error; `Failure` itself cannot implement [`Error`], as every error converts into it. For the same reason
/// it converts only into `Box<dyn Error>`, not into `Box<dyn Error + Send + Sync>`.
struct FailureError(Failure);

impl fmt::Debug for FailureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for FailureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for FailureError {}

/// ```
/// # use maitre_core::Failure;
/// let error: Box<dyn std::error::Error> = Failure::refused("The plan basic is sold out.").into();
/// assert_eq!(error.to_string(), "refused: The plan basic is sold out.");
/// ```
impl From<Failure> for Box<dyn Error> {
    fn from(failure: Failure) -> Self {
        Box::new(FailureError(failure))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("code", &self.code)
            .field("cause", &self.cause())
            .finish()
    }
}
