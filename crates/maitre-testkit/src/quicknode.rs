//! QuickNode's calls to a vendor.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    call::Call,
    endpoint::{Endpoint, split},
    generate,
    json::Json,
    jwt_link::JwtLink,
    raw::Raw,
    sign,
};

/// QuickNode, from the point of view of the vendor of one add-on. All calls have `X-QN-TESTING`, like those of its test tool.
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::QuickNode;
///
/// let quicknode = QuickNode::new("http://127.0.0.1:8300/quicknode", "pomelo", "password", "jwt-secret");
/// let (account, endpoint) = (quicknode.new_account(), quicknode.new_endpoint());
/// let provisioned = quicknode.provision(&account, &endpoint, "discover").await.expect(200).json();
/// assert_eq!(provisioned["status"], "success");
/// quicknode.update(&account, &endpoint, "build").await.expect(200);
/// quicknode.single_sign_on(&account).await.expect(200);
/// quicknode.deactivate(&account, &endpoint).await.expect(200);
/// quicknode.deprovision(&account).await.expect(200);
/// # }
/// ```
///
/// `Debug` shows only the vendor's URL and the user name.
#[derive(Clone)]
pub struct QuickNode {
    endpoint: Endpoint,
    user: String,
    jwt_secret: String,
}

impl QuickNode {
    /// Returns a QuickNode that calls `root` (the URL without `/provision`) with the Basic credentials and the vendor's JWT
    /// secret.
    #[must_use]
    pub fn new(root: &str, user: &str, password: &str, jwt_secret: &str) -> Self {
        let headers = [("authorization", sign::basic(user, password)), ("x-qn-testing", "true".to_owned())];
        Self { endpoint: Endpoint::new(root, headers), user: user.to_owned(), jwt_secret: jwt_secret.to_owned() }
    }

    /// Returns the id of a new account: 64 hex digits.
    #[must_use]
    pub fn new_account(&self) -> String {
        let half = || generate::new_uuid().replace('-', "");
        format!("{}{}", half(), half())
    }

    /// Returns the id of a new endpoint: a UUID.
    #[must_use]
    pub fn new_endpoint(&self) -> String {
        generate::new_uuid()
    }

    /// `POST /provision`: a customer adds the add-on to an endpoint.
    ///
    /// ```
    /// use maitre_testkit::QuickNode;
    ///
    /// let quicknode = QuickNode::new("http://127.0.0.1:8300/quicknode", "pomelo", "password", "jwt-secret");
    /// let call = quicknode.provision("qn-acc-1", "ep-1", "discover");
    /// assert!(call.fields().contains(&("quicknode-id".into(), "qn-acc-1".into())));
    /// assert_eq!(call.request().header("x-qn-testing"), Some("true"));
    /// ```
    pub fn provision(&self, account: &str, endpoint: &str, plan: &str) -> Call<Json> {
        self.endpoint.json("POST", "/provision".to_owned(), fields(account, endpoint, plan))
    }

    /// `PUT /update`: the plan of the account changes, or the endpoint does.
    pub fn update(&self, account: &str, endpoint: &str, plan: &str) -> Call<Json> {
        self.endpoint.json("PUT", "/update".to_owned(), fields(account, endpoint, plan))
    }

    /// `DELETE /deactivate_endpoint`: the customer removes the add-on from an endpoint, now.
    pub fn deactivate(&self, account: &str, endpoint: &str) -> Call<Json> {
        let fields = [
            ("quicknode-id", account.into()),
            ("endpoint-id", endpoint.into()),
            ("chain", "ethereum".into()),
            ("network", "mainnet".into()),
            ("deactivate-at", generate::now().unix_timestamp().into()),
            ("add-on-id", "33".into()),
            ("add-on-slug", self.user.as_str().into()),
        ];
        self.endpoint.json("DELETE", "/deactivate_endpoint".to_owned(), fields)
    }

    /// `DELETE /deprovision`: the customer removes the add-on from the account.
    pub fn deprovision(&self, account: &str) -> Call<Json> {
        let fields =
            [("quicknode-id", account.into()), ("add-on-id", "33".into()), ("add-on-slug", self.user.as_str().into())];
        self.endpoint.json("DELETE", "/deprovision".to_owned(), fields)
    }

    /// `GET /health`: sent without credentials, every ten minutes.
    pub fn health(&self) -> Call<Json> {
        self.endpoint.json("GET", "/health".to_owned(), []).without_header("authorization")
    }

    /// `GET /sso`: a user opens the dashboard by a link. Set another path if the dashboard URL has one.
    ///
    /// ```
    /// use maitre_testkit::QuickNode;
    ///
    /// let quicknode = QuickNode::new("http://127.0.0.1:8300/quicknode", "pomelo", "password", "jwt-secret");
    /// let link = quicknode.single_sign_on("qn-acc-1").set("iat", 1_700_000_000);
    /// assert!(link.request().url().starts_with("http://127.0.0.1:8300/quicknode/sso?jwt=eyJhbGciOiJIUzI1NiJ9."));
    /// ```
    pub fn single_sign_on(&self, account: &str) -> Call<JwtLink> {
        self.endpoint.anonymous(JwtLink::new(account, &self.jwt_secret))
    }

    /// `GET` of the dashboard URL that the add-on has sent, with a token.
    ///
    /// ```
    /// use maitre_testkit::QuickNode;
    ///
    /// let quicknode = QuickNode::new("http://127.0.0.1:8300/quicknode", "pomelo", "password", "jwt-secret");
    /// let link = quicknode.single_sign_on_at("http://127.0.0.1:8300/dashboard", "qn-acc-1");
    /// assert!(link.request().url().starts_with("http://127.0.0.1:8300/dashboard?jwt="));
    /// ```
    pub fn single_sign_on_at(&self, dashboard_url: &str, account: &str) -> Call<JwtLink> {
        let (origin, path) = split(dashboard_url);
        let mut link = JwtLink::new(account, &self.jwt_secret);
        path.clone_into(&mut link.path);
        self.endpoint.at_origin(origin).anonymous(link)
    }

    /// `GET` of any URL, as a browser that keeps no cookies follows a redirect.
    pub fn page(&self, url: &str) -> Call<Raw> {
        self.endpoint.raw("GET", url)
    }
}

fn fields(account: &str, endpoint: &str, plan: &str) -> [(&'static str, Value); 9] {
    [
        ("quicknode-id", account.into()),
        ("endpoint-id", endpoint.into()),
        ("chain", "ethereum".into()),
        ("network", "mainnet".into()),
        ("plan", plan.into()),
        ("wss-url", "wss://x.quiknode.example/tok/".into()),
        ("http-url", "https://x.quiknode.example/tok/".into()),
        ("referers", json!(["https://app.example"])),
        ("contract_addresses", json!([])),
    ]
}

impl fmt::Debug for QuickNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuickNode").field("root", &self.endpoint).field("user", &self.user).finish_non_exhaustive()
    }
}
