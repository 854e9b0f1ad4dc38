use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use reqwest::{Body, Client};
use tokio::{sync::Notify, time::sleep};

use crate::{
    error::Error,
    fields::{Edits, SHARED_SECRET_HEADER},
    reply::Reply,
    request::Request,
    send::{send, send_with},
    sign,
    slow_body::SlowBody,
};

/// A marketplace request that can be modified before it is sent.
///
/// Awaiting a call sends it, and panics if no response arrives; [`try_send`](Self::try_send) returns an error
/// instead. `K` is the kind of call. Some kinds have more methods: see
/// [`Call<heroku::Provision>`](crate::heroku::Provision) and [`Call<SignOn<…>>`](crate::SignOn).
///
/// ```
/// use maitre_testkit::Heroku;
///
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
/// let forged = heroku.plan_change("7", "premium").credentials("tally", "guessed").request();
/// assert_eq!(forged.header("authorization"), Some("Basic dGFsbHk6Z3Vlc3NlZA=="));
/// assert_eq!(forged.body(), br#"{"plan":"premium"}"#);
/// ```
///
/// Changes apply after the call was written and signed, regardless of the order of the method calls.
#[derive(Clone)]
#[must_use = "a call is sent when it is awaited"]
pub struct Call<K: Kind> {
    pub(crate) kind: K,
    client: Client,
    root: String,
    headers: Vec<(String, String)>,
    method: Option<String>,
    path: Option<String>,
    header_edits: Edits<String>,
    field_edits: Edits<K::Value>,
    body: Option<Vec<u8>>,
    slowly: Option<(usize, Duration)>,
}

/// Kind of a [`Call`]: its route, its fields and their encoding.
///
/// Only this crate implements it.
pub trait Kind: sealed::Sealed {
    /// Type of a field's value: JSON in a JSON body, text in a form.
    type Value: Clone;

    #[doc(hidden)]
    fn method(&self) -> &'static str;

    #[doc(hidden)]
    fn path(&self) -> String;

    #[doc(hidden)]
    fn fields(&self) -> Vec<(String, Self::Value)>;

    #[doc(hidden)]
    fn write(&self, fields: Vec<(String, Self::Value)>, request: &mut Request);
}

pub(crate) mod sealed {
    #[expect(unnameable_types, reason = "seals the trait")]
    pub trait Sealed {}
}

impl<K: Kind> Call<K> {
    pub(crate) fn new(client: Client, root: &str, headers: Vec<(String, String)>, kind: K) -> Self {
        Self {
            kind,
            client,
            root: root.to_owned(),
            headers,
            method: None,
            path: None,
            header_edits: Edits::default(),
            field_edits: Edits::default(),
            body: None,
            slowly: None,
        }
    }

    /// Sets a header, and replaces the marketplace's header of that name.
    pub fn header(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.header_edits.set(name.as_ref().to_ascii_lowercase(), value.into());
        self
    }

    /// Omits a header.
    pub fn without_header(mut self, name: impl AsRef<str>) -> Self {
        self.header_edits.remove(name.as_ref().to_ascii_lowercase());
        self
    }

    /// Sends these Basic credentials.
    pub fn credentials(self, user: &str, password: &str) -> Self {
        self.authorization(sign::basic(user, password))
    }

    /// Sends this bearer token.
    pub fn bearer(self, token: &str) -> Self {
        self.authorization(format!("Bearer {token}"))
    }

    /// Omits the header with the marketplace's credentials.
    pub fn without_credentials(self) -> Self {
        self.without_header("authorization").without_header(SHARED_SECRET_HEADER)
    }

    /// Sends this `Authorization` header unchanged, for example one that is not Basic.
    pub fn authorization(self, raw: impl Into<String>) -> Self {
        self.header("authorization", raw)
    }

    /// Sets a field of the body.
    ///
    /// In a sign-on form the tokens are computed before, so a changed field makes a forged form.
    pub fn set(mut self, field: impl Into<String>, value: impl Into<K::Value>) -> Self {
        self.field_edits.set(field.into(), value.into());
        self
    }

    /// Omits a field of the body; in a sign-on form, after the tokens are computed.
    pub fn without(mut self, field: impl Into<String>) -> Self {
        self.field_edits.remove(field.into());
        self
    }

