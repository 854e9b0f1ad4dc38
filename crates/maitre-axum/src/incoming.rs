//! A request as a contract sees it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request};
use futures_util::FutureExt;
use maitre_core::{Addon, AddonId, Marketplace, ResourceId, TraceParent};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::error_reply::ErrorReply;
use crate::form::Form;
use crate::log::{record_resource, trace_of};
use crate::payload::Payload;
use crate::task;
use crate::text::is_valid_id;
use crate::with_extra::WithExtra;

/// A request as a contract sees it: head, ids in the path, caller, body and time.
///
/// A contract receives it as [`Head`](crate::Head) before authentication, and as [`Call`](crate::Call) with a caller
/// afterwards. `Debug` shows no header, query or body.
pub struct Incoming<M, C> {
    addon: Arc<Addon<M>>,
    /// Boxed, as it passes through several futures, each of which would copy it.
    received: Box<Received>,
    caller: C,
}

/// Everything that the caller sent, and when.
struct Received {
    parts: Parts,
    /// `None` if the route has no parameters, or one of them is not UTF-8.
    parameters: Option<RawPathParams>,
    now: OffsetDateTime,
    /// Trace that the caller sent.
    trace: Option<TraceParent>,
    body: Payload,
}

impl<M: Marketplace> Incoming<M, ()> {
    pub(crate) fn from_parts(addon: Arc<Addon<M>>, parts: Parts) -> Self {
        let (now, trace) = (addon.now(), trace_of(&parts.headers));
        let body = Payload::new(Bytes::new(), None);
        let mut received = Box::new(Received { parts, parameters: None, now, trace, body });
        let parts = &mut received.parts;
        for secret in [AUTHORIZATION, COOKIE] {
            if let axum::http::header::Entry::Occupied(mut values) = parts.headers.entry(secret) {
                values.iter_mut().for_each(|value| value.set_sensitive(true));
            }
        }
        received.parameters = RawPathParams::from_request_parts(parts, &()).now_or_never().and_then(Result::ok);
        Self { addon, received, caller: () }
    }

    /// Creates a request without path parameters, for tests of a contract.
    ///
    /// ```
    /// use axum::{body::Bytes, http::Request};
    /// use maitre_axum::Head;
    /// use maitre_axum::core::{Addon, Credentials};
    /// # use maitre_axum::core::doctest::{Bazaar, Widgets};
    /// # struct Fair(Bazaar);
    /// # impl maitre_axum::core::Marketplace for Fair {
    /// #     fn name(&self) -> std::borrow::Cow<'static, str> { "fair".into() }
    /// #     fn slug(&self) -> &str { self.0.slug() }
    /// # }
    /// # impl maitre_axum::Contract for Fair {
    /// #     type Caller = ();
    /// #     async fn authenticate(&self, _: &Head<Self>) -> Result<(), maitre_axum::ErrorReply> { Ok(()) }
    /// # }
    ///
    /// let addon = Addon::new(Fair(Bazaar(Credentials::new("lamps", "sesame", "salt")?)), Widgets);
    /// let request = Request::post("/sso").body(Bytes::from("stall=12&visitor=ada"))?;
    /// assert_eq!(Head::new(addon, request).form().require("stall")?, "12");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(addon: Addon<M>, request: Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        let limit = addon.body_limit();
        let mut head = Self::from_parts(Arc::new(addon), parts);
        head.set_body(Payload::with_headers(body, head.headers(), limit));
        head
    }

    pub(crate) fn with_caller<C>(self, caller: C) -> Incoming<M, C> {
        Incoming { addon: self.addon, received: self.received, caller }
    }
}

impl<M: Marketplace, C> Incoming<M, C> {
    /// Returns the result of authentication.
    pub fn caller(&self) -> &C {
        &self.caller
    }

    /// Replaces the caller, in [`Contract::authenticate_body`](crate::Contract::authenticate_body).
    pub fn set_caller(&mut self, caller: C) {
        self.caller = caller;
    }

    pub(crate) fn set_body(&mut self, body: Payload) {
        self.received.body = body;
    }

    pub(crate) fn shared_addon(&self) -> &Arc<Addon<M>> {
        &self.addon
    }

    /// Returns the add-on, with its settings.
    pub fn addon(&self) -> &Addon<M> {
        &self.addon
    }

    /// Returns the add-on's id, for a request to the listener.
    pub fn addon_id(&self) -> AddonId {
        self.addon.id().clone()
    }

    /// Returns the trace that the caller sent.
    pub(crate) fn sent_trace(&self) -> Option<&TraceParent> {
        self.received.trace.as_ref()
    }

    /// Returns the trace that the request belongs to: that of the caller, or of the app.
    pub(crate) fn trace(&self) -> Option<TraceParent> {
        self.received.trace.clone().or_else(|| self.addon().current_trace())
    }

