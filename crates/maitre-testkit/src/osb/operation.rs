//! Kind of all calls of a platform.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::{
    call::{Call, Kind, sealed::Sealed},
    json::write_json,
    path::segment,
    request::Request,
};

pub(super) const VERSION_HEADER: &str = "x-broker-api-version";

/// Kind of the calls of [`Osb`](crate::Osb): a method, a path with a query, and for `PUT` and `PATCH` a JSON body.
#[derive(Clone)]
pub struct Operation {
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    fields: Vec<(String, Value)>,
}

impl Operation {
    pub(super) fn new(
        method: &'static str,
        path: &str,
        query: Vec<(&str, String)>,
        fields: Vec<(&str, Value)>,
    ) -> Self {
        let query = query.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { method, path: path.to_owned(), query, fields }
    }
}

impl Call<Operation> {
    /// Sets a parameter of the query.
    ///
    /// ```
    /// use maitre_testkit::Osb;
    ///
    /// let osb = Osb::new("http://127.0.0.1:8300/osb", "tally", "password");
    /// let instance = osb.new_instance("tally-service", "tally-basic");
    /// let poll = osb.last_operation(&instance, Some("op 17")).without_query("service_id");
    /// assert!(poll.url().ends_with("/last_operation?plan_id=tally-basic&operation=op%2017"));
    /// ```
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        match self.kind.query.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.kind.query.push((name.to_owned(), value)),
        }
        self
    }

    /// Omits a parameter of the query.
    pub fn without_query(mut self, name: &str) -> Self {
        self.kind.query.retain(|(known, _)| known != name);
        self
    }

    /// Sets whether the platform accepts an asynchronous response (`accepts_incomplete`). If not, the parameter is
    /// omitted.
    pub fn accepts_incomplete(self, accepts: bool) -> Self {
        if accepts { self.query("accepts_incomplete", "true") } else { self.without_query("accepts_incomplete") }
    }

    /// Sets the version of the API that the platform uses (`X-Broker-API-Version`).
    pub fn version(self, version: &str) -> Self {
        self.header(VERSION_HEADER, version)
    }

    /// Sets the id of this request (`X-Broker-API-Request-Identity`), which the broker repeats in its response.
    pub fn request_identity(self, id: &str) -> Self {
        self.header("x-broker-api-request-identity", id)
    }

    /// Sets the user that caused this request (`X-Broker-API-Originating-Identity`).
    ///
    /// ```
    /// use maitre_testkit::Osb;
    ///
    /// let osb = Osb::new("http://127.0.0.1:8300/osb", "tally", "password");
    /// let request = osb.catalog().originating_identity("cloudfoundry", &serde_json::json!({"user_id": "7"})).request();
    /// assert_eq!(request.header("X-Broker-API-Originating-Identity"), Some("cloudfoundry eyJ1c2VyX2lkIjoiNyJ9"));
    /// ```
    pub fn originating_identity(self, platform: &str, user: &Value) -> Self {
        let value = BASE64_STANDARD.encode(user.to_string());
        self.header("x-broker-api-originating-identity", format!("{platform} {value}"))
    }
}

impl Sealed for Operation {}

impl Kind for Operation {
    type Value = Value;

    fn method(&self) -> &'static str {
        self.method
    }

    fn path(&self) -> String {
        let query: Vec<_> =
            self.query.iter().map(|(name, value)| format!("{}={}", segment(name), segment(value))).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }

    fn fields(&self) -> Vec<(String, Value)> {
        self.fields.clone()
    }

    fn write(&self, fields: Vec<(String, Value)>, request: &mut Request) {
        if !(fields.is_empty() && self.fields.is_empty()) {
            write_json(fields, request);
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}
