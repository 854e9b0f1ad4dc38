//! A recorded call as a curl command.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{Sandbox, entry::Entry};

/// Headers that curl sets itself.
const OWN_HEADERS: [&str; 4] = ["accept-encoding", "connection", "content-length", "host"];

/// `GET /sandbox/exchanges/{id}/curl`: a command that sends the request, with its secrets.
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(id): Path<i64>) -> Response {
    match sandbox.journal().store().get(id).filter(|entry| !entry.head.method.is_empty()) {
        Some(entry) => {
            let origin = sandbox.url().unwrap_or("http://localhost:8400");
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], command(&entry, origin)).into_response()
        }
        None => (StatusCode::NOT_FOUND, "The sandbox does not have this call.\n").into_response(),
    }
}

/// Returns the command. `origin` is the origin of calls to the marketplace, whose URL is a path.
fn command(entry: &Entry, origin: &str) -> String {
    let head = &entry.head;
    let url = if head.url.starts_with('/') { format!("{origin}{}", head.url) } else { head.url.clone() };
    let mut words = vec![format!("curl -i -X {} {}", quoted(&head.method), quoted(&url))];
    let headers = entry.request.headers.iter().filter(|(name, _)| !OWN_HEADERS.contains(&name.as_str()));
    words.extend(headers.map(|(name, value)| format!("-H {}", quoted(&format!("{name}: {value}")))));
    if !entry.request.body.is_empty() {
        words.push(format!("--data-binary {}", quoted(&String::from_utf8_lossy(&entry.request.body))));
    }
    words.join(" \\\n    ") + "\n"
}

/// Quotes a word for a POSIX shell.
fn quoted(word: &str) -> String {
    let is_harmless = |letter: char| letter.is_ascii_alphanumeric() || "-_./:".contains(letter);
    if !word.is_empty() && word.chars().all(is_harmless) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::entry::{Direction, Head, Kind, Message};

    #[test]
    fn the_command_repeats_the_request() {
        let headers =
            [("host", "127.0.0.1:8300"), ("authorization", "Basic YTpi"), ("content-type", "application/json")];
        let entry = Entry {
            id: 1,
            head: Head {
                method: "POST".to_owned(),
                url: "http://127.0.0.1:8300/heroku/resources".to_owned(),
                ..Head::new(OffsetDateTime::UNIX_EPOCH, Direction::ToAddon, Kind::Provision, "Provision")
            },
            request: Message::new(headers.into_iter(), br#"{"name":"it's"}"#),
            response: None,
        };
        let wanted = r#"curl -i -X POST http://127.0.0.1:8300/heroku/resources \
    -H 'authorization: Basic YTpi' \
    -H 'content-type: application/json' \
    --data-binary '{"name":"it'\''s"}'
"#;
        assert_eq!(command(&entry, "http://localhost:8400"), wanted);
    }
}
