//! Bodies of requests.

use serde_json::Value;

use super::problem::Problem;

pub(super) fn parse(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(format!("The body is not JSON: {error}.")))
}
