use std::fmt;

use serde_json::{Map, Value};

use crate::{
    call::{Call, Kind, sealed::Sealed},
    generate,
    request::Request,
    sign,
};

/// Sign-on link with a JWT: the claims are its fields, and changes to them are signed.
///
/// ```
/// use maitre_testkit::QuickNode;
///
/// let quicknode = QuickNode::new("http://127.0.0.1:8300/quicknode", "pomelo", "password", "jwt-secret");
/// let link = quicknode.single_sign_on("qn-acc-1");
/// assert_ne!(link.request().url(), link.clone().set("iat", 1_700_000_000).request().url());
/// assert_ne!(link.request().url(), link.clone().secret("another").request().url());
/// ```
#[derive(Clone)]
pub struct JwtLink {
    claims: Vec<(String, Value)>,
    header: Map<String, Value>,
    secret: String,
    token: Token,
    pub(crate) path: String,
}

#[derive(Clone, Copy)]
enum Token {
    Signed,
    Forged,
    Unsigned,
    Missing,
}

impl JwtLink {
    /// Returns a link of the portal, issued now, without `exp`.
    pub(crate) fn new(account: &str, secret: &str) -> Self {
        let iat = generate::now().unix_timestamp();
        let claims = [
            ("iat", iat.into()),
            ("jti", format!("{iat}/{}", generate::new_uuid().replace('-', "")).into()),
            ("name", "Ada Example".into()),
            ("email", "ada@customer.example".into()),
            ("organization_name", "Example Org".into()),
            ("quicknode_id", account.into()),
        ];
        let header = Map::from_iter([("alg".to_owned(), "HS256".into())]);
        let claims = claims.map(|(name, value): (&str, Value)| (name.to_owned(), value)).into();
        Self { claims, header, secret: secret.to_owned(), token: Token::Signed, path: "/sso".to_owned() }
    }
}

impl Call<JwtLink> {
    /// Signs with another secret.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.kind.secret = secret.into();
        self
    }

    /// Sets a field of the header of the JWT, such as `alg`. The signature is always HS256.
    pub fn header_field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.kind.header.insert(name.into(), value.into());
        self
    }

    /// Changes the signature.
    pub fn forged(mut self) -> Self {
        self.kind.token = Token::Forged;
        self
    }

    /// Omits the signature.
    pub fn unsigned(mut self) -> Self {
        self.kind.token = Token::Unsigned;
        self
    }

    /// Omits the token.
    pub fn without_token(mut self) -> Self {
        self.kind.token = Token::Missing;
        self
    }
}

impl Sealed for JwtLink {}

impl Kind for JwtLink {
    type Value = Value;

    fn method(&self) -> &'static str {
        "GET"
    }

    fn path(&self) -> String {
        self.path.clone()
    }

    fn fields(&self) -> Vec<(String, Value)> {
        self.claims.clone()
    }

    fn write(&self, claims: Vec<(String, Value)>, request: &mut Request) {
        request.set_browser_headers();
        let claims = Value::Object(claims.into_iter().collect()).to_string();
        let jwt = sign::jwt(&Value::Object(self.header.clone()).to_string(), &claims, &self.secret);
        let (signed, signature) = jwt.rsplit_once('.').unwrap_or((&jwt, ""));
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let query = match self.token {
            Token::Signed => format!("?jwt={jwt}"),
            Token::Forged => format!("?jwt={signed}.{first}{}", &signature[1..]),
            Token::Unsigned => format!("?jwt={signed}."),
            Token::Missing => String::new(),
        };
        request.url.push_str(&query);
    }
}

impl fmt::Debug for JwtLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtLink").finish_non_exhaustive()
    }
}
