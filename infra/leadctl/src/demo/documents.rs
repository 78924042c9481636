//! Adds the demo's market to the documents in force and removes it again. Each change names the revision it was made
//! from; if a colleague publishes in between, the demo makes its change again on theirs.

use super::market;
use crate::api::Api;
use crate::publish::document::Content;
use crate::publish::revisions;
use crate::publish::revisions::route;
use anyhow::Context as _;
use policy::ids::PublicationKind;
use serde_json::json;

/// How often a colleague may publish first.
const TRIES_MAX: u32 = 10;

/// Adds the demo's market: first to the directory, which the policy refers to.
///
/// # Errors
/// When the API refuses it.
pub(super) async fn add(api: &Api) -> anyhow::Result<()> {
    let why = "leadctl demo: adds its own market";
    change(api, PublicationKind::Directory, why, |directory| match directory {
        Content::Directory(directory) => Ok(Content::Directory(Box::new(market::with_people(directory)))),
        other => Ok(other.clone()),
    })
    .await?;
    change(api, PublicationKind::Policy, why, |policy| match policy {
        Content::Policy(policy) => Ok(Content::Policy(Box::new(market::with_demo(policy)?))),
        other => Ok(other.clone()),
    })
    .await
}

/// Removes the demo's market: first from the policy, which refers to it.
///
/// # Errors
/// When the API refuses it.
pub(super) async fn remove(api: &Api) -> anyhow::Result<()> {
    let why = "leadctl demo: removes its own market";
    change(api, PublicationKind::Policy, why, |policy| match policy {
        Content::Policy(policy) => Ok(Content::Policy(Box::new(market::without_demo(policy)))),
        other => Ok(other.clone()),
    })
    .await?;
    change(api, PublicationKind::Directory, why, |directory| match directory {
        Content::Directory(directory) => Ok(Content::Directory(Box::new(market::without_people(directory)))),
        other => Ok(other.clone()),
    })
    .await
}

async fn change(
    api: &Api,
    kind: PublicationKind,
    why: &str,
    change: impl Fn(&Content) -> anyhow::Result<Content>,
) -> anyhow::Result<()> {
    let name = kind.as_str();
    for _ in 0..TRIES_MAX {
        let in_force = revisions::in_force(api, kind).await?;
        let in_force = in_force
            .with_context(|| format!("no {name} is in force; run `cargo leadctl down`, then `up`"))?;
        let next = change(&in_force.content)?;
        if next == in_force.content {
            return Ok(());
        }
        let body = json!({"base": in_force.number, "why": why, name: next.to_value()?});
        let answer = api.post(route(kind), &body).await?;
        // A colleague published, or the answer was lost: reading again shows which.
        if answer.is_of_kind("base-moved-on") || answer.status >= 500 {
            continue;
        }
        return answer.ok().map(|_| ());
    }
    anyhow::bail!(
        "others published the {name} {TRIES_MAX} times while the demo changed it; run it again later"
    )
}
