//! What is printed at start: where the server is, and how to be the marketplace.

use uuid::Uuid;

use crate::settings::{Settings, is_for_development};

pub(crate) fn print(settings: &Settings, origin: &str) {
    println!("Tally listens on {origin} and keeps its data in {}.", maitre::mask_urls(&settings.database_url));
    let Ok(password) = settings.heroku.password() else { return };
    if !is_for_development(password) {
        return; // a real password does not belong on a terminal
    }
    let user = format!("{}:{}", settings.heroku.id, password.expose());
    let resources = format!("{origin}/heroku/resources");
    let uuid = Uuid::new_v4();
    println!(
        "
Be the marketplace, from another terminal: order, change the plan, remove.

curl -i -u {user} -H 'Content-Type: application/json' -d '{{\"uuid\":\"{uuid}\",\"plan\":\"basic\"}}' {resources}
curl -i -u {user} -H 'Content-Type: application/json' -X PUT -d '{{\"plan\":\"premium\"}}' {resources}/{uuid}
curl -i -u {user} -X DELETE {resources}/{uuid}"
    );
}
