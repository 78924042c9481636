//! The demo's market: what the demo adds to the policy and the directory in force, and removes again. Everything has
//! names of its own, so that a colleague's publication in the meantime stays as it is.

use anyhow::Context as _;
use policy::calendar::CalendarDocument;
use policy::directory::{DirectoryDocument, Market, Person, Rep, Seniority, Team};
use policy::ids::{CalendarId, MarketId, PersonId, StateId, TeamId};
use policy::{Policy, StateKind, StepOverride, WindowRow};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The name of the market, its team and its calendar. The ids of its people begin with it.
pub(super) const NAME: &str = "leadctl-demo";
/// The SLA window of NEW there.
const WINDOW: &str = "10s";
/// The stuck-lead window of NEW there.
const STUCK_WINDOW: &str = "25s";
/// The states that the story goes through.
const STATES: [&str; 3] = ["NEW", "CONTACTED", "WON"];

/// The demo's people: the end of the id, the name, and whether they are reps.
const PEOPLE: [(&str, &str, bool); 4] = [
    ("ada", "Ada (demo)", true),
    ("ben", "Ben (demo)", true),
    ("max", "Max (demo manager)", false),
    ("cam", "Cam (demo customer success)", false),
];

/// The id of one of the demo's people.
pub(super) fn person(name: &str) -> PersonId {
    PersonId::new(format!("{NAME}-{name}"))
}

/// Adds windows of seconds for the demo's market to a policy.
///
/// # Errors
/// When the policy lacks a state that the story goes through.
pub(super) fn with_demo(policy: &Policy) -> anyhow::Result<Policy> {
    let mut policy = without_demo(policy);
    for state in STATES {
        anyhow::ensure!(
            policy.kind_of(&StateId::from(state)).is_some(),
            "the demo needs the state `{state}`, and the policy in force lacks it; add it and publish the policy"
        );
    }
    let row = |window: &str| -> anyhow::Result<WindowRow> {
        Ok(WindowRow {
            market: Some(MarketId::from(NAME)),
            source: None,
            state: StateId::from("NEW"),
            window: window.parse()?,
            calendar: Some(CalendarId::from(NAME)),
        })
    };
    let (sla, stuck) = (&mut policy.workflows.sla_breach, &mut policy.workflows.stuck_lead);
    sla.windows.push(row(WINDOW)?);
    stuck.windows.push(row(STUCK_WINDOW)?);
    // The story needs these steps, whatever the policy in force does elsewhere.
    let of_sla = json!([
        {"step": "imminent", "at": "80%", "do": ["tell-owner"]},
        {"step": "breached", "at": "100%", "do": ["record-breach", "tell-manager"]},
        {"step": "significantly-past", "at": "150%", "do": ["reassign"]},
    ]);
    let of_stuck = json!([{"step": "ask-owner", "at": "200%", "do": ["tell-owner"]}]);
    let sla_steps = steps(serde_json::from_value(of_sla)?, sla.steps.iter().map(|step| &step.step));
    sla.markets.insert(MarketId::from(NAME), sla_steps);
    let stuck_steps = steps(serde_json::from_value(of_stuck)?, stuck.steps.iter().map(|step| &step.step));
    stuck.markets.insert(MarketId::from(NAME), stuck_steps);
    policy.check().context("the demo's market does not fit the policy in force")?;
    Ok(policy)
}

/// Adds every other step, switched off, to the steps of the story.
fn steps<'s>(mut own: Vec<StepOverride>, others: impl Iterator<Item = &'s String>) -> Vec<StepOverride> {
    let names: BTreeSet<String> = own.iter().map(|step| step.step.clone()).collect();
    let off = |step: &String| StepOverride { step: step.clone(), at: None, actions: None, off: true };
    own.extend(others.filter(|step| !names.contains(*step)).map(off));
    own
}

/// Removes everything of the demo from a policy.
pub(super) fn without_demo(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    let market = MarketId::from(NAME);
    let (sla, stuck) = (&mut policy.workflows.sla_breach, &mut policy.workflows.stuck_lead);
    for windows in [&mut sla.windows, &mut stuck.windows] {
        windows.retain(|row| row.market.as_ref() != Some(&market));
    }
    sla.markets.remove(&market);
    stuck.markets.remove(&market);
    policy
}

/// Adds the demo's market, team, calendar and people to a directory.
pub(super) fn with_people(directory: &DirectoryDocument) -> DirectoryDocument {
    let mut directory = without_people(directory);
    let always = CalendarDocument {
        time_zone: String::new(),
        always: true,
        hours: BTreeMap::new(),
        holidays: Vec::new(),
        exceptions: Vec::new(),
        business_day: None,
    };
    directory.calendars.insert(CalendarId::from(NAME), always);
    let market = Market {
        calendar: CalendarId::from(NAME),
        team: TeamId::from(NAME),
        licensed_for: BTreeSet::from(["US".into()]),
        regional_vp: None,
    };
    directory.markets.insert(MarketId::from(NAME), market);
    let rep = Rep { seniority: Seniority::Senior, capacity: 100, licensed_for: None, on_leave_until: None };
    let reps = PEOPLE.iter().filter(|(_, _, is_rep)| *is_rep);
    let reps = reps.map(|(id, ..)| (person(id), rep.clone())).collect();
    let team = Team { manager: person("max"), channel: format!("#{NAME}"), reps };
    directory.teams.insert(TeamId::from(NAME), team);
    for (id, name, _) in PEOPLE {
        let email = format!("{id}.{NAME}@example.test");
        let name = name.to_owned();
        let added = Person { name, email, notify: None, time_zone: None, quiet_hours: None };
        directory.people.insert(person(id), added);
    }
    directory
}

