use std::{fmt, time::Duration};

use reqwest::Client;

use crate::{
    call::{Call, Kind},
    fields::named,
    json::Json,
    mask,
    raw::Raw,
    send,
    sso::{Form, SignOn},
};

/// The vendor's URL and the marketplace's credentials.
#[derive(Clone)]
pub(crate) struct Endpoint {
    client: Client,
    root: String,
    headers: Vec<(String, String)>,
}

impl Endpoint {
    /// Takes a root with or without a trailing slash, and the headers of every call that the marketplace itself
    /// makes.
    pub(crate) fn new<const N: usize>(root: &str, headers: [(&str, String); N]) -> Self {
        Self { client: send::client(), root: root.trim_end_matches('/').to_owned(), headers: named(headers) }
    }

    /// Sets the time after which the marketplace counts a request as failed. Defaults to Heroku's.
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { client: send::client_with_timeout(timeout), ..self }
    }

    pub(crate) fn call<K: Kind>(&self, kind: K) -> Call<K> {
        Call::new(self.client.clone(), &self.root, self.headers.clone(), kind)
    }

    /// Returns a call to any URL, without the marketplace's headers.
    pub(crate) fn raw(&self, method: &str, url: &str) -> Call<Raw> {
        let (origin, path) = split(url);
        Call::new(self.client.clone(), origin, Vec::new(), Raw::new(path)).method(method)
    }

    pub(crate) fn json<const N: usize>(
        &self,
        method: &'static str,
        path: String,
        fields: [(&str, serde_json::Value); N],
    ) -> Call<Json> {
        self.call(Json::new(method, path, fields))
    }

    /// Returns the same marketplace at another origin.
    pub(crate) fn at_origin(&self, origin: &str) -> Self {
        Self { root: origin.to_owned(), ..self.clone() }
    }

    /// Returns a call without the marketplace's headers.
    pub(crate) fn anonymous<K: Kind>(&self, kind: K) -> Call<K> {
        Call::new(self.client.clone(), &self.root, Vec::new(), kind)
    }

    /// Returns a call of the user's browser, which does not have the marketplace's credentials.
    pub(crate) fn sign_on<F: Form>(&self, form: F) -> Call<SignOn<F>> {
        Call::new(self.client.clone(), &self.root, Vec::new(), SignOn::new(form))
    }
}

impl Call<Raw> {
    /// Returns a call to any URL, without headers.
    ///
    /// ```
    /// use maitre_testkit::{Call, Raw};
    ///
    /// let request = Call::<Raw>::to("PATCH", "http://127.0.0.1:8300/lantern").request();
    /// assert_eq!((request.method(), request.headers().count()), ("PATCH", 0));
    /// ```
    pub fn to(method: &str, url: &str) -> Self {
        Endpoint::new("", []).raw(method, url)
    }
}

/// Splits a URL into its origin and its path with the query.
pub(crate) fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |place| place + 3);
    url.split_at(url[host..].find(['/', '?']).map_or(url.len(), |end| host + end))
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        mask::url(&self.root).fmt(f)
    }
}
