use axum::Router;
use maitre::backend::Backend;
use maitre::{Addon, Ledger, Marketplace};
use maitre_testkit::sign;

use super::{Folder, Raw, RawReply, Server, Vendor, host, instant, request};

/// Running app at a marketplace with Basic credentials that the test kit does not play: its requests are raw HTTP.
pub(crate) struct RawApp {
    pub(crate) server: Server,
    pub(crate) vendor: Vendor,
    authorization: String,
}

/// Running app with a ledger in a temporary file.
pub(crate) struct RecordedApp {
    pub(crate) app: RawApp,
    pub(crate) ledger: Ledger,
    _folder: Folder,
}

impl RawApp {
    pub(crate) const PASSWORD: &str = "s3cr3t-example";

    /// Starts an app whose clock stands at `now`, in seconds since 1970. Its password is [`PASSWORD`](Self::PASSWORD).
    pub(crate) async fn start<M: Marketplace>(
        marketplace: M,
        path: &str,
        now: i64,
        router: fn(Addon<M>) -> Router,
    ) -> Self {
        let vendor = Vendor::default();
        Self::start_with(marketplace, path, now, router, vendor.clone(), vendor).await
    }

    async fn start_with<M: Marketplace>(
        marketplace: M,
        path: &str,
        now: i64,
        router: fn(Addon<M>) -> Router,
        backend: impl Backend,
        vendor: Vendor,
    ) -> Self {
        let authorization = format!("authorization: {}", sign::basic(marketplace.slug(), Self::PASSWORD));
        let addon = Addon::new(marketplace, backend).with_clock(move || instant(now));
        let server = Server::start(host(Router::new().nest(path, router(addon)))).await;
        Self { server, vendor, authorization }
    }

    /// Sends JSON with the credentials: `app.send("PUT /scalingo/resources/1", "{}")`.
    pub(crate) async fn send(&self, line: &str, body: &str) -> RawReply {
        let lines = [line, &self.authorization, "content-type: application/json"];
        Raw::exchange(&self.server, request(lines, body)).await
    }

    /// Sends a form without credentials, as a browser does.
    pub(crate) async fn post_form(&self, path: &str, form: &str) -> RawReply {
        let line = format!("POST {path}");
        let lines = [line.as_str(), "content-type: application/x-www-form-urlencoded"];
        Raw::exchange(&self.server, request(lines, form)).await
    }
}

impl RecordedApp {
    pub(crate) async fn start<M: Marketplace>(
        marketplace: M,
        path: &str,
        now: i64,
        router: fn(Addon<M>) -> Router,
    ) -> Self {
        let (vendor, folder) = (Vendor::default(), Folder::new());
        let url = format!("sqlite://{}", folder.0.join("ledger.db").display());
        Ledger::migrate(&url).await.expect("tables");
        let ledger = Ledger::open(&url).await.expect("a ledger");
        let app = RawApp::start_with(marketplace, path, now, router, ledger.wrap(vendor.clone()), vendor).await;
        Self { app, ledger, _folder: folder }
    }
}
