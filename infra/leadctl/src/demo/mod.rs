//! `leadctl demo`: plays the whole story against the running stack, with windows of seconds. It has a market, a team,
//! a calendar and people of its own, so that no other policy or directory entry changes.

mod cleanup;
mod documents;
mod histories;
mod market;
mod story;
mod teller;
mod wording;

use crate::api::Api;
use crate::output::say;
use crate::publish::document::Content;
use crate::publish::revisions;
use crate::state::{DIRECTORY, State};
use anyhow::Context as _;
use policy::ids::PublicationKind;
use std::path::Path;
use story::Story;
use teller::Form;
use tokio::signal::unix::{SignalKind, signal};
use wording::Names;

/// Options of `leadctl demo`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print every audit entry as it is recorded, one JSON object per line, instead of the story
    #[arg(long)]
    json: bool,
}

/// Plays the story against the stack of this project.
///
/// # Errors
/// When no stack runs, or something that has to happen does not.
pub async fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let form = if arguments.json { Form::Json } else { Form::Story };
    play_as(&State::load(&root.join(DIRECTORY))?, form).await
}

/// Plays the story for people.
///
/// # Errors
/// When something that has to happen does not.
pub async fn play(state: &State) -> anyhow::Result<()> {
    play_as(state, Form::Story).await
}

/// Plays the story and removes its market afterwards, however the story ends.
async fn play_as(state: &State, form: Form) -> anyhow::Result<()> {
    let operations = Api::local(state, "otto").await?;
    // A demo that was killed leaves a lead behind that nobody works.
    cleanup::end_leads(state, &operations).await?;
    let played = tokio::select! {
        played = begin(state, &operations, form) => played,
        () = interrupted() => {
            say("Interrupted; removing the demo's market …");
            Err(anyhow::anyhow!("the demo was interrupted"))
        }
    };
    let removed = match cleanup::end_leads(state, &operations).await {
        Ok(()) => documents::remove(&operations).await,
        Err(error) => Err(error),
    };
    let removed = removed.with_context(|| {
        format!("the market `{}` is still there; the next `leadctl demo` removes it", market::NAME)
    });
    played.and(removed)
}

async fn begin(state: &State, operations: &Api, form: Form) -> anyhow::Result<()> {
    documents::add(operations).await?;
    let policy = revisions::in_force(operations, PublicationKind::Policy).await?;
    let directory = revisions::in_force(operations, PublicationKind::Directory).await?;
    match (policy.map(|policy| policy.content), directory.map(|directory| directory.content)) {
        (Some(Content::Policy(policy)), Some(Content::Directory(directory))) => {
            Story::begin(state, Names::of(&directory), form).await?.play(&policy).await
        }
        _ => anyhow::bail!("no policy and directory are in force; run `cargo leadctl down`, then `up`"),
    }
}

/// Waits for Ctrl-C, a request to terminate, or the end of the terminal.
async fn interrupted() {
    let ends = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let ends = ends.into_iter().filter_map(|kind| signal(kind).ok()).map(|mut end| {
        Box::pin(async move {
            end.recv().await;
        })
    });
    futures::future::select_all(ends).await;
}
