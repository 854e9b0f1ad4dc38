//! Masking of secrets by name. Exchanges are printed when a test fails, and test output may be stored for years.
//!
//! `Debug` and `Display` of this crate's types mask automatically. Use these functions to print parts of an exchange.
//!
//! ```
//! use maitre_testkit::mask;
//!
//! assert_eq!(mask::header("authorization", "Basic dGFsbHk6cGFzc3dvcmQ="), "[masked]");
//! assert_eq!(mask::url("http://u:p@host/r?token=bb466e&app=a"), "http://[masked]@host/r?token=[masked]&app=a");
//! let body = br#"{"config":{"TALLY_URL":"https://u:p@tally.example"}}"#;
//! assert_eq!(mask::body(Some("application/json"), body), r#"{"config":{"TALLY_URL":"[masked]"}}"#);
//! ```

use serde_json::Value;

const MASKED: &str = "[masked]";

/// Maximum number of characters that are printed of a body that is neither JSON nor a form.
const READABLE: usize = 2_000;

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "secret", "password", "salt", "signature", "authorization", "cookie", "oauth_grant"]
        .iter()
        .any(|part| name.contains(part))
        || [
            "code",
            "config",
            "credentials",
            "grant",
            "log_input_url",
            "log_drain_url",
            "syslog_drain_url",
            "jwt",
            "wss-url",
            "http-url",
        ]
        .contains(&name.as_str())
}

/// Returns a masked header value. The name is in lower case.
#[must_use]
pub fn header(name: &str, value: &str) -> String {
    match name {
        "set-cookie" => cookie(value),
        "location" => url(value),
        _ if is_secret(name) => MASKED.to_owned(),
        _ => value.to_owned(),
    }
}

/// Keeps the name and the attributes, which matter when a session is lost.
fn cookie(value: &str) -> String {
    let (pair, attributes) = value.split_at(value.find(';').unwrap_or(value.len()));
    let name = pair.split_once('=').map_or("", |(name, _)| name);
    format!("{name}={MASKED}{attributes}")
}

/// Returns a URL with the password and the secret parameters of the query masked.
#[must_use]
pub fn url(url: &str) -> String {
    let (place, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    let mut masked = match place.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = match authority.rsplit_once('@') {
                Some((_, host)) => format!("{MASKED}@{host}"),
                None => authority.to_owned(),
            };
            format!("{scheme}://{host}{path}")
        }
        None => place.to_owned(),
    };
    if let Some(query) = query.strip_prefix('?') {
        masked.push('?');
        masked.push_str(&form(query));
    }
    masked
}

fn form(fields: &str) -> String {
    let masked = fields.split('&').map(|field| match field.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={MASKED}"),
        _ => field.to_owned(),
    });
    masked.collect::<Vec<_>>().join("&")
}

fn json(value: &mut Value, secret: bool) {
    match value {
        // a config var in a list of Heroku's API
        Value::Object(fields) if fields.len() == 2 && fields.contains_key("name") && fields.contains_key("value") => {
            json(&mut fields["value"], true);
        }
        Value::Object(fields) => {
            // the code of an error is not the code of an OAuth grant
            let is_error = fields.contains_key("message");
            for (name, value) in fields {
                json(value, secret || is_secret(name) && !(is_error && name == "code"));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| json(value, secret)),
        Value::Null => {}
        leaf if secret => *leaf = MASKED.into(),
        _ => {}
    }
}

/// Maximum number of bytes of a body that is parsed.
const LONGEST: usize = 64 * 1024;

/// Returns a body as text, with secret fields of JSON and forms masked and other content truncated.
#[must_use]
pub fn body(content_type: Option<&str>, bytes: &[u8]) -> String {
    if bytes.len() > LONGEST {
        return format!("[{} bytes]", bytes.len());
    }
    if let Ok(mut value) = serde_json::from_slice::<Value>(bytes) {
        json(&mut value, false);
        return value.to_string();
    }
    let text = String::from_utf8_lossy(bytes);
    if content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return form(&text);
    }
    match text.char_indices().nth(READABLE) {
        Some((end, _)) => format!("{} […]", &text[..end]),
        None => text.into_owned(),
    }
}

