//! Property tests with 10,000 cases each: only valid requests are accepted, and nothing panics.

mod bodies;
mod forms;
mod headers;

use std::cell::RefCell;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use maitre::{Addon, Heroku, SignedOn};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use crate::support::{Clock, NOW, UUID, Vendor};

const CASES: u32 = 10_000;

fn check<S: Strategy>(strategy: S, mut test: impl FnMut(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let test = RefCell::new(&mut test);
    TestRunner::new(config)
        .run(&strategy, |value| (test.borrow_mut())(value))
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Router without a socket, with a runtime to drive it.
struct TestRouter {
    router: Router,
    vendor: Vendor,
    runtime: Runtime,
}

impl TestRouter {
    fn new(marketplace: Heroku) -> Self {
        let vendor = Vendor::default();
        vendor.on_provision(async |_| Ok(maitre::Provisioned::new(1)));
        vendor.on_single_sign_on(async |_| Ok(SignedOn::redirect("/")));
        let addon = Addon::new(marketplace, vendor.clone()).with_clock(Clock::at(NOW).source());
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { router: maitre::heroku(addon), vendor, runtime }
    }

    fn send(&self, request: Request<Body>) -> StatusCode {
        let reply = self.runtime.block_on(self.router.clone().oneshot(request));
        reply.expect("a router never fails").status()
    }

    fn provision(&self, authorization: &[u8]) -> StatusCode {
        let body = format!(r#"{{"uuid":"{UUID}","plan":"basic"}}"#);
        self.send(
            Request::post("/resources")
                .header(header::AUTHORIZATION, authorization)
                .body(body.into())
                .expect("a request"),
        )
    }

    fn sign_on(&self, fields: &[(String, String)]) -> StatusCode {
        let fields = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        self.post_form(fields.collect::<Vec<_>>().join("&").into())
    }

    fn post_form(&self, body: Body) -> StatusCode {
        let request = Request::post("/resources/sso").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(body).expect("a request"))
    }
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
