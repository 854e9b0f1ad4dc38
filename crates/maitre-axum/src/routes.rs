//! The routes of a marketplace router, as data.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use maitre_core::{
    Addon, Bind, Deprovision, Failure, Fetch, FetchBinding, IntoAddon, LastOperation, Notice, OperationKind,
    PlanChange, Provision, Reinstate, Rotate, Suspend, TraceParent, Unbind, Update,
};
use serde_json::json;
use tokio::time::timeout;

use crate::contract::{Call, Contract, Head, error_response};
use crate::error_reply::ErrorReply;
use crate::events::{self, Events};
use crate::handles::{Handles, operate};
use crate::operation::{Change, Operation};
use crate::reply;
use crate::route::{Admission, Check, admit, admit_all, route};
use crate::sso::{SingleSignOn, sign_on_route};
use crate::throttle::Throttle;

/// Result of a [read route](Routes::read): a response, or an error that the contract writes.
pub type ReadResult = Result<Response, ReadError>;

/// Error of a read route. `?` converts from [`ErrorReply`] and [`Failure`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// An error with a status of its own.
    Reply(ErrorReply),
    /// A failure of the backend, which the contract maps to a status.
    Failure(Failure),
}

impl From<ErrorReply> for ReadError {
    fn from(error: ErrorReply) -> Self {
        Self::Reply(error)
    }
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Routes of a marketplace: methods and paths, and the operation behind each.
///
/// The same rules hold for each route: a trailing slash changes nothing, another method is answered 405 with `Allow` in
/// the contract's error shape, and every answer has a log line. Other paths belong to the host, so
/// they have no fallback.
///
/// See [`Contract`] for an example.
pub struct Routes<M: Contract, S = ()> {
    addon: Arc<Addon<M>>,
    checks: Vec<Check<M>>,
    entries: Vec<Entry<M, S>>,
}

struct Entry<M: Contract, S> {
    method: Method,
    path: String,
    operations: Vec<&'static str>,
    build: Build<M, S>,
}

/// Adds the methods of [`Routes`] for each kind of operation.
macro_rules! operations {
    ($($doc:literal $name:ident: $operation:ty;)*) => {$(
        #[doc = $doc]
        #[must_use]
        pub fn $name(self, method: Method, path: &str) -> Self
        where
            M: Handles<$operation>,
        {
            self.operation::<$operation>(method, path)
        }
    )*};
}

type Build<M, S> = Box<dyn FnOnce(&Arc<Addon<M>>, MethodFilter, Arc<Admission<M>>) -> MethodRouter<S>>;

impl<M: Contract, S: Clone + Send + Sync + 'static> Routes<M, S> {
    /// Creates an empty set of routes.
    #[must_use]
    pub fn new(addon: impl IntoAddon<M>) -> Self {
        Self { addon: Arc::new(addon.into_addon()), checks: Vec::new(), entries: Vec::new() }
    }

    /// Returns the add-on.
    #[must_use]
    pub fn addon(&self) -> &Addon<M> {
        &self.addon
    }

    /// Adds a check between authentication and body, such as of a version header. It holds for all authenticated routes.
    #[must_use]
    pub fn before_body(mut self, check: fn(&Call<M>) -> Result<(), ErrorReply>) -> Self {
        self.checks.push(check);
        self
    }

    operations! {
        "Adds provisions." provision: Provision;
        "Adds plan changes." plan_change: PlanChange;
        "Adds changes of parameters without a plan change." update: Update;
        "Adds changes of the plan, of parameters, or both, by one route." change: Change;
        "Adds deprovisions." deprovision: Deprovision;
        "Adds binds." bind: Bind;
        "Adds unbinds." unbind: Unbind;
        "Adds rotations of credentials." rotate: Rotate;
        "Adds suspensions." suspend: Suspend;
        "Adds ends of suspensions." reinstate: Reinstate;
        "Adds notifications about one resource." notice: Notice;
        "Adds reads of an operation's state, by marketplaces that poll." last_operation: LastOperation;
        "Adds reads of a resource." fetch: Fetch;
        "Adds reads of a binding." fetch_binding: FetchBinding;
    }

    /// Adds requests that stand for any number of [events](Events).
    #[must_use]
    pub fn events(self, method: Method, path: &str) -> Self
    where
        M: Events,
    {
        let reads_body = self.addon.marketplace().reads_body(&method);
        let mut routes = self.authenticated(method, path, "events", reads_body, events::handle::<M>);
        if let Some(entry) = routes.entries.last_mut() {
            entry.operations = M::OPERATIONS.iter().map(|kind| kind.as_str()).collect();
        }
        routes
    }

