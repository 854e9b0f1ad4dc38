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

/// One request of a marketplace that is not sent yet: correct as it stands, and to be spoiled at will.
///
/// A test awaits it, and so sends it; [`try_send`](Self::try_send) is for programs that must outlive a server that
/// is not there. `K` says which call it is, and some kinds add powers of their own: see
/// [`Call<heroku::Provision>`](crate::heroku::Provision) and [`Call<SignOn<…>>`](crate::SignOn).
///
/// ```
/// use maitre_testkit::Heroku;
///
/// let heroku = Heroku::new("http://127.0.0.1:5000/heroku", "tally", "password", "salt");
/// let forged = heroku.plan_change("7", "premium").credentials("tally", "guessed").request();
/// assert_eq!(forged.header("authorization"), Some("Basic dGFsbHk6Z3Vlc3NlZA=="));
/// assert_eq!(forged.body(), br#"{"plan":"premium"}"#);
/// ```
///
/// What is changed is changed after the call was written and signed, in whatever order the changes are named.
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

/// What distinguishes one kind of [`Call`] from another: its route, its fields and how these are written.
///
/// Only this crate implements it.
pub trait Kind: sealed::Sealed {
    /// What a field holds: JSON in a JSON body, text in a form.
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
    #[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
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

    /// Sends this header, instead of what the marketplace would send under the same name.
    pub fn header(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.header_edits.set(name.as_ref().to_ascii_lowercase(), value.into());
        self
    }

    /// Leaves this header out.
    pub fn without_header(mut self, name: impl AsRef<str>) -> Self {
        self.header_edits.remove(name.as_ref().to_ascii_lowercase());
        self
    }

    /// Asks as somebody else: these two as Basic credentials.
    pub fn credentials(self, user: &str, password: &str) -> Self {
        self.authorization(sign::basic(user, password))
    }

    /// Asks as nobody: leaves out the header by which the marketplace shows who it is.
    pub fn without_credentials(self) -> Self {
        self.without_header("authorization").without_header(SHARED_SECRET_HEADER)
    }

    /// Sends this `Authorization` header as it stands, for what is no Basic credentials at all.
    pub fn authorization(self, raw: impl Into<String>) -> Self {
        self.header("authorization", raw)
    }

    /// Sets a field of the body, be it known to the marketplace or not.
    ///
    /// In a sign-on form this happens after the tokens are computed, and so forges it.
    pub fn set(mut self, field: impl Into<String>, value: impl Into<K::Value>) -> Self {
        self.field_edits.set(field.into(), value.into());
        self
    }

    /// Leaves a field out of the body; of a sign-on form, after the tokens are computed.
    pub fn without(mut self, field: impl Into<String>) -> Self {
        self.field_edits.remove(field.into());
        self
    }

    /// Sends these bytes in place of the body that the fields make. The content type stays what it was.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(bytes.into());
        self
    }

    /// Sends the body in this many pieces, with a pause before each, as a caller on a slow line does.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use std::time::Duration;
    ///
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:5000/heroku", "tally", "password", "salt");
    /// heroku.provision("basic").slow_body(5, Duration::from_millis(200)).await.expect(200);
    /// # }
    /// ```
    pub fn slow_body(mut self, pieces: usize, pause: Duration) -> Self {
        self.slowly = Some((pieces, pause));
        self
    }

    /// Goes to this path below the root that the marketplace was given, a query included. It is sent as it stands,
    /// so escape what needs it.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Asks by this method.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// The fields of the body with all changes, in the order they are written.
    ///
    /// Of a sign-on form these are what a page must hold to send the user off: see [`url`](Self::url) for the
    /// form's `action`.
    pub fn fields(&self) -> Vec<(String, K::Value)> {
        let mut fields = self.kind.fields();
        self.field_edits.apply(&mut fields);
        fields
    }

    /// Where the call goes.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.path {
            Some(path) => format!("{}{path}", self.root),
            None => format!("{}{}", self.root, self.kind.path()),
        }
    }

    /// The request as it would be sent now.
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
    /// When there is no answer: a test has nothing to say then. Use [`try_send`](Self::try_send) otherwise.
    pub async fn send(self) -> Reply
    where
        K: Send + Sync,
        K::Value: Send + Sync,
    {
        self.try_send().await.unwrap_or_else(|error| panic!("{}", error.with_causes()))
    }

    /// Sends the call and leaves it to you what a missing answer means.
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

    /// Sends the head and half of the body, and hangs up. What a server answers to that is not looked at.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:5000/heroku", "tally", "password", "salt");
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
        // the error is the one that the body ends with
        let _ = send_with(request, Some(body), &self.client).await;
    }

    /// Sends all of it and hangs up some time later, so that the answer is lost. What has no body is taken as sent at
    /// once.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use std::time::Duration;
    ///
    /// use maitre_testkit::Heroku;
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:5000/heroku", "tally", "password", "salt");
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
