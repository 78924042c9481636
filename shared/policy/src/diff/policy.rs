//! What is different between two policies.

use super::change::{Change, Changes, Section, listed, quoted, union};
use crate::ids::{CalendarId, MarketId, Source, StateId};
use crate::measure::{Money, Percent, Window};
use crate::policy::{
    Action, EffectiveStep, Ladder, OrphanAction, Policy, PublishedPolicy, QuietHours, ReasonCode, Template,
    WindowRow,
};
use crate::vocabulary::{StateKind, WorkflowId};
use chrono::DateTime;
use std::collections::BTreeMap;

/// What is different between two policies: first the workflows in their order, then the rest.
#[must_use]
pub fn policies(before: &Policy, after: &Policy) -> Vec<Change> {
    let mut all = Vec::new();
    for workflow in WorkflowId::ALL {
        let already = all.len();
        let mut changes = Changes::of(&mut all, Section::Workflow(workflow));
        for ladder in before.ladders().into_iter().filter(|ladder| ladder.workflow == workflow) {
            for then in after.ladders().into_iter().filter(|ladder| ladder.workflow == workflow) {
                self::ladder(&mut changes, (before, ladder), (after, then));
            }
        }
        match workflow {
            WorkflowId::SlaBreach => sla_breach(&mut changes, before, after),
            WorkflowId::StuckLead => returns(&mut changes, before, after),
            WorkflowId::HighValue => high_value(&mut changes, before, after),
            WorkflowId::ComplianceFlag => compliance_flag(&mut changes, before, after),
            WorkflowId::ChurnRisk => churn_risk(&mut changes, before, after),
        }
        words(&mut changes, workflow, before, after);
        if all.len() == already && versions_that_rise(before, after).contains(&workflow) {
            Changes::of(&mut all, Section::Workflow(workflow)).say("reordered, with no effect");
        }
    }
    let mut changes = Changes::of(&mut all, Section::Policy);
    changes.value("name:", &before.name, &after.name, quoted);
    states(&mut changes, before, after);
    changes.value(
        "history after:",
        &before.intake.history_after,
        &after.intake.history_after,
        Window::to_string,
    );
    retention(&mut changes, before, after);
    owners(&mut changes, before, after);
    quiet_hours(&mut changes, before.quiet_hours.as_ref(), after.quiet_hours.as_ref());
    all
}

fn returns(changes: &mut Changes<'_>, before: &Policy, after: &Policy) {
    let spelled = |policy: &Policy| match &policy.workflows.stuck_lead.returns {
        Some(returns) => {
            let actions: Vec<&str> = returns.actions.iter().map(|action| action.as_str()).collect();
            format!("{} within {}: {}", returns.times, returns.within, actions.join(", "))
        }
        None => "none".to_owned(),
    };
    changes.value("returns to a state:", &spelled(before), &spelled(after), String::clone);
}

fn owners(changes: &mut Changes<'_>, before: &Policy, after: &Policy) {
    let (was, is) = (&before.owners, &after.owners);
    let named = |orphan: &OrphanAction| orphan.as_str().to_owned();
    changes.value("leads of an owner who left:", &was.left, &is.left, named);
    changes.value("leads of an owner who is away:", &was.absent, &is.absent, named);
    changes.value("an absence counts after:", &was.absent_after, &is.absent_after, Window::to_string);
}

fn retention(changes: &mut Changes<'_>, before: &Policy, after: &Policy) {
    let spelled = |policy: &Policy| match &policy.retention {
        Some(retention) => format!("{} after a lead is closed", retention.personal_data),
        None => "until someone requests its erasure".to_owned(),
    };
    changes.value("personal data is kept:", &spelled(before), &spelled(after), String::clone);
}

