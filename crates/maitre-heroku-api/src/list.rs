use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{
    Stream, TryStreamExt as _,
    stream::{self, BoxStream},
};
use maitre_http::CallError;
use reqwest::header::{HeaderValue, RANGE};
use serde::de::DeserializeOwned;

use crate::{Api, Client, Error, Response, send::Outgoing};

/// Paginated list that is read on demand: a [`Stream`] of its objects, or [`all`](Self::all) of them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use maitre_heroku_api::Client;
/// use futures_util::TryStreamExt as _;
///
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await?;
/// # let install = platform.install_builder("basic").app("shop").create();
/// # let grant = install.grant();
/// # let client = Client::builder("client secret").base_url(heroku.url()).page_size(1).build()?;
/// # let token = client.exchange(&maitre_core::OauthGrant::new(grant.code(), grant.expires_at())).await?;
/// # let api = client.api(&token);
/// platform.app("shop").collaborator("ada@example.org", "member");
///
/// let mut collaborators = api.collaborators("shop");
/// let mut found = false;
/// while let Some(collaborator) = collaborators.try_next().await? {
///     found |= collaborator.user.email.as_deref() == Some("ada@example.org");
/// }
/// assert!(found);
/// # Ok(())
/// # }
/// ```
///
/// Each page is retried like any other call. The list ends after an error.
#[must_use = "nothing is requested before the list is read"]
pub struct List<T>(BoxStream<'static, Result<T, Error>>);

impl<T: DeserializeOwned + Send + 'static> List<T> {
    /// Paginates by `Range` and `Next-Range` (Heroku's Platform API reference, ranges).
    pub(crate) fn ranges(api: Api, mut first: Outgoing) -> Self {
        if let (Some(size), false) = (api.client().0.page, first.headers.contains_key(RANGE)) {
            let range = HeaderValue::from_str(&format!("id ..; max={size}"));
            first.headers.extend(range.ok().map(|range| (RANGE, range)));
        }
        Self::pages(first, move |page| {
            let api = api.clone();
            async move {
                let response = api.client().send(&page, Some(api.rate_limiter())).await?;
                let next = match response.header("next-range") {
                    Some(range) => Some(next_range(page, range)?),
                    None => None,
                };
                Ok((response, next))
            }
        })
    }

    /// Paginates by `Link` (the list of installs).
    pub(crate) fn links(client: Client, first: Outgoing) -> Self {
        Self::pages(first, move |page| {
            let client = client.clone();
            async move {
                let response = client.send(&page, None).await?;
                let next = match response.header("link").and_then(next_link) {
                    Some(link) => Some(next_by_link(&client, page, link)?),
                    None => None,
                };
                Ok((response, next))
            }
        })
    }

    fn pages<F>(first: Outgoing, fetch: impl Fn(Outgoing) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(Response, Option<Outgoing>), Error>> + Send,
    {
        let pages = stream::try_unfold((Some(first), fetch), |(page, fetch)| async move {
            let Some(page) = page else { return Ok::<_, Error>(None) };
            let (response, next) = fetch(page).await?;
            let objects: Vec<T> = response.json()?;
            Ok(Some((stream::iter(objects.into_iter().map(Ok)), (next, fetch))))
        });
        Self(Box::pin(pages.try_flatten()))
    }

    pub(crate) fn failed(error: Error) -> Self {
        Self(Box::pin(stream::once(async { Err(error) })))
    }

    /// Reads all pages.
    ///
    /// # Errors
    /// Returns the error of the first page that cannot be read.
    pub async fn all(self) -> Result<Vec<T>, Error> {
        self.0.try_collect().await
    }
}

fn next_range(mut page: Outgoing, range: &str) -> Result<Outgoing, Error> {
    let requested = page.headers.get(RANGE).and_then(|range| range.to_str().ok());
    let next = HeaderValue::from_str(range).ok().filter(|_| requested != Some(range));
    let same_page = || CallError::unreadable(&page.call, 206, None, "the next page is the page that was requested");
    let next = next.ok_or_else(same_page)?;
    page.headers.insert(RANGE, next);
    Ok(page)
}

fn next_by_link(client: &Client, mut page: Outgoing, link: &str) -> Result<Outgoing, Error> {
    let next = client.0.addons.resolve_same_origin(link).filter(|next| *next != page.url);
    // The credentials must not be sent to another host.
    let invalid_link = || {
        CallError::unreadable(
            &page.call,
            200,
            None,
            "the link to the next page has another origin or is the page itself",
        )
    };
    page.url = next.ok_or_else(invalid_link)?;
    Ok(page)
}

/// Returns the target of the link with `rel="next"` (RFC 8288).
fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| matches!(parameter.trim(), "rel=next" | r#"rel="next""#);
        parameters.split(';').any(is_next).then_some(target)
    })
}

impl<T> Stream for List<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::next_link;

    #[test]
    fn the_next_link_is_found_among_others() {
        for (header, expected) in [
            (r#"<https://a/x?offset=2>; rel="next""#, Some("https://a/x?offset=2")),
            (r#"<https://a/p>; rel="prev", <https://a/n>; rel="next""#, Some("https://a/n")),
            ("<https://a/n>;rel=next", Some("https://a/n")),
            (r#"<https://a/p>; rel="prev""#, None),
            ("https://a/n; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), expected, "{header}");
        }
    }
}
