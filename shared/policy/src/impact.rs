//! Which leads a publication may affect: for example those whose windows, thresholds, calendars, or licenses
//! changed, or whose owner left. No other lead has to be checked.

use crate::calendar::CalendarDocument;
use crate::directory::{ALWAYS, Directory, Rep};
use crate::ids::{CalendarId, MarketId, PersonId, Source, StateId, TeamId};
use crate::measure::Window;
use crate::policy::{Policy, Reminder, WindowRow, most_specific};
use crate::vocabulary::{StateKind, WorkflowId};
use std::collections::BTreeSet;

/// The policy and the directory that are in force together.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The directory.
    pub directory: &'a Directory,
}

/// Leads that a publication may concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those that wait in a state of a market.
    State {
        /// The market.
        market: MarketId,
        /// The state.
        state: StateId,
        /// From which sources.
        sources: Sources,
    },
    /// All of a market: it is new or gone, it is licensed for something else, or every open lead is touched.
    Market(MarketId),
    /// Those in the operations queue: of some the market is not known, or the state is not.
    Queued,
    /// Those that operations left alone there.
    Dismissed,
    /// Those of an owner who left the teams or the directory, or came into it.
    Owner(PersonId),
    /// Those that compliance holds and nobody owns: their source may have named somebody who left.
    HeldUnowned,
    /// Those of a rep who may have taken over leads of an owner who left. Nothing of them has to be looked
    /// at; they are counted, whoever gave them to the rep.
    TakenOver(PersonId),
    /// Those in the operations queue: leads of an owner who left may wait there. They are counted.
    InOperations,
    /// Those in a compliance review.
    Reviews,
    /// Those that are closed and whose personal data is still there.
    Closed,
}

impl Scope {
    /// Whether leads of an owner who left are counted in it.
    pub fn counts_orphans(&self) -> bool {
        matches!(self, Self::Owner(_) | Self::HeldUnowned | Self::TakenOver(_) | Self::InOperations)
    }

    /// Whether its leads have to be looked at; those of the others are counted only.
    pub fn is_looked_at(&self) -> bool {
        !matches!(self, Self::TakenOver(_) | Self::InOperations)
    }
}

/// Sources of leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// This one.
    One(Source),
    /// All but these, whose rows stay as they were.
    AllBut(BTreeSet<Source>),
}

/// The leads for which a publication may have a consequence or move the next timer.
pub fn scopes<'a>(before: Rules<'a>, after: Rules<'a>) -> Vec<Scope> {
    let mut scopes = Vec::new();
    let markets: BTreeSet<&MarketId> =
        [before, after].into_iter().flat_map(|rules| rules.directory.document().markets.keys()).collect();
    let high_value = |rules: Rules<'a>| &rules.policy.workflows.high_value;
    let same_value = high_value(before).has_same_criteria(high_value(after));
    let kinds = |state: &StateId| [before, after].map(|rules| rules.policy.kind_of(state));
    let comes_or_goes = |state: &StateId| kinds(state).contains(&None);
    let states = open_states(before.policy, after.policy);
    // A lead on hold is listed under the state that it left, whichever hold it is in.
    let is_hold = |state: &StateId| kinds(state).contains(&Some(StateKind::Hold));
    let all = !same_value || states.iter().any(|state| is_hold(state) && comes_or_goes(state));
    for market in markets {
        // A clearance is of the licences as they were: with any others it is asked anew. Where all are touched,
        // some may wait in a state that neither policy knows.
        let licences = |rules: Rules<'a>| Some(&rules.directory.market(market)?.licensed_for);
        if all || licences(before) != licences(after) {
            scopes.push(Scope::Market(market.clone()));
            continue;
        }
        for state in states.iter().copied() {
            let named: BTreeSet<&Source> = rows(before).chain(rows(after)).flatten().collect();
            let is_working = kinds(state).contains(&Some(StateKind::Working));
            let moves = |source: &Source| {
                comes_or_goes(state)
                    || is_working
                        && waits(before, market, source, state) != waits(after, market, source, state)
            };
            let (moved, kept): (BTreeSet<&Source>, BTreeSet<&Source>) =
                named.into_iter().partition(|source| moves(source));
            // A name that no row can have: whatever is said of it is said of every other source.
            let sources = if moves(&Source::from("")) {
                vec![Sources::AllBut(kept.into_iter().cloned().collect())]
            } else {
                moved.into_iter().cloned().map(Sources::One).collect()
            };
            let scope = |sources| Scope::State { market: market.clone(), state: state.clone(), sources };
            scopes.extend(sources.into_iter().map(scope));
        }
    }
    if all || states.iter().any(|state| comes_or_goes(state)) {
        scopes.extend([Scope::Queued, Scope::Dismissed]);
    }
    let owners = owners(before.directory, after.directory);
    let someone_leaves = owners.iter().any(|person| before.directory.rep(person).is_some());
    scopes.extend(owners.into_iter().cloned().map(Scope::Owner));
    if reviews(before) != reviews(after) {
        scopes.push(Scope::Reviews);
    }
    if before.policy.retention != after.policy.retention {
        scopes.push(Scope::Closed);
    }
    if someone_leaves {
        scopes.push(Scope::HeldUnowned);
        let reps = after.directory.document().teams.values().flat_map(|team| team.reps.keys());
        scopes.extend(reps.cloned().map(Scope::TakenOver));
        scopes.push(Scope::InOperations);
    }
    scopes
}