    /// Sends these bytes as the body instead of the fields. The content type does not change.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(bytes.into());
        self
    }

    /// Sends the body in this many chunks, with a pause before each, as over a slow connection.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use std::time::Duration;
    ///
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// heroku.provision("basic").slow_body(5, Duration::from_millis(200)).await.expect(200);
    /// # }
    /// ```
    pub fn slow_body(mut self, pieces: usize, pause: Duration) -> Self {
        self.slowly = Some((pieces, pause));
        self
    }

    /// Sets the path below the root, including a query. It is sent unchanged and must already be escaped.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Sets the method.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Returns the fields of the body with all changes, in the order in which they are written.
    ///
    /// For a sign-on form these are the fields that a page must contain; [`url`](Self::url) is the form's `action`.
    pub fn fields(&self) -> Vec<(String, K::Value)> {
        let mut fields = self.kind.fields();
        self.field_edits.apply(&mut fields);
        fields
    }

    /// Returns the URL.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.path {
            Some(path) => format!("{}{path}", self.root),
            None => format!("{}{}", self.root, self.kind.path()),
        }
    }

    /// Returns the request as it would be sent now.
    #[must_use]
    pub fn request(&self) -> Request {
        let method = self.method.as_deref().unwrap_or_else(|| self.kind.method());
        let mut request = Request::new(method, self.url());
        request.headers.clone_from(&self.headers);
        self.kind.write(self.fields(), &mut request);
        self.header_edits.apply(&mut request.headers);
        if let Some(body) = &self.body {
            request.body.clone_from(body);
        }
        request
    }

    /// Sends the call, as awaiting it does.
    ///
    /// # Panics
    ///
    /// Panics if no response arrives. Use [`try_send`](Self::try_send) to handle the error.
    pub async fn send(self) -> Reply
    where
        K: Send + Sync,
        K::Value: Send + Sync,
    {
        self.try_send().await.unwrap_or_else(|error| panic!("{}", error.with_causes()))
    }

    /// Sends the call, and returns an error if no response arrives.
    pub async fn try_send(self) -> Result<Reply, Error>
    where
        K: Send + Sync,
        K::Value: Send + Sync,
    {
        let request = self.request();
        match self.slowly {
            None => send(request, &self.client).await,
            Some((pieces, pause)) => {
                let body = Body::wrap(SlowBody::slow(&request.body, pieces, pause));
                send_with(request, Some(body), &self.client).await
            }
        }
    }

    /// Sends the head and half of the body, then closes the connection. A response is ignored.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let order = heroku.provision("basic");
    /// order.clone().send_half().await;
    /// order.await.expect(200);
    /// # }
    /// ```
    pub async fn send_half(self)
    where
        K: Send + Sync,
        K::Value: Send + Sync,
    {
        let request = self.request();
        let body = Body::wrap(SlowBody::half(&request.body));
        // the body ends with an error, so this always fails
        let _ = send_with(request, Some(body), &self.client).await;
    }

    /// Sends the whole request and closes the connection some time later, so that the response is lost. A request
    /// without a body counts as sent immediately.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use std::time::Duration;
    ///
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let order = heroku.provision("basic");
    /// order.clone().send_and_hang_up(Duration::from_millis(20)).await;
    /// order.await.expect(200);
    /// # }
    /// ```
    pub async fn send_and_hang_up(self, after: Duration)
    where
        K: Send + Sync,
        K::Value: Send + Sync,
    {
        let request = self.request();
        let sent = Arc::new(Notify::new());
        let body = if request.body.is_empty() {
            sent.notify_one();
            None
        } else {
            Some(Body::wrap(SlowBody::hang_up_after_send(&request.body, &sent)))
        };
        let hung_up = async {
            sent.notified().await;
            sleep(after).await;
        };
        tokio::select! {
            _ = send_with(request, body, &self.client) => {} // an answer that comes before is lost, too
            () = hung_up => {}
        }
    }
}

impl<K> IntoFuture for Call<K>
where
    K: Kind + Send + Sync + 'static,
    K::Value: Send + Sync,
{
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<K: Kind> fmt::Debug for Call<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.request(), f)
    }
}
