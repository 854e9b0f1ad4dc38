//! One name per way in which a listener can say no.

use std::error::Error;
use std::fmt;

use crate::mask::error_chain;

/// What a listener returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// The name of a failure; each marketplace maps it to a status of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The vendor will not do this, and asking again will not help. Heroku: 422, its message is shown to the user.
    Refused,
    /// Another request already said otherwise about the same resource. Heroku: 422.
    Conflict,
    /// No such resource. Heroku: 404.
    Unknown,
    /// The resource was removed, and its key never lives again. Heroku: 410.
    Gone,
    /// Not now: ask again. Heroku: 503.
    Unavailable,
}

/// Why a listener did not do what was asked.
///
/// `?` turns any [`std::error::Error`] into [`Failure::unavailable`]: the caller gets 503 and a plain sentence, the
/// cause goes to the log. That is the right answer for every error that may pass (a database, a network), so only
/// what is final needs a name:
///
/// ```
/// use maitre_core::{Failure, FailureKind};
///
/// fn plan(name: &str) -> maitre_core::Result<u32> {
///     match name {
///         "basic" => Ok("3".parse()?),
///         other => Err(Failure::refused(format!("There is no plan named {other}: choose basic."))),
///     }
/// }
///
/// assert_eq!(plan("basic").unwrap(), 3);
/// assert_eq!(plan("gold").unwrap_err().kind(), FailureKind::Refused);
/// ```
pub struct Failure {
    kind: FailureKind,
    message: Option<String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    fn new(kind: FailureKind) -> Self {
        Self { kind, message: None, cause: None }
    }

    /// Final: the message is a whole sentence for the customer, who reads it in the marketplace's terminal or page.
    ///
    /// Marketplaces know no refusal of a deprovision, so there it is answered as [`Failure::unavailable`].
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

    /// Final: what is asked contradicts what was asked before for the same resource. The message is for the customer.
    ///
    /// ```
    /// # use maitre_core::{Failure, FailureKind};
    /// let failure = Failure::conflict("This add-on was ordered with the plan basic.");
    /// assert_eq!(failure.kind(), FailureKind::Conflict);
    /// ```
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Conflict).with_message(message)
    }

    /// No such resource, and none was removed under this name either.
    ///
    /// ```
    /// # use maitre_core::{Failure, FailureKind};
    /// assert_eq!(Failure::unknown().kind(), FailureKind::Unknown);
    /// ```
    #[must_use]
    pub fn unknown() -> Self {
        Self::new(FailureKind::Unknown)
    }

    /// The resource was removed before; also the answer to a provision whose key was removed.
    ///
    /// ```
    /// # use maitre_core::{Failure, FailureKind};
    /// assert_eq!(Failure::gone().kind(), FailureKind::Gone);
    /// ```
    #[must_use]
    pub fn gone() -> Self {
        Self::new(FailureKind::Gone)
    }

    /// It may work later. The cause goes to the log, never to the caller; `?` does the same.
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

    /// [`Failure::unavailable`] for causes that can be printed but are no [`std::error::Error`].
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

    /// [`Failure::unavailable`] with the whole chain of an [`anyhow::Error`].
    ///
    /// ```
    /// # use maitre_core::Failure;
    /// let error = anyhow::anyhow!("timed out").context("asking the cluster");
    /// let failure = Failure::from_anyhow(error);
    /// assert_eq!(failure.cause().as_deref(), Some("asking the cluster: timed out"));
    /// ```
    #[cfg(feature = "anyhow")]
    #[must_use]
    pub fn from_anyhow(cause: anyhow::Error) -> Self {
        Self::unavailable(cause)
    }

    /// Says it in other words to the customer.
    ///
    /// ```
    /// # use maitre_core::Failure;
    /// let failure = Failure::unknown().with_message("This widget was never made.");
    /// assert_eq!(failure.message(), Some("This widget was never made."));
    /// ```
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Which failure this is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The sentence for the customer, where the listener wrote one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The cause with all that is behind it on one line, passwords in URLs masked: for the log.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        self.cause.as_deref().map(|cause| error_chain(cause))
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self::unavailable(cause)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("cause", &self.cause())
            .finish()
    }
}
