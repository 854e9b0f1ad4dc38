//! Role of a router without a server: the same requests, passed as values.

use axum::body::Body;
use axum::http::Request;
use maitre_bench_support::Outcome;
use maitre_bench_support::requests::{self, RequestKind, RequestSource};
use maitre_bench_support::serve::{Threads, runtime};
use tower::ServiceExt;

use crate::contender::Contender;

/// Without a contender the requests are only created.
pub(crate) fn run(contender: Option<Contender>, ask: RequestKind, requests: u64) -> Outcome<()> {
    let (_, drawn) = RequestSource::new().request(ask);
    let app = contender.map(Contender::app).transpose()?;
    runtime(Threads::One)?.block_on(async {
        for _ in 0..requests {
            let mut request = Request::builder().method(drawn.method()).uri(requests::path(&drawn));
            for (name, value) in drawn.headers() {
                request = request.header(name, value);
            }
            let length = drawn.body().len();
            let request = request.header("content-length", length).body(Body::from(drawn.body().to_owned()))?;
            let Some(app) = &app else { continue };
            let reply = app.clone().oneshot(request).await?;
            let status = reply.status().as_u16();
            let body = axum::body::to_bytes(reply.into_body(), usize::MAX).await?;
            if !matches!(status, 200 | 201 | 302) {
                return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
            }
        }
        Ok(())
    })
}
