//! Pagination: a request has `Range: id ..; max=500; order=asc`, and a 206 response has `Next-Range` (Heroku's
//! Platform API reference, ranges).

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::problem::{Problem, json_text};

/// Heroku's maximum page size.
const MAX: usize = 1_000;

#[derive(Debug, PartialEq, Eq)]
struct Range {
    key: String,
    from: String,
    /// Whether `from` is exclusive.
    after: bool,
    to: String,
    max: usize,
    descending: bool,
}

/// Returns one page of these objects, which have the sort keys among their fields.
pub(crate) fn page(objects: Vec<Value>, keys: &[&str], headers: &HeaderMap, default: usize) -> Response {
    let asked = headers.get(header::RANGE).map_or("", |value| value.to_str().unwrap_or("?"));
    match Range::parse(asked, keys, default) {
        Ok(range) => range.cut(objects, keys),
        Err(problem) => problem.into_response(),
    }
}

impl Range {
    fn parse(text: &str, keys: &[&str], default: usize) -> Result<Self, Problem> {
        let mut parts = text.split([';', ',']).map(str::trim);
        let interval = parts.next().unwrap_or_default();
        let (key, interval) = interval.split_once(' ').unwrap_or((interval, ".."));
        let key = if key.is_empty() { keys[0] } else { key };
        if !keys.contains(&key) {
            return Err(Problem::range(format!("Ranges are by {}.", keys.join(", "))));
        }
        let Some((from, to)) = interval.trim().split_once("..") else {
            return Err(Problem::range("A range is two ends separated by `..`."));
        };
        let mut range = Self {
            key: key.to_owned(),
            after: from.starts_with(']'),
            from: from.trim_start_matches(']').to_owned(),
            to: to.to_owned(),
            max: default,
            descending: false,
        };
        for part in parts.filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("max", number)) => match number.parse() {
                    Ok(max @ 1..=MAX) => range.max = max,
                    _ => return Err(Problem::range(format!("max is a number from 1 to {MAX}."))),
                },
                Some(("order", "asc")) => range.descending = false,
                Some(("order", "desc")) => range.descending = true,
                _ => return Err(Problem::range(format!("A range has no option {part}."))),
            }
        }
        Ok(range)
    }

    fn cut(&self, mut objects: Vec<Value>, keys: &[&str]) -> Response {
        let position = |object: &Value| object[&self.key].as_str().unwrap_or_default().to_owned();
        objects.sort_by_cached_key(position);
        if self.descending {
            objects.reverse();
        }
        objects.retain(|object| self.holds(&position(object)));
        let more = objects.len() > self.max;
        objects.truncate(self.max);
        let ends = objects.first().zip(objects.last()).map(|(first, last)| (position(first), position(last)));
        let mut response = json_text(if more { 206 } else { 200 }, Value::Array(objects).to_string());
        let mut put = |name: &'static str, value: String| {
            response.headers_mut().insert(name, value.parse().expect("sort keys are plain ASCII"));
        };
        put("accept-ranges", keys.join(", "));
        if let Some((first, last)) = ends {
            put("content-range", format!("{} {first}..{last}", self.key));
            if more {
                let order = if self.descending { "; order=desc" } else { "" };
                put("next-range", format!("{} ]{last}..{}; max={}{order}", self.key, self.to, self.max));
            }
        }
        response
    }

    fn holds(&self, position: &str) -> bool {
        let (first, last) = if self.descending { (&self.to, &self.from) } else { (&self.from, &self.to) };
        let excluded = self.after && position == self.from;
        (first.is_empty() || position >= first.as_str()) && (last.is_empty() || position <= last.as_str()) && !excluded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(range: &str) -> (u16, Option<String>) {
        let objects = (0..5).map(|number| json!({ "id": format!("i{number}"), "name": "n" })).collect();
        let headers = HeaderMap::from_iter([(header::RANGE, range.parse().unwrap())]);
        let response = page(objects, &["id", "name"], &headers, 200);
        let next = response.headers().get("next-range").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), next)
    }

    #[test]
    fn an_incomplete_page_has_a_next_range() {
        for (range, status, next) in [
            ("", 200, None),
            ("id ..", 200, None),
            ("id ..; max=5", 200, None),
            ("id ..; max=2", 206, Some("id ]i1..; max=2")),
            ("id ]i1..; max=2", 206, Some("id ]i3..; max=2")),
            ("id ]i3..; max=2", 200, None),
            ("id ..; max=2, order=desc", 206, Some("id ]i3..; max=2; order=desc")),
            ("id ]i1..; max=2; order=desc", 200, None),
            ("id i1..i2; max=1", 206, Some("id ]i1..i2; max=1")),
        ] {
            assert_eq!(ask(range), (status, next.map(str::to_owned)), "{range}");
        }
    }

    #[test]
    fn an_invalid_range_is_416() {
        for range in ["version ..", "id", "id ..; max=0", "id ..; max=1001", "id ..; order=up", "id ..; page=2"] {
            let expected = if range == "id" { 200 } else { 416 };
            assert_eq!(ask(range).0, expected, "{range}");
        }
    }
}