    /// Returns method, path and operations of each route, for tables and tools. An operation has its name in metrics.
    pub fn list(&self) -> impl Iterator<Item = (&Method, &str, &[&'static str])> {
        self.entries.iter().map(|entry| (&entry.method, entry.path.as_str(), &*entry.operations))
    }

    /// Declares the operations of the route that was added last, whose handler calls the backend itself.
    #[must_use]
    pub fn standing_for(mut self, operations: &[&'static str]) -> Self {
        if let Some(entry) = self.entries.last_mut() {
            entry.operations = operations.to_vec();
        }
        self
    }

    /// Adds an operation by its type.
    #[must_use]
    pub fn operation<Q: Operation>(self, method: Method, path: &str) -> Self
    where
        M: Handles<Q>,
    {
        let reads_body = self.addon.marketplace().reads_body(&method);
        self.authenticated(method, path, Q::NAME, reads_body, operate::<M, Q>)
    }

    /// Adds an authenticated route that reads, such as a catalog, or a request that no operation stands for.
    ///
    /// The handler must answer within the add-on's answer budget. It is dropped if the caller disconnects.
    #[must_use]
    pub fn read<F>(
        self,
        method: Method,
        path: &str,
        handler: impl Fn(Call<M>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ReadResult> + Send + 'static,
    {
        let reads_body = self.addon.marketplace().reads_body(&method);
        self.authenticated(method, path, "read", reads_body, move |call: Call<M>| {
            let addon = call.shared_addon().clone();
            in_time(addon, TraceParent::scope(call.trace(), handler(call)))
        })
    }

    /// Adds a route without authentication, such as a health check or the return from an identity provider.
    #[must_use]
    pub fn open<F>(
        self,
        method: Method,
        path: &str,
        handler: impl Fn(Head<M>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ReadResult> + Send + 'static,
    {
        let reads_body = self.addon.marketplace().reads_body(&method);
        self.add(method, path, "open", move |addon, method, _| {
            route(addon, method, "open", move |head: Head<M>, body: Body| {
                let handler = handler.clone();
                async move {
                    let head = admit_all(head, body, reads_body).await?;
                    let addon = head.shared_addon().clone();
                    in_time(addon, TraceParent::scope(head.trace(), handler(head))).await
                }
            })
        })
    }

    /// Adds an authenticated route that is answered 200 with `{}`, and whose body is not read: an obsolete notification,
    /// which should not appear as an error in a log.
    #[must_use]
    pub fn acknowledge(self, method: Method, path: &str) -> Self {
        self.authenticated(method, path, "acknowledge", false, async |_| Ok(reply::json(StatusCode::OK, &json!({}))))
    }

    /// Adds single sign-on, which is called by browsers: the token is in a form (`POST`) or in the URL (`GET`).
    #[must_use]
    pub fn single_sign_on(self, method: Method, path: &str) -> Self
    where
        M: SingleSignOn,
    {
        self.add(method, path, "single_sign_on", |addon, method, _| sign_on_route(addon, method))
    }

    fn authenticated<F>(
        self,
        method: Method,
        path: &str,
        operation: &'static str,
        reads_body: bool,
        handler: impl Fn(Call<M>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response, ErrorReply>> + Send + 'static,
    {
        self.add(method, path, operation, move |addon, method, admission| {
            route(addon, method, operation, move |head: Head<M>, body: Body| {
                let (handler, admission) = (handler.clone(), admission.clone());
                async move { handler(admit(head, body, &admission, reads_body).await?).await }
            })
        })
    }

    fn add(
        mut self,
        method: Method,
        path: &str,
        operation: &'static str,
        build: impl FnOnce(&Arc<Addon<M>>, MethodFilter, Arc<Admission<M>>) -> MethodRouter<S> + 'static,
    ) -> Self {
        let (path, operations) = (path.to_owned(), vec![operation]);
        self.entries.push(Entry { method, path, operations, build: Box::new(build) });
        self
    }

    /// Returns the router.
    ///
    /// # Panics
    /// Panics if a method of a path was added twice, or is not one of RFC 9110's.
    pub fn into_router(self) -> Router<S> {
        let Self { addon, checks, entries } = self;
        let admission = Arc::new(Admission { checks, throttle: Throttle::default() });
        let mut router = Router::new();
        for Entry { method, path, build, .. } in entries {
            let filter = MethodFilter::try_from(method).expect("a method of RFC 9110");
            let methods = build(&addon, filter, admission.clone());
            if !path.ends_with('/') {
                router = router.route(&format!("{path}/"), methods.clone());
            }
            router = router.route(&path, methods);
        }
        router.method_not_allowed_fallback(move |request: Request| {
            let addon = addon.clone();
            async move {
                let error = ErrorReply::new(StatusCode::METHOD_NOT_ALLOWED, "This method is not supported here.");
                let mut response = error_response(addon.marketplace(), &error);
                response.headers_mut().extend(addon.marketplace().response_headers(request.headers()));
                response
            }
        })
    }
}

/// Waits for a handler within the add-on's answer budget.
async fn in_time<M: Contract>(
    addon: Arc<Addon<M>>,
    answer: impl Future<Output = ReadResult>,
) -> Result<Response, ErrorReply> {
    let answer = timeout(addon.answer_budget(), answer).await;
    answer.unwrap_or_else(|_| Err(Failure::unavailable("answer budget exceeded").into())).map_err(|error| match error {
        ReadError::Reply(error) => error,
        ReadError::Failure(failure) => {
            tracing::warn!(%failure, "a read failed");
            addon.marketplace().failure(OperationKind::Fetch, &failure)
        }
    })
}

impl<M: Contract, S> fmt::Debug for Routes<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.entries.iter().map(|entry| format!("{} {}", entry.method, entry.path));
        f.debug_list().entries(routes).finish()
    }
}
