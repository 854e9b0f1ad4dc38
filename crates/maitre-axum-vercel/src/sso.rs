//! Single sign-on: exchange of a code, verification of the id token, and a session.

use axum::http::{Method, StatusCode};
use maitre_axum::core::sso::{TokenError, TokenKind, VerifiedToken};
use maitre_axum::core::{
    Backend, ClientSecret, Failure, FailureKind, FetchAccount, Identity, Secret, SecretUse, SignOn, SignedOn,
};
use maitre_axum::{ErrorReply, Head, ReadError, ReadResult, SingleSignOn, complete_sign_on, record_secret_use};
use serde::Deserialize;
use serde_json::json;

use crate::Vercel;
use crate::http::HttpError;
use crate::token::{Purpose, Refusal};

impl SingleSignOn for Vercel {
    /// The sign-on has two steps, so it is an open route.
    async fn sign_on(&self, _: &Head<Self>) -> Result<SignOn, TokenError> {
        Err(TokenError::NotAccepted)
    }

    fn redirect_status(&self) -> StatusCode {
        StatusCode::SEE_OTHER
    }

    /// A resource of another installation is as unknown as one that does not exist.
    fn failure_status(&self, failure: FailureKind) -> StatusCode {
        match failure {
            FailureKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            FailureKind::Gone => StatusCode::NOT_FOUND,
            _ => StatusCode::FORBIDDEN,
        }
    }
}

impl Vercel {
    /// Exchanges the code of a sign-on for an id token.
    async fn exchange(&self, secret: &ClientSecret, code: &str, state: Option<&str>) -> Result<Secret, HttpError> {
        #[derive(Deserialize)]
        struct Reply {
            id_token: Secret,
        }
        let mut body = json!({ "code": code, "client_id": self.integration, "client_secret": secret.expose() });
        if let Some(state) = state {
            body["state"] = state.into();
        }
        if self.grant_type {
            body["grant_type"] = "authorization_code".into();
        }
        let reply = self.api.post("/v1/integrations/sso/token", &body).await?;
        let reply = Reply::deserialize(reply);
        reply.map(|reply| reply.id_token).map_err(|_| HttpError::Unavailable("the answer has no id_token".to_owned()))
    }
}

/// Signs a user in who comes from Vercel with a code.
pub(crate) async fn sign_on(head: Head<Vercel>) -> ReadResult {
    if *head.method() == Method::HEAD {
        return Ok(complete_sign_on(&head, Err(TokenError::NotAccepted)).await); // a prefetch must not use the code
    }
    let code = head.query_value("code").filter(|code| !code.is_empty());
    let code = code.ok_or_else(|| ErrorReply::bad_request("The code is missing."))?;
    let request = exchange(&head, &code).await?;
    Ok(complete_sign_on(&head, request).await)
}

/// Exchanges the code with the current client secret, and with an old one if Vercel refuses it: either the code is wrong, or
/// the current secret is not in use yet.
async fn id_token(head: &Head<Vercel>, code: &str) -> Result<Secret, HttpError> {
    let (vercel, state) = (head.addon().marketplace(), head.query_value("state"));
    let mut refused = None;
    for secret in vercel.client_secrets.attempts(head.now()) {
        match vercel.exchange(&secret, code, state.as_deref()).await {
            Ok(token) => {
                let used = if secret.is_old() { SecretUse::Old } else { SecretUse::Current };
                record_secret_use(&head.addon_id(), "client", used);
                return Ok(token);
            }
            Err(error @ HttpError::Refused(_)) => refused = refused.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Err(refused.unwrap_or_else(|| HttpError::Unavailable("every client secret has ended".to_owned())))
}

/// Returns the verified request, or the reason to refuse it.
async fn exchange(head: &Head<Vercel>, code: &str) -> Result<Result<SignOn, TokenError>, ReadError> {
    let vercel = head.addon().marketplace();
    let token = match id_token(head, code).await {
        Ok(token) => token,
        Err(HttpError::Refused(status)) => {
            tracing::warn!(status, "Vercel refused the code of a sign-on");
            return Ok(Err(TokenError::Wrong));
        }
        Err(HttpError::Unavailable(cause)) => return Err(Failure::unavailable(cause).into()),
    };
    let claims = match vercel.verify(token.expose(), head.now().unix_timestamp(), Purpose::SignOn).await {
        Ok(claims) => claims,
        Err(Refusal::NoKeys) => return Err(Failure::unavailable("Vercel's keys are not known").into()),
        Err(refusal) => {
            tracing::warn!(?refusal, "refused the id token of a sign-on");
            return Ok(Err(TokenError::Wrong));
        }
    };
    let caller = claims.caller().ok();
    let named = caller.and_then(|caller| Some((caller.user?, caller.installation?)));
    let Some((user, installation)) = named else {
        tracing::warn!("refused the id token of a sign-on: it names no user");
        return Ok(Err(TokenError::Wrong));
    };
    let resource = match head.query_value("resource_id").filter(|id| !id.is_empty()) {
        Some(resource) => resource,
        None => first_resource(head, &installation).await?,
    };
    let issued_at = claims.iat.unwrap_or_else(|| head.now().unix_timestamp());
    let token = VerifiedToken::from_unix(TokenKind::User, issued_at, head.addon().sso_window()).with_id(code);
    let identity = Identity::verified(user.id, user.email.unwrap_or_default());
    let mut request = SignOn::new(head.addon_id(), resource, identity, token);
    request.account = Some(installation.into());
    for (name, value) in form_urlencoded::parse(head.query().as_bytes()).into_owned() {
        // a link to another site would be an open redirect
        let is_allowed = name != "url" || head.addon().allows_redirect(&SignedOn::redirect(value.as_str()));
        if !matches!(&*name, "code" | "state") && is_allowed {
            request.extra.entry(name).or_insert(value);
        }
    }
    // signed, unlike the fields of the link
    request.extra.insert("user_role".to_owned(), if user.is_admin { "ADMIN" } else { "USER" }.to_owned());
    match user.name {
        Some(name) => request.extra.insert("user_name".to_owned(), name),
        None => request.extra.remove("user_name"),
    };
    Ok(Ok(request))
}

/// Returns the oldest resource of an installation, for a sign-on that names none; empty if it has no resource.
async fn first_resource(head: &Head<Vercel>, installation: &str) -> Result<String, ReadError> {
    match head.addon().account_resources(FetchAccount::new(head.addon_id(), installation)).await {
        Ok(resources) => {
            let first = resources.into_iter().find(|resource| resource.lives);
            Ok(first.map(|resource| resource.resource.to_string()).unwrap_or_default())
        }
        Err(failure) if failure.kind() == FailureKind::Unknown => Ok(String::new()),
        Err(failure) => Err(failure.into()),
    }
}
