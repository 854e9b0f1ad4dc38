//! Messages about manifests that are not JSON.

use super::ManifestError;

const BOM: char = '\u{feff}';

/// Creates the error of a text that is not JSON, with a remedy for the usual causes.
pub(super) fn error(text: &str, error: &serde_json::Error) -> ManifestError {
    if text.starts_with(BOM) {
        return ManifestError::file("the manifest begins with a byte order mark: save it as UTF-8 without BOM");
    }
    let place = format!("line {} column {}", error.line(), error.column());
    ManifestError::file(match remedy(text, error) {
        Some((problem, remedy)) => format!("the manifest is not JSON: {problem} at {place}: {remedy}"),
        None => format!("the manifest is not JSON: {error}"),
    })
}

fn remedy(text: &str, error: &serde_json::Error) -> Option<(&'static str, &'static str)> {
    if text.trim().is_empty() {
        return Some(("the file is empty", "create a manifest with `maitre manifest new`"));
    }
    if error.to_string().starts_with("trailing comma") {
        return Some(("there is a comma after the last item", "remove the comma"));
    }
    let line = text.lines().nth(error.line().checked_sub(1)?)?;
    let rest = line.as_bytes().get(error.column().checked_sub(1)?..)?;
    let is_key = error.to_string().starts_with("key must be a string");
    Some(match rest {
        [b'/', b'/' | b'*', ..] | [b'#', ..] => ("there is a comment", "JSON has no comments, so remove it"),
        [b'\'', ..] => ("there is a single quote", "write strings in double quotes"),
        [b'_' | b'$' | b'a'..=b'z' | b'A'..=b'Z', ..] if is_key => {
            ("there is a key without quotes", "write keys in double quotes")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::Manifest;

    #[test]
    fn the_usual_mistakes_have_a_remedy() {
        for (text, message) in [
            ("\u{feff}{}", "begins with a byte order mark: save it as UTF-8 without BOM"),
            ("", "the file is empty at line 1 column 0: create a manifest with `maitre manifest new`"),
            (
                "{\n  // the slug\n  \"id\": 1}",
                "there is a comment at line 2 column 3: JSON has no comments, so remove it",
            ),
            ("{\"id\": \"a\" # the slug\n}", "there is a comment at line 1 column 12"),
            ("{\"id\": /* slug */ \"a\"}", "there is a comment at line 1 column 8"),
            ("{\"id\": \"ü\", // slug\n}", "there is a comment at line 1 column 14"),
            ("{\"id\": \"a\",}", "there is a comma after the last item at line 1 column 12: remove the comma"),
            ("{'id': 1}", "there is a single quote at line 1 column 2: write strings in double quotes"),
            ("{id: 1}", "there is a key without quotes at line 1 column 2: write keys in double quotes"),
        ] {
            let error = Manifest::parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