/// Returns the secret values of a body and of headers, so that repetitions elsewhere can be masked.
pub(crate) fn secrets(headers: &[(String, String)], content_type: Option<&str>, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in headers.iter().filter(|(name, _)| is_secret(name) && name != "set-cookie") {
        found.push(value.clone());
        found.extend(value.split_once(' ').map(|(_, credentials)| credentials.to_owned()));
        if name == "cookie" {
            found.extend(value.split("; ").filter_map(|pair| Some(pair.split_once('=')?.1.to_owned())));
        }
    }
    if bytes.len() > LONGEST {
        // too long to be printed
    } else if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        leaves(&value, false, &mut found);
    } else if content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        let fields = form_urlencoded::parse(bytes).filter(|(name, _)| is_secret(name));
        found.extend(fields.map(|(_, value)| value.into_owned()));
    }
    // short values occur in ordinary words
    found.retain(|secret| secret.len() >= 8);
    found
}

fn leaves(value: &Value, secret: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, secret || is_secret(name), found));
        }
        Value::Array(values) => values.iter().for_each(|value| leaves(value, secret, found)),
        Value::String(text) if secret && text != "authorization_code" => found.push(text.clone()),
        _ => {}
    }
}

/// Masks these values in a text.
pub(crate) fn without(text: String, secrets: &[String]) -> String {
    secrets.iter().fold(text, |text, secret| text.replace(secret, MASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_values_are_masked_and_names_are_kept() {
        let body = body(None, br#"{"id":"7","config":{"TALLY_URL":"https://u:p@x"},"message":"ready"}"#);
        let masked: serde_json::Value = serde_json::from_str(&body).unwrap(); // its order is the build's choice
        assert_eq!(masked, serde_json::json!({ "id": "7", "config": { "TALLY_URL": "[masked]" }, "message": "ready" }));
    }

    #[test]
    fn config_vars_in_a_list_keep_their_names() {
        let body =
            body(None, br#"{"config":[{"name":"TALLY_URL","value":"https://u:p@x"},{"name":"A","value":null}]}"#);
        assert_eq!(body, r#"{"config":[{"name":"TALLY_URL","value":"[masked]"},{"name":"A","value":null}]}"#);
    }

    #[test]
    fn a_grant_is_masked_completely() {
        let body = body(None, br#"{"oauth_grant":{"code":"c0de","type":"authorization_code"},"logplex_token":null}"#);
        assert!(!body.contains("c0de"), "{body}");
        assert!(body.contains(r#""logplex_token":null"#), "{body}");
    }

    #[test]
    fn the_code_of_an_error_is_not_masked() {
        let text = r#"{"error":{"code":"conflict","message":"No."}}"#;
        assert_eq!(body(None, text.as_bytes()), text);
    }

    #[test]
    fn tokens_in_forms_and_queries_are_masked() {
        let sent = body(Some("application/x-www-form-urlencoded"), b"id=7&token=bb466e&app=myapp");
        assert_eq!(sent, "id=7&token=[masked]&app=myapp");
        let sent = body(Some("application/x-www-form-urlencoded"), b"grant_type=authorization_code&code=c0de");
        assert_eq!(sent, "grant_type=authorization_code&code=[masked]");
        assert_eq!(url("http://u:p@h/r/7?token=bb466e&app=a"), "http://[masked]@h/r/7?token=[masked]&app=a");
        assert_eq!(header("location", "/in?session_token=1"), "/in?session_token=[masked]");
    }

    #[test]
    fn cookies_keep_their_attributes() {
        assert_eq!(header("set-cookie", "id=s3cr3t; Path=/; SameSite=Lax"), "id=[masked]; Path=/; SameSite=Lax");
        assert_eq!(header("cookie", "id=s3cr3t"), MASKED);
    }

    #[test]
    fn a_long_body_is_replaced_by_its_length() {
        assert_eq!(body(None, &vec![b'a'; LONGEST + 1]), "[65537 bytes]");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let page = "é".repeat(READABLE + 1);
        assert!(body(Some("text/html"), page.as_bytes()).ends_with("é […]"));
    }
}