/// The reps to look at after a publication: those with other room, in another team, on leave or back, and those
/// of a team that has another market. If the policy says anew what becomes of the leads of absent owners, these
/// are all reps.
pub fn reps<'a>(before: Rules<'a>, after: Rules<'a>) -> impl Iterator<Item = &'a PersonId> {
    let is_every_rep = before.policy.owners != after.policy.owners;
    let teams = after.directory.document().teams.iter();
    let markets = after.directory.document().markets.iter();
    let had = |market: &MarketId| before.directory.market(market).map(|had| &had.team);
    let gaining: BTreeSet<&TeamId> =
        markets.filter(|(id, has)| had(id) != Some(&has.team)).map(|(_, has)| &has.team).collect();
    let stands_otherwise = move |team: &TeamId, rep: &PersonId, stands: &Rep| {
        let stood = before.directory.rep(rep);
        stood != Some(stands) || before.directory.team_of(rep) != Some(team) || gaining.contains(team)
    };
    teams
        .flat_map(|(team, document)| document.reps.iter().map(move |(rep, stands)| (team, rep, stands)))
        .filter(move |(team, rep, stands)| is_every_rep || stands_otherwise(team, rep, stands))
        .map(|(_, rep, _)| rep)
}

/// Who is a rep or is known, and was not, or was and is not.
fn owners<'a>(before: &'a Directory, after: &'a Directory) -> BTreeSet<&'a PersonId> {
    let people = [before, after].into_iter().flat_map(|directory| directory.document().people.keys());
    let is_other = |person: &&PersonId| {
        let is_known = |directory: &Directory| directory.person(person).is_some();
        let is_rep = |directory: &Directory| directory.rep(person).is_some();
        is_rep(before) != is_rep(after) || is_known(before) != is_known(after)
    };
    people.filter(is_other).collect()
}

fn open_states<'a>(before: &'a Policy, after: &'a Policy) -> BTreeSet<&'a StateId> {
    let open = |policy: &'a Policy| policy.states.iter().filter(|row| row.kind != StateKind::Terminal);
    open(before).chain(open(after)).map(|row| &row.state).collect()
}

fn rows(rules: Rules<'_>) -> impl Iterator<Item = Option<&Source>> {
    let w = &rules.policy.workflows;
    w.sla_breach.windows.iter().chain(&w.stuck_lead.windows).map(|row| row.source.as_ref())
}

