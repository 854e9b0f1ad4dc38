//! Opperator's calls to a vendor. The platform never opened; its contract is known only from a toolkit, and differs
//! from the others: a shared secret, no plan, no single sign-on.

use serde_json::Value;

use crate::{call::Call, endpoint::Endpoint, fields::SHARED_SECRET_HEADER, json::Json, path};

/// Opperator, from the point of view of the vendor of one add-on.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::Opperator;
/// use serde_json::json;
///
/// let opperator = Opperator::new("http://127.0.0.1:8300/opperator", "melon-9");
/// let provisioned = opperator.provision(json!({"seats": 5})).await.expect(201).json();
/// let id = provisioned["id"].as_str().unwrap();
///
/// opperator.plan_change(id, json!({"seats": 9})).await.expect(200);
/// opperator.deprovision(id).await.expect(200);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Opperator {
    endpoint: Endpoint,
}

impl Opperator {
    /// Returns an Opperator that calls `root` (the URL without its `/instances`) with the secret that it shares with
    /// the vendor.
    ///
    /// ```
    /// use maitre_testkit::Opperator;
    /// use serde_json::json;
    ///
    /// let opperator = Opperator::new("http://127.0.0.1:8300/opperator", "melon-9");
    /// let request = opperator.provision(json!({"seats": 5, "backups": true})).request();
    /// assert_eq!(request.url(), "http://127.0.0.1:8300/opperator/instances");
    /// assert_eq!(request.header("X-Opperator-Shared-Secret"), Some("melon-9"));
    /// let body: serde_json::Value = serde_json::from_slice(request.body())?;
    /// assert_eq!(body, json!({"features": {"seats": 5, "backups": true}}));
    /// assert!(!format!("{opperator:?} {request:?}").contains("melon-9"));
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn new(root: &str, shared_secret: &str) -> Self {
        Self { endpoint: Endpoint::new(root, [(SHARED_SECRET_HEADER, shared_secret.to_owned())]) }
    }

    /// `POST /instances`: a customer subscribes to these features.
    pub fn provision(&self, features: impl Into<Value>) -> Call<Json> {
        self.endpoint.json("POST", "/instances".to_owned(), [("features", features.into())])
    }

    /// `PUT /instances/{id}`: the customer changes the features.
    pub fn plan_change(&self, id: &str, features: impl Into<Value>) -> Call<Json> {
        self.endpoint.json("PUT", instance(id), [("features", features.into())])
    }

    /// `DELETE /instances/{id}`: the customer cancels. Sent without a body.
    pub fn deprovision(&self, id: &str) -> Call<Json> {
        self.endpoint.json("DELETE", instance(id), [])
    }

    /// `PUT /plan_warning/{id}`: presumably, the customer approaches a limit. A body was never defined.
    pub fn plan_warning(&self, id: &str) -> Call<Json> {
        self.endpoint.json("PUT", format!("/plan_warning/{}", path::segment(id)), [])
    }
}

fn instance(id: &str) -> String {
    format!("/instances/{}", path::segment(id))
}
