//! A workflow as data: the content of the Markdown, for programs.

use super::documented::DocumentedPolicy;
use chrono::{DateTime, Utc};
use policy::diff::{Change, Section};
use policy::ids::{CalendarId, MarketId, Source, StateId};
use policy::measure::Window;
use policy::{Action, EffectiveStep, Message, PublishedPolicy, WindowRow, WorkflowId, diff};
use rules::lead::inside::step_messages;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a workflow does, when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkflowDoc {
    /// The workflow.
    pub id: WorkflowId,
    /// The current version, and what changed with it.
    #[serde(flatten)]
    pub version: VersionDoc,
    /// SHA-256 of the content.
    pub content_sha256: String,
    /// What it does.
    pub what: String,
    /// When it fires.
    pub when: String,
    /// Why it exists.
    pub why: String,
    /// The thresholds, in rising order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepDoc>,
    /// The thresholds in markets that override them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub markets: BTreeMap<MarketId, Vec<StepDoc>>,
    /// The windows. The most specific row applies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowDoc>,
    /// The messages that the workflow sends.
    pub messages: Vec<Message>,
    /// Earlier versions, newest first, as far as they are available.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<VersionDoc>,
    /// All settings of the workflow in the policy.
    pub settings: Value,
}

/// A version of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionDoc {
    /// Counts the changes of the content, from 1.
    pub version: u32,
    /// The revision that introduced the version.
    pub since_revision: u32,
    /// When that revision was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// What changed, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// A threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepDoc {
    /// The name in the audit.
    pub step: String,
    /// The share of the window, in percent.
    pub percent: u16,
    /// The actions.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
    /// The messages that the actions send.
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
    /// The calendar, if it is not the market's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
}

pub(super) fn workflow(documented: &DocumentedPolicy<'_>, id: WorkflowId) -> WorkflowDoc {
    let policy = documented.policy();
    let about = policy.about(id);
    let ladder = policy.ladders().into_iter().find(|ladder| ladder.workflow == id);
    let steps =
        |market: &MarketId| policy.steps_in(id, market).into_iter().map(|step| step_doc(id, step)).collect();
    let mut versions = versions(documented, id);
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
        content_sha256: documented
            .published
            .versions
            .get(&id)
            .map_or_else(String::new, |v| v.content_sha256.clone()),
        what: about.what.clone(),
        when: about.when.clone(),
        why: about.why.clone(),
        // An unknown market has no overrides.
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

fn step_doc(workflow: WorkflowId, EffectiveStep { step, percent, actions }: EffectiveStep<'_>) -> StepDoc {
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

/// The versions of a workflow, newest first, as far as the revisions are available.
fn versions(documented: &DocumentedPolicy<'_>, id: WorkflowId) -> impl Iterator<Item = VersionDoc> {
    let revision = |wanted: u32| -> Option<&PublishedPolicy> {
        [documented.published]
            .into_iter()
            .chain(documented.earlier.iter().copied())
            .find(|p| p.revision == wanted)
    };
    let mut versions = Vec::new();
    let mut next = Some(documented.published);
    while let Some(at) = next {
        let Some(version) = at.versions.get(&id) else { break };
        let since = revision(version.since_revision);
        let before = revision(version.since_revision.saturating_sub(1));
        let changes = since.zip(before).map_or_else(Vec::new, |(since, before)| {
            let of_workflow = |change: &Change| change.section == Section::Workflow(id);
            let changes = diff::policies(&before.policy, &since.policy);
            diff::in_words(&changes.into_iter().filter(of_workflow).collect::<Vec<_>>())
        });
        versions.push(VersionDoc {
            version: version.version,
            since_revision: version.since_revision,
            since: since.filter(|_| documented.is_dated).map(|since| since.published_at),
            changes,
        });
        // Revision numbers must fall, or the loop would not end.
        next = before.filter(|before| before.revision < at.revision);
    }
    versions.into_iter()
}
