use std::fmt;

use serde_json::Value;

use crate::{
    call::{Kind, sealed::Sealed},
    fields::named,
    request::Request,
};

/// Kind of a call with a JSON body or without a body, such as a plan change or a deprovision. A call without a body
/// gets one, and a content type, when a field is [`set`](crate::Call::set).
///
/// ```
/// use maitre_testkit::Heroku;
///
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
/// assert_eq!(heroku.deprovision("7").request().header("content-type"), None);
/// assert_eq!(heroku.deploy_event("7").without("detail").fields().len(), 2);
/// ```
#[derive(Clone)]
pub struct Json {
    method: &'static str,
    path: String,
    fields: Vec<(String, Value)>,
}

impl Json {
    pub(crate) fn new<const N: usize>(method: &'static str, path: String, fields: [(&str, Value); N]) -> Self {
        Self { method, path, fields: named(fields) }
    }
}

impl Sealed for Json {}

impl Kind for Json {
    type Value = Value;

    fn method(&self) -> &'static str {
        self.method
    }

    fn path(&self) -> String {
        self.path.clone()
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

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Json").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}

pub(crate) fn write_json(fields: Vec<(String, Value)>, request: &mut Request) {
    request.push_header("content-type", "application/json");
    request.body = Value::Object(fields.into_iter().collect()).to_string().into_bytes();
}
