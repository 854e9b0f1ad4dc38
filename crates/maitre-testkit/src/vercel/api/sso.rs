//! Exchange of a code of single sign-on.

use serde_json::{Value, json};

use super::{
    super::{
        shape::{Field, Kind},
        state::State,
    },
    Answer, Problem, check,
};

const FIELDS: &[Field] = &[
    ("code", true, Kind::NonEmpty),
    ("state", false, Kind::Text),
    ("client_id", true, Kind::NonEmpty),
    ("client_secret", true, Kind::NonEmpty),
    ("grant_type", true, Kind::OneOf(&["authorization_code"])),
    ("redirect_uri", false, Kind::Text),
];

pub(super) fn exchange(state: &mut State, body: &Value) -> Answer {
    check(body, FIELDS)?;
    if body["client_id"] != state.client_id || body["client_secret"] != state.client_secret {
        return Err(Problem::new(403, "The client is not known."));
    }
    let token = body["code"].as_str().and_then(|code| state.codes.remove(code));
    let token = token.ok_or_else(|| Problem::new(403, "The code is used or not known."))?;
    Ok((200, json!({ "id_token": token, "access_token": null, "token_type": null })))
}
