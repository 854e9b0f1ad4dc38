//! Memory of a request with a hostile body: at most three times the body limit. `--nocapture` prints the figures.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream;
use maitre_axum_heroku::Heroku;
use maitre_core::{
    Addon, Deprovision, Deprovisioned, Listener, PlanChange, PlanChanged, Provision, Provisioned, Result, SignOn,
    SignedOn,
};
use peak_alloc::PeakAlloc;
use tower::ServiceExt as _;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Body limit above the power of two to which buffers grow by doubling, so that they are much longer than their contents.
const LIMIT: usize = 300_000;

struct Widgets;

impl Listener for Widgets {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        Ok(Provisioned::new(request.resource))
    }

    async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> {
        Ok(PlanChanged::new())
    }

    async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }
}

const REQUIRED: &str = r#""uuid":"7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21","plan":"basic""#;

/// Body whose memory grows with a number of items: the required fields, `open`, the items, and `close`.
struct Hostile {
    name: &'static str,
    open: &'static str,
    item: fn(usize) -> String,
    close: &'static str,
}

impl Hostile {
    /// Returns the body with so many items, filled up to the limit by a text; `None` if it would be longer.
    fn body(&self, items: usize) -> Option<Vec<u8>> {
        let separator = if (self.item)(0).starts_with(['\\', 'x']) { "" } else { "," };
        let items: Vec<_> = (0..items).map(self.item).collect();
        let mut body = format!("{{{REQUIRED},{}{}{}", self.open, items.join(separator), self.close);
        body.push_str(r#","~":""#);
        let padding = LIMIT.checked_sub(body.len() + 2)?;
        body.extend(std::iter::repeat_n('x', padding));
        body.push_str("\"}");
        Some(body.into_bytes())
    }
}

fn nested(_: usize) -> String {
    format!("{}0{}", r#"{"a":"#.repeat(100), "}".repeat(100))
}

fn escaped(number: usize) -> String {
    if number.is_multiple_of(64) { r"\n".to_owned() } else { "x".to_owned() }
}

const HOSTILE: [Hostile; 16] = [
    Hostile { name: "one text", open: r#""x":""#, item: |_| "x".to_owned(), close: "\"" },
    Hostile { name: "one text of escapes", open: r#""x":""#, item: |_| r"\n".to_owned(), close: "\"" },
    Hostile { name: "one text with escapes", open: r#""x":""#, item: escaped, close: "\"" },
    Hostile { name: "a name with escapes", open: r#""name":""#, item: escaped, close: "\"" },
    Hostile { name: "a wrong type after it", open: r#""x":""#, item: escaped, close: r#"","region":7"# },
    Hostile { name: "numbers", open: r#""x":["#, item: |_| "0".to_owned(), close: "]" },
    Hostile { name: "empty lists", open: r#""x":["#, item: |_| "[]".to_owned(), close: "]" },
    Hostile { name: "lists with a number", open: r#""x":["#, item: |_| "[0]".to_owned(), close: "]" },
    Hostile { name: "short texts", open: r#""x":["#, item: |_| r#""a""#.to_owned(), close: "]" },
    Hostile { name: "objects with a field", open: r#""x":["#, item: |_| r#"{"a":0}"#.to_owned(), close: "]" },
    Hostile { name: "objects in an object", open: r#""x":{"#, item: |n| format!(r#""{n:x}":{{"":0}}"#), close: "}" },
    Hostile { name: "nested objects", open: r#""x":["#, item: nested, close: "]" },
    Hostile { name: "fields of an object", open: r#""x":{"#, item: |n| format!(r#""{n:x}":0"#), close: "}" },
    Hostile { name: "undocumented fields", open: "", item: |n| format!(r#""{n:x}":0"#), close: "" },
    Hostile { name: "options", open: r#""options":{"#, item: |n| format!(r#""{n:x}":"""#), close: "}" },
    Hostile { name: "a wrong type at the end", open: r#""x":["#, item: nested, close: r#"],"region":7"# },
];

/// Returns the body in pieces that are created when they are read, as from a socket.
fn pieces(body: &Arc<Vec<u8>>) -> Body {
    let (body, mut read) = (body.clone(), 0);
    Body::from_stream(stream::iter(std::iter::from_fn(move || {
        let piece = body[read..].chunks(16 * 1024).next()?;
        read += piece.len();
        Some(Ok::<_, Infallible>(Bytes::copy_from_slice(piece)))
    })))
}

/// Sends a body. Returns the message of the answer, and the most memory meanwhile.
async fn send(router: &Router, body: &Arc<Vec<u8>>) -> (String, usize) {
    let request = Request::post("/resources")
        .header(header::AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode("lantern:s3cr3t-example")))
        .header(header::CONTENT_TYPE, "application/json")
        .body(pieces(body))
        .expect("a request");
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let reply = router.clone().oneshot(request).await.expect("a router never fails");
    let peak = MEMORY.peak_usage() - before;
    let reply = to_bytes(reply.into_body(), usize::MAX).await.expect("a body");
    (String::from_utf8_lossy(&reply).into_owned(), peak)
}

/// Returns the largest number of items that are not refused as too many.
async fn most_items(router: &Router, hostile: &Hostile) -> usize {
    let (mut least, mut most) = (0, LIMIT);
    while least < most {
        let middle = least + (most - least).div_ceil(2);
        let is_read = match hostile.body(middle) {
            Some(body) => !send(router, &Arc::new(body)).await.0.contains("too many values"),
            None => false,
        };
        (least, most) = if is_read { (middle, most) } else { (least, middle - 1) };
    }
    least
}

#[test]
fn a_hostile_body_takes_at_most_three_times_the_body_limit() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let heroku = Heroku::new("lantern", "s3cr3t-example", "salt").expect("credentials");
    let router = maitre_axum_heroku::router(Addon::new(heroku, Widgets).with_body_limit(LIMIT));
    let mut exceeded = Vec::new();
    println!("{LIMIT:>24} bytes {:>8} {:>10}  times the limit", "items", "peak");
    for hostile in &HOSTILE {
        let items = runtime.block_on(most_items(&router, hostile));
        assert!(items > 1, "{}: {items} items", hostile.name);
        let body = Arc::new(hostile.body(items).expect("a body"));
        let (_, peak) = runtime.block_on(send(&router, &body));
        let hundredths = peak * 100 / LIMIT;
        println!("{:30} {items:>8} {peak:>10}  {}.{:02}", hostile.name, hundredths / 100, hundredths % 100);
        if peak > 3 * LIMIT {
            exceeded.push(hostile.name);
        }
    }
    assert!(exceeded.is_empty(), "{exceeded:?}");
}
