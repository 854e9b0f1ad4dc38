//! The account, its members, and the credentials of an installation.

use serde_json::{Value, json};

use super::{
    super::{
        shape::{Field, Kind},
        state::State,
    },
    Answer, Problem, Success, check,
};

const ROTATE: &[Field] = &[("client_secret", true, Kind::NonEmpty), ("client_id", false, Kind::NonEmpty)];
const REVOKE: &[Field] =
    &[("token", true, Kind::NonEmpty), ("client_secret", true, Kind::NonEmpty), ("client_id", false, Kind::NonEmpty)];

/// Lifetime of a rotated token in seconds.
const LIFETIME: u64 = 90 * 24 * 3_600;

pub(super) fn account() -> Success {
    let account = json!({
        "name": "Example Org",
        "url": "https://vercel.com/example-org",
        "contact": { "email": "ada@customer.example", "name": "Ada Example" },
    });
    (200, account)
}

pub(super) fn member(state: &State, installation: &str, member: &str) -> Answer {
    let member = state.installations[installation].members.get(member);
    Ok((200, member.ok_or_else(|| Problem::new(404, "No such member."))?.clone()))
}

pub(super) fn rotate(state: &mut State, installation: &str, body: &Value) -> Answer {
    check(body, ROTATE)?;
    check_secret(state, body)?;
    let token = format!("vcat_rotated_{}", crate::generate::new_uuid());
    let installed = state.installations.get_mut(installation).expect("authenticated");
    installed.tokens.push(token.clone());
    installed.client_secret_uses += 1;
    let reply = json!({
        "access_token": token,
        "token_type": "oauth2-token",
        "scope": "read-write:integration-resource",
        "expires_in": LIFETIME,
    });
    Ok((200, reply))
}

pub(super) fn revoke(state: &mut State, installation: &str, caller: &str, body: &Value) -> Answer {
    check(body, REVOKE)?;
    check_secret(state, body)?;
    let token = body["token"].as_str().unwrap_or_default();
    if token == caller {
        return Err(Problem::new(400, "The token of the call cannot be revoked."));
    }
    let installed = state.installations.get_mut(installation).expect("authenticated");
    let before = installed.tokens.len();
    installed.tokens.retain(|known| known != token);
    let already = before == installed.tokens.len();
    Ok((200, json!({ "revoked": true, "already_revoked": already })))
}

fn check_secret(state: &State, body: &Value) -> Result<(), Problem> {
    let is_known =
        body["client_secret"] == state.client_secret && body.get("client_id").is_none_or(|id| *id == state.client_id);
    if is_known { Ok(()) } else { Err(Problem::new(403, "The client is not known.")) }
}
