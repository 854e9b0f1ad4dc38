//! Requests and their routes.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};

/// A request with its body.
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the key by which a repetition is recognized.
    pub(super) fn key(&self) -> Option<&str> {
        self.header("idempotency-key").filter(|key| !key.is_empty())
    }

    /// Returns a parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Install,
    ReadInstallation,
    UpdateInstallation,
    Uninstall,
    InstallationPlans,
    Provision,
    Read,
    Update,
    Deprovision,
    Rotate,
    Repl,
    Purchase,
    RequestTransfer,
    VerifyTransfer,
    AcceptTransfer,
    ResourcePlans,
    ProductPlans,
}

impl Route {
    pub(super) fn is_change(self) -> bool {
        !matches!(
            self,
            Self::ReadInstallation
                | Self::InstallationPlans
                | Self::Read
                | Self::ResourcePlans
                | Self::ProductPlans
                | Self::VerifyTransfer
        )
    }

    pub(super) fn needs_user(self) -> bool {
        matches!(self, Self::Install | Self::UpdateInstallation | Self::Provision | Self::Update | Self::Repl)
    }

    pub(super) fn is_transfer(self) -> bool {
        matches!(self, Self::RequestTransfer | Self::VerifyTransfer | Self::AcceptTransfer)
    }
}

/// Returns the route, the installation and the id of the resource or product.
pub(super) fn route<'p>(method: &str, segments: &[&'p str]) -> Option<(Route, &'p str, &'p str)> {
    Some(match (method, segments) {
        ("GET", ["v1", "products", slug, "plans"]) => (Route::ProductPlans, "", slug),
        (method, ["v1", "installations", iid, rest @ ..]) => match (method, rest) {
            ("PUT", []) => (Route::Install, iid, ""),
            ("GET", []) => (Route::ReadInstallation, iid, ""),
            ("PATCH", []) => (Route::UpdateInstallation, iid, ""),
            ("DELETE", []) => (Route::Uninstall, iid, ""),
            ("GET", ["plans"]) => (Route::InstallationPlans, iid, ""),
            ("POST", ["resources"]) => (Route::Provision, iid, ""),
            ("GET", ["resources", id]) => (Route::Read, iid, id),
            ("PATCH", ["resources", id]) => (Route::Update, iid, id),
            ("DELETE", ["resources", id]) => (Route::Deprovision, iid, id),
            ("POST", ["resources", id, "secrets", "rotate"]) => (Route::Rotate, iid, id),
            ("POST", ["resources", id, "repl"]) => (Route::Repl, iid, id),
            ("POST", ["billing", "provision"]) => (Route::Purchase, iid, ""),
            ("POST", ["resource-transfer-requests"]) => (Route::RequestTransfer, iid, ""),
            ("GET", ["resource-transfer-requests", claim, "verify"]) => (Route::VerifyTransfer, iid, claim),
            ("POST", ["resource-transfer-requests", claim, "accept"]) => (Route::AcceptTransfer, iid, claim),
            ("GET", ["resources", id, "plans"]) => (Route::ResourcePlans, iid, id),
            _ => return None,
        },
        _ => return None,
    })
}
