use std::fmt;

use crate::{
    call::{Call, Kind, sealed::Sealed},
    endpoint::Endpoint,
    request::Request,
};

/// Kind of [`Heroku::raw`](crate::Heroku::raw): any request.
#[derive(Clone)]
pub struct Raw {
    path: String,
}

impl Raw {
    pub(crate) fn new(path: &str) -> Self {
        Self { path: path.to_owned() }
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

impl Sealed for Raw {}

impl Kind for Raw {
    type Value = String;

    fn method(&self) -> &'static str {
        "GET"
    }

    fn path(&self) -> String {
        self.path.clone()
    }

    fn fields(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn write(&self, fields: Vec<(String, String)>, request: &mut Request) {
        if !fields.is_empty() {
            request.put_form(&fields);
        }
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").finish_non_exhaustive()
    }
}
