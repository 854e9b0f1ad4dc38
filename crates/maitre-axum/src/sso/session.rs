//! Session values, stored in the host's `tower-sessions` session.

use std::fmt;

use axum::http::{Extensions, StatusCode};
use maitre_core::SignedOn;

/// Error of creating a session, for the log.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The listener returned session values, but the app has no session layer.
    NoLayer,
    /// The session store failed.
    #[cfg(feature = "sessions")]
    Store(tower_sessions_core::session::Error),
}

impl SessionError {
    /// Returns the status: 500 if a retry cannot help.
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
                "the listener returned session values, but this router has no tower-sessions layer: add \
                 `.layer(SessionManagerLayer::new(store).with_same_site(SameSite::Lax))` to the app that nests it. It \
                 must be Lax: the default, Strict, does not survive the cross-site post of single sign-on",
            ),
            #[cfg(not(feature = "sessions"))]
            Self::NoLayer => f.write_str(
                "the listener returned session values, but maitre was built without the feature `sessions`: enable it",
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
pub(super) struct SessionHandle(Option<tower_sessions_core::Session>);

#[cfg(feature = "sessions")]
impl SessionHandle {
    pub(super) fn of(extensions: &Extensions) -> Self {
        Self(extensions.get().cloned())
    }

    /// Clears the old session, changes its id, and stores the values. `flush` would not be enough: it keeps an id that the
    /// browser chose.
    pub(super) async fn store(self, signed_on: &SignedOn) -> Result<(), SessionError> {
        let Some(session) = self.0 else {
            let no_values = signed_on.session().is_empty();
            return if no_values { Ok(()) } else { Err(SessionError::NoLayer) };
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
pub(super) struct SessionHandle;

#[cfg(not(feature = "sessions"))]
impl SessionHandle {
    pub(super) fn of(_: &Extensions) -> Self {
        Self
    }

    #[expect(clippy::unused_async, reason = "the variant with sessions awaits the store")]
    pub(super) async fn store(self, signed_on: &SignedOn) -> Result<(), SessionError> {
        if signed_on.session().is_empty() { Ok(()) } else { Err(SessionError::NoLayer) }
    }
}
