//! Calls to Heroku's API with the token of a resource.

use maitre_core::ResourceId;

use crate::{
    api::{self, Api},
    error::Error,
    platform::Platform,
};

impl Platform {
    /// Returns the API with the token of this resource, which is refreshed first if it is about to expire.
    ///
    /// Use the returned value for one piece of work and request a new one later, as tokens change. Unlike
    /// [`call`](Self::call), it does not handle a token that expires early.
    ///
    /// # Errors
    /// Returns [`Error::NoToken`] if the resource has no token, and an error if the refresh fails.
    pub async fn api(&self, resource: &ResourceId) -> Result<Api, Error> {
        Ok(self.0.client.api(&maitre_platform::token(self, resource).await?))
    }

    /// Calls the API with the token of this resource. If Heroku answers 401, refreshes the token and calls again, once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-call-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// # let client = maitre_heroku::Client::builder("client secret").build()?;
    /// # let platform = maitre_heroku::Platform::builder("lantern", client, ledger.store()).build();
    /// use maitre_heroku::Error;
    ///
    /// let lantern = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21".into();
    /// let owner = platform.call(&lantern, |api| async move { api.app("lantern-shop").await.map(|app| app.owner) }).await;
    /// assert!(matches!(owner, Err(Error::NoToken(_))), "the resource was never provisioned");
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the API's error, [`Error::NoToken`] if the resource has no token, and an error if the refresh fails.
    pub async fn call<T, F>(&self, resource: &ResourceId, request: impl Fn(Api) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, api::Error>>,
    {
        let call = |token: api::Token| request(self.0.client.api(&token));
        maitre_platform::call_with_token(self, resource, call).await
    }
}
