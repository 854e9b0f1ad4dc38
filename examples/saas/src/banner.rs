//! Startup message: the address of the server, and curl commands that act as the marketplace.

use std::fmt::Write as _;
use std::net::SocketAddr;

use maitre::Secret;
use uuid::Uuid;

use crate::settings::{Settings, is_development_secret};

/// Returns the message. A real password is not part of it.
pub(crate) fn text(settings: &Settings, address: SocketAddr, origin: &str) -> String {
    let database = maitre::mask_urls(&settings.database_url);
    let mut text = format!("Tally is listening on http://{address}");
    if settings.has_public_url() {
        let _ = write!(text, " for {origin}");
    }
    let _ = writeln!(text, " and stores its data in {database}.");
    if let Ok(password) = settings.heroku.password()
        && is_development_secret(password)
    {
        text += &curl_commands(settings, password, origin);
    }
    text
}

fn curl_commands(settings: &Settings, password: &Secret, origin: &str) -> String {
    let user = format!("{}:{}", settings.heroku.id, password.expose());
    let resources = format!("{origin}/heroku/resources");
    let uuid = Uuid::new_v4();
    format!(
        "
To provision a resource, change its plan and deprovision it, run in another terminal:

curl -i -u {user} -H 'Content-Type: application/json' -d '{{\"uuid\":\"{uuid}\",\"plan\":\"basic\"}}' {resources}
curl -i -u {user} -H 'Content-Type: application/json' -X PUT -d '{{\"plan\":\"premium\"}}' {resources}/{uuid}
curl -i -u {user} -X DELETE {resources}/{uuid}
"
    )
}
