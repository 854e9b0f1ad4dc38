//! From the listener's reply into the host's own `tower-sessions` session.

use std::fmt;

use axum::http::{Extensions, StatusCode};
use maitre_core::SignedOn;

/// Why a person who may come in could not be given a session. Its text is for the log.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The listener returned values, and there is nowhere to put them.
    NoLayer,
    /// The store failed.
    #[cfg(feature = "sessions")]
    Store(tower_sessions_core::session::Error),
}

impl SessionError {
    /// 500 is for what no second try will mend.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoLayer => StatusCode::INTERNAL_SERVER_ERROR,
            #[cfg(feature = "sessions")]
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "sessions")]
            Self::NoLayer => f.write_str(
                "the listener returned session values, but no tower-sessions layer stands around this router: add \
                 `.layer(SessionManagerLayer::new(store).with_same_site(SameSite::Lax))` to the app that nests it. It \
                 must be Lax: the library's default, Strict, does not survive the cross-site post of single sign-on",
            ),
            #[cfg(not(feature = "sessions"))]
            Self::NoLayer => f.write_str(
                "the listener returned session values, but maitre was built without the feature `sessions`: turn it on",
            ),
            #[cfg(feature = "sessions")]
            Self::Store(error) => {
                write!(f, "the session store failed: {}", maitre_core::error_chain(error))
            }
        }
    }
}

impl std::error::Error for SessionError {}

#[cfg(feature = "sessions")]
pub(super) struct HandOver(Option<tower_sessions_core::Session>);

#[cfg(feature = "sessions")]
impl HandOver {
    pub(super) fn of(extensions: &Extensions) -> Self {
        Self(extensions.get().cloned())
    }

    /// First nothing of the visitor's old session is left, then it gets an id that nobody knows, then the values.
    /// `flush` would do for neither: it keeps an id that the visitor made up.
    pub(super) async fn hand_over(self, signed_on: &SignedOn) -> Result<(), SessionError> {
        let Some(session) = self.0 else {
            let nothing_to_keep = signed_on.session().is_empty();
            return if nothing_to_keep { Ok(()) } else { Err(SessionError::NoLayer) };
        };
        session.clear().await;
        session.cycle_id().await.map_err(SessionError::Store)?;
        for (key, value) in signed_on.session() {
            session.insert_value(key, value.clone()).await.map_err(SessionError::Store)?;
        }
        session.save().await.map_err(SessionError::Store)
    }
}

#[cfg(not(feature = "sessions"))]
pub(super) struct HandOver;

#[cfg(not(feature = "sessions"))]
impl HandOver {
    pub(super) fn of(_: &Extensions) -> Self {
        Self
    }

    #[expect(clippy::unused_async, reason = "the twin with sessions waits for a store")]
    pub(super) async fn hand_over(self, signed_on: &SignedOn) -> Result<(), SessionError> {
        if signed_on.session().is_empty() { Ok(()) } else { Err(SessionError::NoLayer) }
    }
}
