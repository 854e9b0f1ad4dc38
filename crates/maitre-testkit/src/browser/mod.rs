//! Browser of a user who signs on.

mod jar;

use std::{fmt, pin::Pin};

use reqwest::{Client, Url};

use self::jar::Jar;
use crate::{cookie::Cookie, error::Error, mask, reply::Reply, request::Request, send};

/// Simulated browser: it posts the marketplace's form, stores cookies and opens the dashboard.
///
/// It follows the cookie rules that decide whether a sign-on works: hosts, paths, expiry, `Secure` (which loopback
/// addresses satisfy) and `SameSite`. A form posted from the marketplace's page is a cross-site request, and so is
/// the redirect after it: a session cookie marked `Strict` is not sent with either. A cookie without `SameSite` is
/// always sent.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::{Heroku, Browser};
///
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
/// let mut browser = Browser::new("http://127.0.0.1:8300");
/// browser.set_cookie("id", "preset");
///
/// let form = heroku.single_sign_on("7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21");
/// let landed = browser.post_form(form.url(), form.fields()).await;
/// landed.expect(302);
/// assert_ne!(browser.cookie("id").unwrap().value(), "preset");
///
/// browser.follow(&landed).await.expect(200);
/// browser.get("/my/settings").await.expect(200);
/// # }
/// ```
pub struct Browser {
    client: Client,
    home: String,
    jar: Jar,
}

impl Browser {
    /// Returns a browser without cookies. Paths are relative to the server at `root`.
    #[must_use]
    pub fn new(root: &str) -> Self {
        Self { client: send::client(), home: root.trim_end_matches('/').to_owned(), jar: Jar::default() }
    }

    /// Posts a form from the marketplace's page to a URL or a path.
    pub fn post_form<N, V>(&mut self, url: impl AsRef<str>, fields: impl IntoIterator<Item = (N, V)>) -> Navigation<'_>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let mut request = Request::new("POST", self.resolve(url.as_ref()));
        request.put_form(&fields);
        request.set_browser_headers();
        Navigation { browser: self, request }
    }

    /// Opens a URL or a path, as a click on the vendor's own site does.
    pub fn get(&mut self, url: impl AsRef<str>) -> Navigation<'_> {
        let mut request = Request::new("GET", self.resolve(url.as_ref()));
        request.push_header("sec-fetch-site", "same-origin");
        Navigation { browser: self, request }
    }

    /// Opens a URL or a path, as a click on a link of the marketplace's page does: a cross-site request.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use maitre_testkit::{Browser, Heroku};
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let mut browser = Browser::new("http://127.0.0.1:8300");
    /// let landed = browser.follow_link(heroku.single_sign_on("7").by_get().request().url()).await;
    /// landed.expect(302);
    /// # }
    /// ```
    pub fn follow_link(&mut self, url: impl AsRef<str>) -> Navigation<'_> {
        let mut request = Request::new("GET", self.resolve(url.as_ref()));
        request.set_browser_headers();
        Navigation { browser: self, request }
    }

    /// Follows one redirect. The reply may come from another client, such as
    /// [`Heroku::single_sign_on`](crate::Heroku::single_sign_on); its cookies are stored.
    ///
    /// # Panics
    ///
    /// Panics if the reply has no `Location`.
    #[track_caller]
    pub fn follow(&mut self, reply: &Reply) -> Navigation<'_> {
        let Some(location) = reply.location() else { panic!("the reply has no Location\n\n{reply}") };
        let target = Url::parse(reply.request().url()).and_then(|asked| asked.join(location));
        let mut request = Request::new("GET", target.map_or_else(|_| location.to_owned(), String::from));
        if reply.request().cross_site {
            request.set_browser_headers();
        } else {
            request.push_header("sec-fetch-site", "same-origin");
        }
        self.jar.store(reply);
        Navigation { browser: self, request }
    }

    /// Sets a cookie for the vendor's whole site that the vendor did not set. A session must not depend on such a
    /// cookie.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.jar.set(&self.home, name, value);
    }

    /// Returns the browser's cookie of this name.
    ///
    /// ```
    /// use maitre_testkit::Browser;
    ///
    /// let mut browser = Browser::new("http://127.0.0.1:8300");
    /// browser.set_cookie("id", "7");
    /// assert_eq!(browser.cookie("id").unwrap().value(), "7");
    /// assert!(browser.cookie("heroku-nav-data").is_none());
    /// ```
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<Cookie> {
        self.jar.find(name)
    }

    fn resolve(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.home) } else { url.to_owned() }
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { home, .. } = self;
        f.debug_struct("Browser").field("home", &mask::url(home)).finish_non_exhaustive()
    }
}

/// Page that a [`Browser`] opens when the value is awaited.
#[must_use = "a visit is made when it is awaited"]
pub struct Navigation<'v> {
    browser: &'v mut Browser,
    request: Request,
}

impl Navigation<'_> {
    /// Opens the page.
    ///
    /// # Panics
    ///
    /// Panics if no response arrives. Use [`try_send`](Self::try_send) to handle the error.
    pub async fn send(self) -> Reply {
        self.try_send().await.unwrap_or_else(|error| panic!("{}", error.with_causes()))
    }

    /// Opens the page, and returns an error if no response arrives.
    pub async fn try_send(self) -> Result<Reply, Error> {
        let Self { browser, mut request } = self;
        if let Some(cookies) = browser.jar.header_for(&request) {
            request.push_header("cookie", cookies);
        }
        let reply = send::send(request, &browser.client).await?;
        browser.jar.store(&reply);
        Ok(reply)
    }
}

impl<'v> IntoFuture for Navigation<'v> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send + 'v>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for Navigation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.request, f)
    }
}
