//! Startup message: the address of the server, and curl commands that act as the marketplace.

use uuid::Uuid;

use crate::settings::{Settings, is_development_secret};

pub(crate) fn print(settings: &Settings, origin: &str) {
    println!("Tally is listening on {origin} and stores its data in {}.", maitre::mask_urls(&settings.database_url));
    let Ok(password) = settings.heroku.password() else { return };
    if !is_development_secret(password) {
        return; // do not print a real password
    }
    let user = format!("{}:{}", settings.heroku.id, password.expose());
    let resources = format!("{origin}/heroku/resources");
    let uuid = Uuid::new_v4();
    println!(
        "
To provision a resource, change its plan and deprovision it, run in another terminal:

curl -i -u {user} -H 'Content-Type: application/json' -d '{{\"uuid\":\"{uuid}\",\"plan\":\"basic\"}}' {resources}
curl -i -u {user} -H 'Content-Type: application/json' -X PUT -d '{{\"plan\":\"premium\"}}' {resources}/{uuid}
curl -i -u {user} -X DELETE {resources}/{uuid}"
    );
}