/// The workflows that get another version when the second policy follows the first.
#[must_use]
pub fn versions_that_rise(before: &Policy, after: &Policy) -> Vec<WorkflowId> {
    let published = |base: Option<&PublishedPolicy>, policy: &Policy| {
        PublishedPolicy::next(base, policy.clone(), "", DateTime::UNIX_EPOCH)
    };
    let base = published(None, before);
    let next = published(Some(&base), after);
    WorkflowId::ALL.into_iter().filter(|id| base.version_of(*id) != next.version_of(*id)).collect()
}

/// The steps of a market by name, each with its share and what is done.
type Steps = BTreeMap<String, (u16, Vec<Action>)>;

/// The names of either, in the order in which they are reached.
fn in_order<'a>(was: &'a Steps, is: &'a Steps) -> Vec<&'a String> {
    let mut names: Vec<&String> = union(was, is).into_iter().collect();
    names.sort_by_key(|name| is.get(*name).or_else(|| was.get(*name)).map(|(at, _)| *at));
    names
}

/// Steps and windows.
fn ladder(
    changes: &mut Changes<'_>,
    (before, was): (&Policy, Ladder<'_>),
    (after, is): (&Policy, Ladder<'_>),
) {
    // What a market that has nothing of its own sees is what the workflow says.
    let anywhere = MarketId::new("");
    let steps = |policy: &Policy, market: &MarketId| -> Steps {
        let steps = policy.steps_in(was.workflow, market).into_iter();
        steps
            .map(|EffectiveStep { step, percent, actions }| (step.to_owned(), (percent, actions.to_vec())))
            .collect()
    };
    let (base_was, base_is) = (steps(before, &anywhere), steps(after, &anywhere));
    for name in in_order(&base_was, &base_is) {
        step(changes, name, base_was.get(name), base_is.get(name));
    }
    for market in union(was.markets, is.markets) {
        let mut changes = changes.in_market(Some(market));
        let (own_was, own_is) = (steps(before, market), steps(after, market));
        for name in in_order(&own_was, &own_is) {
            let of_market = (own_was.get(name), own_is.get(name));
            let of_workflow = (base_was.get(name), base_is.get(name));
            match (of_market, of_workflow) {
                _ if of_market == of_workflow => {}
                ((Some(then), Some(now)), (Some(_), Some(_)))
                    if then == now && of_workflow.0 != of_workflow.1 =>
                {
                    changes.say(format!("{name} stays as it is, {}", spelled_step(now)));
                }
                ((Some(_), None), (_, Some(_))) => changes.say(format!("{name} is switched off")),
                ((None, Some(now)), (Some(_), Some(_))) => {
                    changes.say(format!("{name} is switched on again, {}", spelled_step(now)));
                }
                (of_market, _) => step(&mut changes, name, of_market.0, of_market.1),
            }
        }
    }
    windows(changes, was.windows, is.windows);
}

fn step(
    changes: &mut Changes<'_>,
    name: &str,
    before: Option<&(u16, Vec<Action>)>,
    after: Option<&(u16, Vec<Action>)>,
) {
    match (before, after) {
        (Some((was_at, was_do)), Some((at, actions))) => {
            changes.value(name, was_at, at, |at| percent(*at));
            changes.value(&format!("{name} does"), was_do, actions, |actions| spelled_actions(actions));
        }
        (before, after) => changes.option(&format!("step {name}"), before, after, spelled_step),
    }
}

fn spelled_step((at, actions): &(u16, Vec<Action>)) -> String {
    format!("at {}: {}", percent(*at), spelled_actions(actions))
}

fn spelled_actions(actions: &[Action]) -> String {
    listed(actions.iter().map(|action| action.as_str()))
}

fn percent(percent: u16) -> String {
    format!("{percent} %")
}

fn windows(changes: &mut Changes<'_>, before: &[WindowRow], after: &[WindowRow]) {
    type Rows<'a> =
        BTreeMap<(Option<&'a MarketId>, &'a StateId, Option<&'a Source>), (Window, Option<&'a CalendarId>)>;
    fn of(rows: &[WindowRow]) -> Rows<'_> {
        rows.iter()
            .map(|row| {
                ((row.market.as_ref(), &row.state, row.source.as_ref()), (row.window, row.calendar.as_ref()))
            })
            .collect()
    }
    let (before, after) = (of(before), of(after));
    for key in union(&before, &after) {
        let (market, state, source) = *key;
        let from = source.map(|source| format!(" from {source}")).unwrap_or_default();
        let mut changes = changes.in_market(market);
        changes.option(&format!("{state}{from}:"), before.get(key), after.get(key), |(window, calendar)| {
            calendar.map_or_else(|| window.to_string(), |calendar| format!("{window} on `{calendar}`"))
        });
    }
}

fn sla_breach(changes: &mut Changes<'_>, before: &Policy, after: &Policy) {
    let (was, is) = (&before.workflows.sla_breach, &after.workflows.sla_breach);
    changes.value("maximum reassignments:", &was.max_reassignments, &is.max_reassignments, u32::to_string);
}

fn high_value(changes: &mut Changes<'_>, before: &Policy, after: &Policy) {
    let (was, is) = (&before.workflows.high_value, &after.workflows.high_value);
    changes.value("score:", &was.score, &is.score, u16::to_string);
    changes.value("score margin:", &was.score_margin, &is.score_margin, u16::to_string);
    changes.value("strategic accounts:", &was.strategic_accounts, &is.strategic_accounts, yes_or_no);
    changes.value("later windows:", &was.later_windows, &is.later_windows, |p: &Percent| percent(p.get()));
    changes.value(
        "reassign juniors' leads to seniors:",
        &was.reassign_juniors,
        &is.reassign_juniors,
        yes_or_no,
    );
    let by_currency = |deals: &[Money]| -> BTreeMap<&'static str, String> {
        deals.iter().map(|money| (money.currency(), money.amount())).collect()
    };
    let (was, is) = (by_currency(&was.deal_size_over), by_currency(&is.deal_size_over));
    changes.map(&was, &is, |currency| format!("deal size over ({currency}):"), Clone::clone);
}