/// All that the timers of a workflow depend on: its window, its calendar as it is written, and its
/// thresholds.
type Waits<'a> = Option<(Window, Option<&'a CalendarDocument>, Vec<(&'a str, u16)>)>;

fn waits<'a>(
    Rules { policy, directory }: Rules<'a>,
    market: &MarketId,
    source: &Source,
    state: &StateId,
) -> [Waits<'a>; 2] {
    let w = &policy.workflows;
    let measure = |workflow, rows: [&'a [WindowRow]; 2]| {
        let row = rows.into_iter().find_map(|rows| most_specific(rows, market, source, state))?;
        let calendar = row.calendar.as_ref().unwrap_or(&directory.market(market)?.calendar);
        let steps = policy.steps_in(workflow, market).into_iter().map(|step| (step.step, step.percent));
        Some((row.window, calendar_of(directory, calendar), steps.collect()))
    };
    [
        measure(WorkflowId::SlaBreach, [w.sla_breach.windows.as_slice(), &[]]),
        measure(WorkflowId::StuckLead, [&w.stuck_lead.windows, &w.sla_breach.windows]),
    ]
}

fn calendar_of<'a>(directory: &'a Directory, id: &CalendarId) -> Option<&'a CalendarDocument> {
    directory.document().calendars.get(id)
}

