//! `leadctl explain`: why each workflow of a lead fired, waits or rests. It asks the API of the running stack, or plays
//! an events file in virtual time.

use crate::api::Api;
use crate::output::{print, say};
use crate::simulate;
use crate::state::{DIRECTORY, State};
use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, Utc};
use insight::explain::{CompleteHistory, ExplainError, Explanation, account_of, explain};
use insight::simulate::AnyEntry;
use policy::ids::{AccountId, LeadId, Subject};
use rules::account::AccountFact;
use rules::entry::Entry;
use rules::lead::LeadFact;
use rules::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Options of `leadctl explain`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The lead's id, such as L-1001
    lead: String,
    /// The time to explain, RFC 3339 [default: now, or the last event of the file]
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Ask as this member of the local staff; only compliance and operations see what screenings found
    #[arg(long, default_value = "otto", conflicts_with = "events")]
    user: String,
    /// Explain from an events file instead of the running stack, one JSON object per line; `-` reads standard input
    #[arg(long, value_name = "FILE", requires_all = ["policy", "directory"])]
    events: Option<PathBuf>,
    /// The policy (YAML) for the events file
    #[arg(long, value_name = "FILE", requires = "events")]
    policy: Option<PathBuf>,
    /// The directory (YAML) for the events file
    #[arg(long, value_name = "FILE", requires = "events")]
    directory: Option<PathBuf>,
}

/// Prints an explanation. Returns false if there is no such lead.
///
/// # Errors
/// When no stack runs, or a file cannot be read or is not valid.
pub async fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<bool> {
    let explained = match (&arguments.events, &arguments.policy, &arguments.directory) {
        (Some(events), Some(policy), Some(directory)) => of_file(arguments, policy, directory, events)?,
        _ => {
            let state = State::load(&root.join(DIRECTORY))?;
            ask(&state, &arguments.user, &arguments.lead, arguments.at).await?
        }
    };
    match explained {
        Ok(explanation) if arguments.json => print(&serde_json::to_string(&explanation)?),
        Ok(explanation) => print(explanation.to_string().trim_end()),
        Err(why) => {
            say(&why);
            return Ok(false);
        }
    }
    Ok(true)
}

/// An explanation, or why there is none.
pub type Explained = Result<Explanation, String>;

/// Asks a stack's API as a member of the local staff.
///
/// # Errors
/// When the API does not answer, or refuses.
pub async fn ask(
    state: &State,
    user: &str,
    lead: &str,
    at: Option<DateTime<Utc>>,
) -> anyhow::Result<Explained> {
    // Encodes the id, so that it stays one segment of the path.
    let mut url = reqwest::Url::parse("http://api/").context("the API's address is not valid")?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["v1", "leads", lead, "explain"]);
    }
    if let Some(at) = at {
        url.query_pairs_mut().append_pair("at", &spelled(at));
    }
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let answer = Api::local(state, user).await?.get(&format!("{}{query}", url.path())).await?;
    if answer.status == 404 {
        return Ok(Err(answer.detail()));
    }
    Ok(Ok(serde_json::from_value(answer.ok()?)
        .context("the API's answer is not an explanation; use the leadctl of the same version as the API")?))
}

fn of_file(
    arguments: &Arguments,
    policy: &Path,
    directory: &Path,
    events: &Path,
) -> anyhow::Result<Explained> {
    let (policy, directory) = simulate::documents(policy, directory)?;
    let lines = simulate::read_lines(events)?;
    let last = lines.iter().map(|line| line.received_at).max();
    let at = arguments.at.or(last).with_context(|| format!("{} has no events", events.display()))?;
    let begin = lines.iter().map(|line| line.received_at).min().unwrap_or(at);
    let mut simulation = simulate::begin(policy, directory, begin);
    let mut histories = Histories::default();
    // Timers run until the time asked for, so that nothing before it is a forecast.
    let lines = lines.into_iter().filter(|line| line.received_at <= at).collect();
    simulate::play(&mut simulation, lines, at, &mut |entry| {
        histories.take(entry);
        Ok(())
    })?;
    let lead = LeadId::from(arguments.lead.as_str());
    match histories.explain(&lead, simulation.world(), at) {
        Ok(explanation) => Ok(Ok(explanation)),
        Err(ExplainError::NoHistory) => {
            let known: BTreeSet<&str> = histories.leads.keys().map(LeadId::as_str).collect();
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            Ok(Err(format!("there is no lead `{lead}` at {}; the leads are: {known}", spelled(at))))
        }
        Err(error) => Err(error.into()),
    }
}

fn spelled(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The histories of leads and accounts.
#[derive(Debug, Default)]
pub struct Histories {
    leads: BTreeMap<LeadId, Vec<Entry<LeadFact>>>,
    accounts: BTreeMap<AccountId, Vec<Entry<AccountFact>>>,
}

impl Histories {
    /// Adds the next entry of a subject.
    pub fn take(&mut self, entry: &AnyEntry) {
        match entry {
            AnyEntry::Lead(entry) => {
                if let Subject::Lead(id) = &entry.subject {
                    self.leads.entry(id.clone()).or_default().push(entry.clone());
                }
            }
            AnyEntry::Account(entry) => {
                if let Subject::Account(id) = &entry.subject {
                    self.accounts.entry(id.clone()).or_default().push(entry.clone());
                }
            }
            AnyEntry::Rep(_) => {}
        }
    }

    /// The history of a lead so far.
    pub fn of_lead(&self, lead: &LeadId) -> &[Entry<LeadFact>] {
        self.leads.get(lead).map_or(&[], Vec::as_slice)
    }

    /// Explains a lead at a time, in the world of that time.
    ///
    /// # Errors
    /// Those of [`explain`].
    pub fn explain(
        &self,
        lead: &LeadId,
        world: &World,
        at: DateTime<Utc>,
    ) -> Result<Explanation, ExplainError> {
        let lead = self.of_lead(lead);
        let linked = account_of(lead, at)?;
        let account = linked.and_then(|id| self.accounts.get(&id)).map_or(&[][..], Vec::as_slice);
        explain(CompleteHistory { lead, account }, world, at, at)
    }
}