fn yes_or_no(yes: &bool) -> String {
    if *yes { "yes" } else { "no" }.to_owned()
}

fn compliance_flag(changes: &mut Changes<'_>, before: &Policy, after: &Policy) {
    let (was, is) = (&before.workflows.compliance_flag, &after.workflows.compliance_flag);
    changes.value("officers:", &was.officers, &is.officers, u8::to_string);
    changes.value("channel:", &was.channel, &is.channel, |channel| channel.as_str().to_owned());
    let reminders = |policy: &Policy| -> BTreeMap<String, Window> {
        let reminders = policy.workflows.compliance_flag.reminders.iter();
        reminders.map(|reminder| (reminder.step.clone(), reminder.after)).collect()
    };
    let item = |step: &String| format!("reminder {step} after");
    changes.map(&reminders(before), &reminders(after), item, Window::to_string);
    changes.map(&was.reason_codes, &is.reason_codes, |code| format!("reason {code}:"), reason);
}

fn reason(code: &ReasonCode) -> String {
    let ReasonCode { means, verdict, officers } = code;
    let verdict = verdict.map_or(String::new(), |verdict| format!(", to {}", verdict.as_str()));
    let officers = if *officers > 1 { format!(", by {officers} officers") } else { String::new() };
    format!("{}{verdict}{officers}", quoted(means))
}

fn churn_risk(changes: &mut Changes<'_>, before: &Policy, after: &Policy) {
    let (was, is) = (&before.workflows.churn_risk, &after.workflows.churn_risk);
    changes.value("touchpoint after", &was.touchpoint_after, &is.touchpoint_after, Window::to_string);
    changes.value("calendar:", &was.calendar, &is.calendar, |calendar| {
        calendar.as_ref().map_or_else(|| "around the clock".to_owned(), |id| format!("`{id}`"))
    });
    changes.option(
        "outreach paused for",
        was.pause_outreach_for.as_ref(),
        is.pause_outreach_for.as_ref(),
        Window::to_string,
    );
}