fn reviews<'a>(Rules { policy, directory }: Rules<'a>) -> (&'a [Reminder], Option<&'a CalendarDocument>) {
    let always = CalendarId::from(ALWAYS);
    let calendar = directory.document().compliance.calendar.as_ref().unwrap_or(&always);
    (&policy.workflows.compliance_flag.reminders, calendar_of(directory, calendar))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = include_str!("../../../infra/policies/default.yaml");
    const DIRECTORY: &str = include_str!("../../../infra/policies/directory.yaml");

    fn scopes(policy: (&str, &str), directory: (&str, &str)) -> Vec<String> {
        let changed = |text: &str, (from, to): (&str, &str)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        };
        let (old_policy, old) = (Policy::parse(POLICY).unwrap(), Directory::parse(DIRECTORY).unwrap());
        let new_policy = Policy::parse(&changed(POLICY, policy)).unwrap();
        let new = Directory::parse(&changed(DIRECTORY, directory)).unwrap();
        let (before, after) =
            (Rules { policy: &old_policy, directory: &old }, Rules { policy: &new_policy, directory: &new });
        let names =
            |sources: &BTreeSet<Source>| sources.iter().map(Source::as_str).collect::<Vec<_>>().join("+");
        super::scopes(before, after)
            .into_iter()
            .map(|scope| match scope {
                Scope::State { market, state, sources: Sources::One(source) } => {
                    format!("{market}/{state}/{source}")
                }
                Scope::State { market, state, sources: Sources::AllBut(others) } => {
                    format!("{market}/{state}/-{}", names(&others))
                }
                Scope::Market(market) => market.to_string(),
                Scope::Owner(person) => format!("of {person}"),
                Scope::TakenOver(person) => format!("by {person}"),
                Scope::InOperations => "in operations".to_owned(),
                Scope::HeldUnowned => "held".to_owned(),
                Scope::Queued => "queued".to_owned(),
                Scope::Dismissed => "dismissed".to_owned(),
                Scope::Reviews => "reviews".to_owned(),
                Scope::Closed => "closed".to_owned(),
            })
            .collect()
    }

    const SAME: (&str, &str) = ("name: Default", "name: Default");
    const SAME_DIRECTORY: (&str, &str) = ("mgr-max", "mgr-max");

    #[test]
    fn what_is_the_same_touches_nothing() {
        assert_eq!(scopes(SAME, SAME_DIRECTORY), [""; 0]);
        let wording = ("why: A lead that nobody answers", "why: A lead nobody answers");
        assert_eq!(scopes(wording, SAME_DIRECTORY), [""; 0]);
        assert_eq!(scopes(("later_windows: 50%", "later_windows: 60%"), SAME_DIRECTORY), [""; 0]);
    }

    /// All leads that are open, whatever is known of them.
    const ALL_OPEN: [&str; 4] = ["dach", "us", "queued", "dismissed"];

    #[test]
    fn another_threshold_of_high_value_touches_every_open_lead() {
        assert_eq!(scopes(("score: 85", "score: 80"), SAME_DIRECTORY), ALL_OPEN);
        assert_eq!(
            scopes(("strategic_accounts: true", "strategic_accounts: false"), SAME_DIRECTORY),
            ALL_OPEN
        );
    }

    #[test]
    fn a_row_of_one_source_touches_that_source_in_its_state() {
        let row = ("source: partner, window: 4h", "source: partner, window: 2h");
        assert_eq!(scopes(row, SAME_DIRECTORY), ["dach/NEW/partner", "us/NEW/partner"]);
    }

    #[test]
    fn a_general_row_touches_all_sources_without_rows_of_their_own() {
        let row = ("state: CONTACTED, window: 24h", "state: CONTACTED, window: 20h");
        assert_eq!(scopes(row, SAME_DIRECTORY), ["dach/CONTACTED/-cold_list", "us/CONTACTED/-cold_list"]);
    }

    #[test]
    fn a_state_that_comes_touches_the_leads_in_it_though_no_window_covers_it() {
        let state = (
            "  - { state: WON, kind: terminal }",
            "  - { state: TRIAL, kind: working }\n  - { state: WON, kind: terminal }",
        );
        assert_eq!(scopes(state, SAME_DIRECTORY), ["dach/TRIAL/-", "us/TRIAL/-", "queued", "dismissed"]);
        let hold = (
            "{ state: WON, kind: terminal }",
            "{ state: WON, kind: terminal }\n  - { state: LATER, kind: hold }",
        );
        assert_eq!(scopes(hold, SAME_DIRECTORY), ALL_OPEN);
        let terminal = (
            "{ state: WON, kind: terminal }",
            "{ state: WON, kind: terminal }\n  - { state: GONE, kind: terminal }",
        );
        assert_eq!(scopes(terminal, SAME_DIRECTORY), [""; 0]);
    }

    #[test]
    fn a_holiday_touches_the_markets_of_its_calendar() {
        let holiday = ("{ date: 2027-01-01, name: Neujahr }", "{ date: 2027-01-04, name: Neujahr }");
        let found = scopes(SAME, holiday);
        assert!(!found.is_empty() && found.iter().all(|scope| scope.starts_with("dach/")), "{found:?}");
        let desk = ("{ date: 2026-11-26, name: Thanksgiving }", "{ date: 2026-11-27, name: Friday }");
        assert_eq!(scopes(SAME, desk).last().map(String::as_str), Some("reviews"));
    }

    #[test]
    fn another_licence_touches_the_whole_market() {
        // What was cleared was cleared under the licences of then.
        for licences in ["licensed_for: [US]", "licensed_for: [US, CA, MX]"] {
            assert_eq!(scopes(SAME, ("licensed_for: [US, CA]", licences)), ["us"]);
        }
    }

    #[test]
    fn an_owner_who_leaves_or_comes_touches_their_leads_and_no_others() {
        let leaves_the_team = ("      rep-ana: { seniority: junior, capacity: 40 }\n", "");
        let left = ["rep-eva", "rep-fritz", "rep-gian", "rep-bob", "rep-cat", "rep-dan"]
            .map(|rep| format!("by {rep}"));
        let looked_at = ["of rep-ana", "held"].map(str::to_owned);
        let all = [looked_at.to_vec(), left.to_vec(), vec!["in operations".to_owned()]].concat();
        assert_eq!(scopes(SAME, leaves_the_team), all);
        let comes = (
            "  cs-sam: { name: Sam Smith, email: sam@example.test }",
            "  cs-sam: { name: Sam Smith, email: sam@example.test }\n  cs-new: { name: New, email: new@example.test }",
        );
        assert_eq!(scopes(SAME, comes), ["of cs-new"]);
        assert_eq!(scopes(SAME, ("capacity: 1 }", "capacity: 2 }")), [""; 0]);
    }

    #[test]
    fn another_retention_touches_the_closed_leads() {
        assert_eq!(scopes(("personal_data: 730d", "personal_data: 365d"), SAME_DIRECTORY), ["closed"]);
    }

    #[test]
    fn reminders_touch_the_reviews() {
        assert_eq!(scopes(("after: 3bd", "after: 4bd"), SAME_DIRECTORY), ["reviews"]);
    }
}
