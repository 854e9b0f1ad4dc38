use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{ClientSecret, ClientSecrets, CredentialsError, Reload, ReloadError, Secret};
use maitre_http::{JsonClient, JsonClientBuilder};
use time::OffsetDateTime;

/// Starts the connection to `https://api.vercel.com`.
///
/// ```
/// let http = maitre_vercel::connect().user_agent("lantern/2.1").build()?;
/// assert!(format!("{http:?}").contains("https://api.vercel.com"));
/// # Ok::<(), maitre_vercel::CallError>(())
/// ```
pub fn connect() -> JsonClientBuilder {
    JsonClient::builder("vercel", "https://api.vercel.com")
}

/// Vercel client for one integration: creates an [`Api`](crate::Api) from the access token of an installation.
///
/// Clones share the connection pool and the client secrets. `Debug` prints the URL and no secret.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_vercel::{Client, connect};
///
/// # let vercel = maitre_testkit::vercel::Platform::new("oac_lantern", "client secret");
/// # let server = vercel.serve().await?;
/// # let installation = vercel.new_installation();
/// # let token = installation.access_token();
/// let http = connect();
/// # let http = http.url(server.url());
/// let client = Client::new("oac_lantern", "client secret", http.build()?)?;
/// let account = client.installation(installation.id(), token.into()).account().await?;
/// assert_eq!(account.contact.unwrap().email, "ada@customer.example");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) http: JsonClient,
    pub(crate) client_id: String,
    pub(crate) client_secrets: ClientSecrets,
}

impl Client {
    /// Creates a client with the integration's client id (`oac_…`) and client secret from Vercel's console.
    ///
    /// # Errors
    /// Returns an error if the secret is empty.
    pub fn new(client_id: &str, client_secret: impl Into<Secret>, http: JsonClient) -> Result<Self, CredentialsError> {
        let client_secrets = ClientSecrets::new(ClientSecret::new(client_secret)?);
        Ok(Self(Arc::new(Inner { http, client_id: client_id.to_owned(), client_secrets })))
    }

    /// Returns the current time of the client's clock.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.0.http.now()
    }
}

/// The text has one client secret per line, the current one first. An old one is sent if Vercel does not accept the current
/// one.
impl Reload for Client {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.0.client_secrets.reload(text, now, overlap)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("http", &self.0.http)
            .field("client_id", &self.0.client_id)
            .finish_non_exhaustive()
    }
}
