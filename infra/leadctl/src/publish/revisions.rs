//! Published revisions, read through the API.

use super::document::Content;
use crate::api::Api;
use anyhow::Context as _;
use policy::ids::PublicationKind;
use serde_json::Value;

/// A published revision.
pub(crate) struct Revision {
    pub number: u32,
    pub published_at: String,
    pub content: Content,
}

/// The API's route of a kind of document.
pub(crate) fn route(kind: PublicationKind) -> &'static str {
    match kind {
        PublicationKind::Policy => "/v1/policies",
        PublicationKind::Directory => "/v1/directories",
    }
}

/// The revision in force; `None` if nothing is published.
///
/// # Errors
/// When the API does not answer, or refuses.
pub(crate) async fn in_force(api: &Api, kind: PublicationKind) -> anyhow::Result<Option<Revision>> {
    revision(api, kind, "current").await
}

/// A revision by its number, or `current`; `None` if it does not exist.
///
/// # Errors
/// When the API does not answer, or refuses.
pub(crate) async fn revision(
    api: &Api,
    kind: PublicationKind,
    which: &str,
) -> anyhow::Result<Option<Revision>> {
    let answer = api.get(&format!("{}/{which}", route(kind))).await?;
    if answer.status == 404 || answer.is_of_kind("nothing-published") {
        return Ok(None);
    }
    let mut body = answer.ok()?;
    let number = body.get("revision").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let number = number.context("the API's answer has no revision")?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let published_at = text("published_at");
    let document =
        body.get_mut(kind.as_str()).map(Value::take).context("the API's answer has no document")?;
    Ok(Some(Revision { number, published_at, content: Content::of(kind, document)? }))
}

/// The publisher's reason for a revision.
///
/// # Errors
/// When the API does not answer, or refuses.
pub(crate) async fn why(api: &Api, kind: PublicationKind, number: u32) -> anyhow::Result<String> {
    let shown = api.get(&format!("{}/{number}/publication", route(kind))).await?.ok()?;
    Ok(shown.get("why").and_then(Value::as_str).unwrap_or_default().to_owned())
}