/// What people read: the messages, and what is said of the workflow.
fn words(changes: &mut Changes<'_>, workflow: WorkflowId, before: &Policy, after: &Policy) {
    let (was, is) = (before.messages(workflow), after.messages(workflow));
    let nothing = Template::default();
    for message in union(was, is) {
        let (was, is) = (was.get(message).unwrap_or(&nothing), is.get(message).unwrap_or(&nothing));
        let of = |what: &str| format!("message {}, {what}:", message.as_str());
        let own = |text: &Option<String>| {
            text.as_ref().map_or_else(|| "Leadwatch's own wording".to_owned(), quoted)
        };
        changes.value(&of("title"), &was.title, &is.title, own);
        changes.value(&of("text"), &was.text, &is.text, own);
    }
    let (was, is) = (before.about(workflow), after.about(workflow));
    changes.value("what it does:", &was.what, &is.what, quoted);
    changes.value("when it fires:", &was.when, &is.when, quoted);
    changes.value("why it exists:", &was.why, &is.why, quoted);
}

fn states(changes: &mut Changes<'_>, before: &Policy, after: &Policy) {
    let by_name = |policy: &Policy| -> BTreeMap<StateId, (StateKind, Vec<StateId>)> {
        policy.states.iter().map(|row| (row.state.clone(), (row.kind, row.stages.clone()))).collect()
    };
    let (was, is) = (by_name(before), by_name(after));
    for state in union(&was, &is) {
        match (was.get(state), is.get(state)) {
            (Some((was_kind, was_stages)), Some((kind, stages))) => {
                changes.value(&format!("state {state} is"), was_kind, kind, |kind| kind.as_str().to_owned());
                changes.set(
                    &format!("stage of {state}:"),
                    &was_stages.iter().collect(),
                    &stages.iter().collect(),
                    |stage| format!("`{stage}`"),
                );
            }
            (before, after) => changes.option("state", before, after, |(kind, stages)| {
                let stages =
                    if stages.is_empty() { String::new() } else { format!(", stages {}", listed(stages)) };
                format!("{state}, {}{stages}", kind.as_str())
            }),
        }
    }
    changes.value("a new lead starts in", &before.first_state(), &after.first_state(), |state| {
        state.map_or_else(|| "no state".to_owned(), ToString::to_string)
    });
    let order = |policy: &Policy| policy.states.iter().map(|row| row.state.clone()).collect::<Vec<_>>();
    let (was_order, is_order) = (order(before), order(after));
    if was.len() == is.len() && was.keys().eq(is.keys()) {
        changes.value("order of states:", &was_order, &is_order, |states| listed(states));
    }
    for (state, now) in is.iter().filter_map(|(state, (_, stages))| Some((state, (was.get(state)?, stages))))
    {
        let ((_, before), after) = now;
        let sorted = |stages: &[StateId]| stages.iter().cloned().collect::<std::collections::BTreeSet<_>>();
        if before != after && sorted(before) == sorted(after) {
            changes.say(format!("stages of {state} reordered, with no effect"));
        }
    }
}

fn quiet_hours(changes: &mut Changes<'_>, before: Option<&QuietHours>, after: Option<&QuietHours>) {
    let hours = |quiet: &QuietHours| format!("{} to {}", quiet.from, quiet.to);
    match (before, after) {
        (Some(was), Some(is)) => {
            let (was_hours, is_hours) = (hours(was), hours(is));
            changes.value("quiet hours:", &was_hours, &is_hours, Clone::clone);
            changes.set("exempt from quiet hours:", &was.except, &is.except, |m| m.as_str().to_owned());
        }
        (before, after) => changes.option("quiet hours:", before, after, |quiet| {
            let except = if quiet.except.is_empty() {
                String::new()
            } else {
                format!(" except {}", listed(quiet.except.iter().map(|message| message.as_str())))
            };
            format!("{}{except}", hours(quiet))
        }),
    }
}