/// Removes everything of the demo from a directory.
pub(super) fn without_people(directory: &DirectoryDocument) -> DirectoryDocument {
    let mut directory = directory.clone();
    directory.calendars.remove(&CalendarId::from(NAME));
    directory.markets.remove(&MarketId::from(NAME));
    directory.teams.remove(&TeamId::from(NAME));
    for (id, ..) in PEOPLE {
        directory.people.remove(&person(id));
    }
    directory
}

/// A state in which a lead is closed: LOST, if the policy has it.
pub(super) fn closed_state(policy: &Policy) -> Option<&StateId> {
    let terminal = || policy.states.iter().filter(|row| row.kind == StateKind::Terminal);
    let lost = terminal().find(|row| row.state.as_str() == "LOST");
    lost.or_else(|| terminal().next()).map(|row| &row.state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::directory::Directory;
    use policy::impact::{Rules, Scope, scopes};

    const POLICY: &str = include_str!("../../../policies/default.yaml");
    const DIRECTORY: &str = include_str!("../../../policies/directory.yaml");

    fn documents() -> (Policy, DirectoryDocument) {
        (Policy::parse(POLICY).unwrap(), Directory::parse(DIRECTORY).unwrap().document().clone())
    }

    #[test]
    fn additions_are_made_once_and_removed_completely() {
        let (policy, directory) = documents();
        let (playing, peopled) = (with_demo(&policy).unwrap(), with_people(&directory));
        assert_eq!(with_demo(&playing).unwrap(), playing);
        assert_eq!(with_people(&peopled), peopled);
        assert_eq!((without_demo(&playing), without_people(&peopled)), (policy.clone(), directory.clone()));
        assert_eq!((without_demo(&policy), without_people(&directory)), (policy, directory));
    }

    #[test]
    fn the_additions_are_valid() {
        let (policy, directory) = documents();
        let directory = Directory::check(with_people(&directory)).unwrap();
        with_demo(&policy).unwrap().check_against(&directory).unwrap();
    }

    #[test]
    fn a_colleagues_change_in_the_meantime_stays() {
        let (policy, directory) = documents();
        let (mut playing, mut peopled) = (with_demo(&policy).unwrap(), with_people(&directory));
        playing.name = "Changed by a colleague".to_owned();
        playing.workflows.high_value.score = 70;
        let bob = PersonId::from("rep-bob");
        peopled.people.get_mut(&bob).unwrap().name = "Robert Brown".to_owned();
        let (after, people) = (without_demo(&playing), without_people(&peopled));
        assert_eq!((after.name.as_str(), after.workflows.high_value.score), ("Changed by a colleague", 70));
        assert_eq!(people.people.get(&bob).unwrap().name, "Robert Brown");
    }

    #[test]
    fn no_lead_of_another_market_is_affected() {
        let (policy, directory) = documents();
        let before = Directory::check(directory.clone()).unwrap();
        let between = Directory::check(with_people(&directory)).unwrap();
        let playing = with_demo(&policy).unwrap();
        let steps = [
            (Rules { policy: &policy, directory: &before }, Rules { policy: &policy, directory: &between }),
            (Rules { policy: &policy, directory: &between }, Rules { policy: &playing, directory: &between }),
        ];
        for (was, is) in steps {
            for found in [scopes(was, is), scopes(is, was)] {
                assert!(!found.is_empty());
                for scope in found {
                    let of = match &scope {
                        Scope::State { market, .. } | Scope::Market(market) => market.as_str(),
                        Scope::Owner(owner) => owner.as_str(),
                        // These are only counted: no lead of theirs is checked.
                        Scope::TakenOver(_) | Scope::InOperations => continue,
                        // Only a lead whose source named a rep of the demo is affected.
                        Scope::HeldUnowned => continue,
                        Scope::Reviews | Scope::Closed | Scope::Queued | Scope::Dismissed => "",
                    };
                    assert!(of.starts_with(NAME), "{scope:?}");
                }
            }
        }
    }

    #[test]
    fn a_policy_with_steps_of_its_own_plays_the_same_story() {
        let (mut policy, _) = documents();
        policy.workflows.sla_breach.steps.remove(0);
        let more = json!({"step": "nudge", "at": "50%", "do": ["tell-owner"]});
        policy.workflows.sla_breach.steps.insert(0, serde_json::from_value(more).unwrap());
        let playing = with_demo(&policy).unwrap();
        let steps = playing.steps_in(policy::WorkflowId::SlaBreach, &MarketId::from(NAME));
        let names: Vec<&str> = steps.iter().map(|step| step.step).collect();
        assert_eq!(names, ["imminent", "breached", "significantly-past"]);
    }

    #[test]
    fn a_policy_without_the_states_of_the_story_is_refused() {
        let (mut policy, _) = documents();
        policy.states.retain(|row| row.state.as_str() != "WON");
        let error = with_demo(&policy).unwrap_err().to_string();
        assert!(error.starts_with("the demo needs the state `WON`"), "{error}");
    }
}
