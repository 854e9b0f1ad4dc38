use std::fmt;

use reqwest::Client;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Call, Json, Raw,
    call::Kind,
    request,
    sso::{Form, SignOn},
};

/// Where a vendor is to be found, and how a marketplace shows who it is: what the marketplaces have in common.
#[derive(Clone)]
pub(crate) struct Endpoint {
    client: Client,
    root: String,
    headers: Vec<(String, String)>,
}

impl Endpoint {
    /// A root with or without its final slash, and the headers of every call of the marketplace itself.
    pub(crate) fn new<const N: usize>(root: &str, headers: [(&str, String); N]) -> Self {
        Self {
            client: request::client(),
            root: root.trim_end_matches('/').to_owned(),
            headers: crate::call::named(headers),
        }
    }

    pub(crate) fn call<K: Kind>(&self, kind: K) -> Call<K> {
        Call::new(self.client.clone(), &self.root, self.headers.clone(), kind)
    }

    /// To any URL, and with no header of the marketplace's.
    pub(crate) fn raw(&self, method: &str, url: &str) -> Call<Raw> {
        let host = url.find("://").map_or(0, |place| place + 3);
        let (origin, path) = url.split_at(url[host..].find(['/', '?']).map_or(url.len(), |end| host + end));
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

    /// A call of the user's browser, which knows none of the marketplace's credentials.
    pub(crate) fn sign_on<F: Form>(&self, form: F) -> Call<SignOn<F>> {
        Call::new(self.client.clone(), &self.root, Vec::new(), SignOn::new(form))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::mask::url(&self.root).fmt(f)
    }
}

/// An id as one segment of a path.
pub(crate) fn segment(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    id.bytes().map(escape).collect()
}

/// The path of a resource, in the marketplaces that follow Heroku.
pub(crate) fn resource(id: &str) -> String {
    format!("/resources/{}", segment(id))
}

pub(crate) fn new_uuid() -> String {
    Uuid::new_v4().to_string()
}

pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment() {
        assert_eq!(segment("7b0c-9_~."), "7b0c-9_~.");
        assert_eq!(segment("dep1@cc/../x?é"), "dep1%40cc%2F..%2Fx%3F%C3%A9");
    }
}
