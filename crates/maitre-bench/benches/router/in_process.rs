//! The role of a router without a server: the same requests, handed over as values.

use axum::body::Body;
use axum::http::Request;
use maitre_workbench::Outcome;
use maitre_workbench::asks::{self, Ask, Heading};
use maitre_workbench::serve::{Threads, runtime};
use tower::ServiceExt;

use crate::desk::Desk;

/// Without a desk the requests are made, and nobody answers them.
pub(crate) fn run(desk: Option<Desk>, ask: Ask, requests: u64) -> Outcome<()> {
    let (_, drawn) = Heading::new().request(ask);
    let app = desk.map(Desk::app).transpose()?;
    runtime(Threads::One)?.block_on(async {
        for _ in 0..requests {
            let mut request = Request::builder().method(drawn.method()).uri(asks::path(&drawn));
            for (name, value) in drawn.headers() {
                request = request.header(name, value);
            }
            let length = drawn.body().len();
            let request = request.header("content-length", length).body(Body::from(drawn.body().to_owned()))?;
            let Some(app) = &app else { continue };
            let reply = app.clone().oneshot(request).await?;
            let status = reply.status().as_u16();
            let body = axum::body::to_bytes(reply.into_body(), usize::MAX).await?;
            if !matches!(status, 200 | 302) {
                return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
            }
        }
        Ok(())
    })
}
