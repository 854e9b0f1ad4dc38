use std::fmt;

use crate::{
    call::{Kind, sealed::Sealed},
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