    /// Runs work to its end, also if the caller disconnects: within the answer budget, and as one of the calls that
    /// [`drain`](crate::drain) waits for. It is for a [read route](crate::Routes::read) that calls the vendor's code.
    ///
    /// ```
    /// # use axum::{body::Bytes, http::Request};
    /// # use maitre_axum::Head;
    /// # use maitre_axum::core::{Addon, Credentials};
    /// # use maitre_axum::core::doctest::{Bazaar, Widgets};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let addon = Addon::new(Bazaar(Credentials::new("lamps", "sesame", "salt")?), Widgets);
    /// let head = Head::new(addon, Request::get("/lamps").body(Bytes::new())?);
    /// assert_eq!(head.run_to_completion(async { Ok(7) }).await.ok(), Some(7));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the failure of the work, or `Unavailable` if it panics or exceeds the budget.
    pub async fn run_to_completion<T: Send + 'static>(
        &self,
        work: impl Future<Output = maitre_core::Result<T>> + Send + 'static,
    ) -> maitre_core::Result<T> {
        task::run(&self.addon, work).await
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.received.parts.method
    }

    /// Returns the path inside the router, without the path where it is nested. It is not decoded.
    pub fn path(&self) -> &str {
        self.received.parts.uri.path()
    }

    /// Returns the query as the caller sent it, without `?`; empty if there is none.
    pub fn query(&self) -> &str {
        self.received.parts.uri.query().unwrap_or_default()
    }

    /// Returns a decoded parameter of the query; the first, if it is duplicate.
    pub fn query_value(&self, name: &str) -> Option<String> {
        let mut fields = form_urlencoded::parse(self.query().as_bytes());
        fields.find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.received.parts.headers
    }

    /// Returns a header, if it is sent once and is text. A proxy may have read the other one of two.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.received.parts.headers.get_all(name).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        std::str::from_utf8(value.as_bytes()).ok()
    }

    /// Returns method, URI, headers and extensions.
    pub fn parts(&self) -> &Parts {
        &self.received.parts
    }

    /// Returns a decoded parameter of the path: `stall` of a route like `/stalls/{stall}`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        // the last one of this name, as the host's path prefix may contain parameters
        let parameters = self.received.parameters.as_ref()?.iter();
        parameters.filter(|(parameter, _)| *parameter == name).last().map(|(_, value)| value)
    }

    /// Returns an id in the path, which is not empty, not too long and has no control characters.
    ///
    /// # Errors
    /// Returns a 404 otherwise: such an id never exists.
    pub fn id(&self, name: &str) -> Result<&str, ErrorReply> {
        self.parameter(name).filter(|id| !id.is_empty() && is_valid_id(id)).ok_or_else(ErrorReply::not_found)
    }

    /// Returns the resource in the path, see [`id`](Self::id), and records it for the log.
    ///
    /// # Errors
    /// Returns a 404 if it is not a possible id.
    pub fn resource(&self, name: &str) -> Result<ResourceId, ErrorReply> {
        let id = ResourceId::from(self.id(name)?);
        record_resource(&id);
        Ok(id)
    }

    /// Returns the time of the request by the add-on's clock.
    pub fn now(&self) -> OffsetDateTime {
        self.received.now
    }

    /// Returns the body. It is empty if the route does not read it; see
    /// [`Contract::reads_body`](crate::Contract::reads_body).
    pub fn body(&self) -> &Payload {
        &self.received.body
    }

    /// Parses the body as a JSON object; see [`Payload::json`].
    ///
    /// # Errors
    /// Returns a 400 that names the path of the field, its line and its column.
    pub fn json<T: DeserializeOwned>(&self) -> Result<WithExtra<T>, ErrorReply> {
        self.received.body.json()
    }

    /// Returns the fields of a form: of the query in a `GET`, of the body otherwise.
    pub fn form(&self) -> Form {
        let by_get = matches!(self.received.parts.method, Method::GET | Method::HEAD);
        Form::parse(if by_get { self.query().as_bytes() } else { self.received.body.bytes() })
    }
}

impl<M: Marketplace, C> fmt::Debug for Incoming<M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("method", self.method()).field("path", &self.path()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use maitre_core::Credentials;
    use maitre_core::doctest::{Bazaar, Widgets};
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_continues_without_its_caller_and_a_shutdown_waits_for_it() {
        let addon = Addon::new(Bazaar(Credentials::new("lamps", "sesame", "salt").unwrap()), Widgets);
        let head = Incoming::new(addon, Request::get("/lamps").body(Bytes::new()).unwrap());
        let ((release, released), (end, ended)) = (oneshot::channel(), oneshot::channel());
        let mut caller = Box::pin(head.run_to_completion(async move {
            released.await.unwrap();
            end.send(()).unwrap();
            Ok(())
        }));
        assert!((&mut caller).now_or_never().is_none());
        drop(caller);
        assert_eq!(head.addon().in_flight().count(), 1);
        release.send(()).unwrap();
        ended.await.unwrap();
        assert_eq!(crate::drain([head.addon().in_flight()], Duration::from_secs(30)).await, 0);
    }
}
