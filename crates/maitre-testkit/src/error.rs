use std::{error, fmt};

/// Error of a call without a [`Reply`](crate::Reply): the request was invalid, no response arrived, or it was longer
/// than 16 MiB.
///
/// A response with any status is a reply, not an error. The cause is the [`source`](error::Error::source). Neither
/// the message nor the cause contains a credential or a query.
///
/// ```
/// use maitre_testkit::Heroku;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let heroku = Heroku::new("http://127.0.0.1:1/heroku", "tally", "password", "salt"); // no server
/// let error = heroku.provision("basic").try_send().await.unwrap_err();
/// assert!(error.is_connect());
/// assert_eq!(error.to_string(), "no answer to POST http://127.0.0.1:1/heroku/resources");
/// # });
/// ```
#[derive(Debug)]
pub struct Error {
    message: String,
    cause: Cause,
}

type Other = Box<dyn error::Error + Send + Sync>;

#[derive(Debug)]
enum Cause {
    Transport(reqwest::Error),
    Other(Other),
}

impl Error {
    pub(crate) fn no_answer(asked: &str, cause: reqwest::Error) -> Self {
        // the query of a sign-on by GET contains a token
        Self { message: format!("no answer to {asked}"), cause: Cause::Transport(cause.without_url()) }
    }

    pub(crate) fn too_long(asked: &str, limit: usize) -> Self {
        let message = format!("the answer to {asked} was not read");
        Self { message, cause: Cause::Other(format!("it is longer than {limit} bytes").into()) }
    }

    pub(crate) fn unsendable(asked: &str, cause: impl Into<Other>) -> Self {
        Self { message: format!("{asked} cannot be sent"), cause: Cause::Other(cause.into()) }
    }

    /// Whether the connection failed, for example because the server is not running yet.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(&self.cause, Cause::Transport(cause) if cause.is_connect())
    }

    /// Whether the server took longer than 25 s, after which Heroku counts a request as failed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(&self.cause, Cause::Transport(cause) if cause.is_timeout())
    }

    /// Returns the message with all causes, for panics.
    pub(crate) fn with_causes(&self) -> String {
        let causes = std::iter::successors(error::Error::source(self), |cause| cause.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(match &self.cause {
            Cause::Transport(cause) => cause,
            Cause::Other(cause) => cause.as_ref(),
        })
    }
}
