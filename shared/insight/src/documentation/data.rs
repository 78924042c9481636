//! A workflow as data: what the Markdown says, for programs.

use super::Edition;
use chrono::{DateTime, Utc};
use policy::diff::{Change, Part};
use policy::ids::{CalendarId, MarketId, Source, StateId};
use policy::measure::Window;
use policy::{Action, Message, PublishedPolicy, StepView, WindowRow, WorkflowId, diff};
use rules::lead::inside::step_messages;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a workflow does, when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkflowDoc {
    /// Which.
    pub id: WorkflowId,
    /// Its version, and what came with it.
    #[serde(flatten)]
    pub version: VersionDoc,
    /// SHA-256 of its content.
    pub content_sha256: String,
    /// What it does.
    pub what: String,
    /// When it fires.
    pub when: String,
    /// Why it exists.
    pub why: String,
    /// Its thresholds, rising.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepDoc>,
    /// Its thresholds in markets that have others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub markets: BTreeMap<MarketId, Vec<StepDoc>>,
    /// Its windows: the most specific row wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowDoc>,
    /// What it says to people.
    pub messages: Vec<Message>,
    /// Its versions before, the newest first, as far as they are at hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<VersionDoc>,
    /// Everything that the policy sets for it.
    pub settings: Value,
}

/// A version of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionDoc {
    /// Counts the changes of its content, from 1.
    pub version: u32,
    /// The revision that brought it.
    pub since_revision: u32,
    /// When that was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// What changed with it, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// A threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepDoc {
    /// Its name in the audit.
    pub step: String,
    /// At which share of the window, in per cent.
    pub percent: u16,
    /// What is done.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
    /// Who is told, and by which message.
    pub tells: Vec<&'static str>,
}

/// A row of windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowDoc {
    /// Only in this market.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    /// Only from this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The state.
    pub state: StateId,
    /// How long.
    pub window: Window,
    /// On another calendar than the market's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
}

pub(super) fn of(edition: &Edition<'_>, id: WorkflowId) -> WorkflowDoc {
    let policy = &edition.published.policy;
    let about = policy.about(id);
    let ladder = policy.ladders().into_iter().find(|ladder| ladder.workflow == id);
    let steps =
        |market: &MarketId| policy.steps_in(id, market).into_iter().map(|step| step_doc(id, step)).collect();
    let mut versions = versions(edition, id);
    let version = versions.next();
    let mut settings = serde_json::to_value(&policy.workflows).unwrap_or_default();
    let mut settings = settings.get_mut(id.as_str()).map(Value::take).unwrap_or_default();
    if let Value::Object(members) = &mut settings {
        members.remove("about");
    }
    WorkflowDoc {
        id,
        version: version.unwrap_or(VersionDoc {
            version: 0,
            since_revision: 0,
            since: None,
            changes: Vec::new(),
        }),
        content_sha256: edition
            .published
            .versions
            .get(&id)
            .map_or_else(String::new, |v| v.content_sha256.clone()),
        what: about.what.clone(),
        when: about.when.clone(),
        why: about.why.clone(),
        // What a market that has nothing of its own sees is what the workflow says.
        steps: steps(&MarketId::new("")),
        markets: ladder
            .iter()
            .flat_map(|l| l.markets.keys())
            .map(|market| (market.clone(), steps(market)))
            .collect(),
        windows: ladder.iter().flat_map(|l| l.windows).map(window_doc).collect(),
        messages: Message::ALL.into_iter().filter(|message| message.workflow() == Some(id)).collect(),
        earlier: versions.collect(),
        settings,
    }
}

fn step_doc(workflow: WorkflowId, StepView { step, percent, actions }: StepView<'_>) -> StepDoc {
    let (to_owner, to_manager) = step_messages(workflow);
    let tells = actions.iter().flat_map(|action| match action {
        Action::TellOwner => vec![to_owner],
        Action::TellManager => vec![to_manager],
        Action::Reassign => vec![Message::LeadTaken, Message::LeadGiven, Message::ReassignmentImpossible],
        Action::RecordBreach | Action::QueueForOperations => Vec::new(),
    });
    let tells = tells.map(Message::as_str).collect();
    StepDoc { step: step.to_owned(), percent, actions: actions.to_vec(), tells }
}

fn window_doc(row: &WindowRow) -> WindowDoc {
    let WindowRow { market, source, state, window, calendar } = row.clone();
    WindowDoc { market, source, state, window, calendar }
}

/// The versions of a workflow from the current one back, as far as the revisions are at hand.
fn versions(edition: &Edition<'_>, id: WorkflowId) -> impl Iterator<Item = VersionDoc> {
    let revision = |wanted: u32| -> Option<&PublishedPolicy> {
        [edition.published].into_iter().chain(edition.earlier.iter().copied()).find(|p| p.revision == wanted)
    };
    let mut versions = Vec::new();
    let mut next = Some(edition.published);
    while let Some(at) = next {
        let Some(version) = at.versions.get(&id) else { break };
        let since = revision(version.since_revision);
        let before = revision(version.since_revision.saturating_sub(1));
        let changes = since.zip(before).map_or_else(Vec::new, |(since, before)| {
            let of_workflow = |change: &Change| change.part == Part::Workflow(id);
            let changes = diff::policies(&before.policy, &since.policy);
            diff::in_words(&changes.into_iter().filter(of_workflow).collect::<Vec<_>>())
        });
        versions.push(VersionDoc {
            version: version.version,
            since_revision: version.since_revision,
            since: since.filter(|_| edition.is_dated).map(|since| since.published_at),
            changes,
        });
        // A revision before that is not lower would be a circle.
        next = before.filter(|before| before.revision < at.revision);
    }
    versions.into_iter()
}
