//! The messages about what a publication did to open leads.

use crate::notification::{Recipient, Role};
use crate::publication::state::{OrphanedLeads, Totals};
use policy::WorkflowId;
use policy::directory::Directory;
use policy::ids::{LeadId, PersonId};

/// One message per team about the leads whose owner left, and one for each new owner.
pub fn changed_hands(orphaned: &[OrphanedLeads], directory: &Directory) -> Vec<(Recipient, Vec<String>)> {
    let mut digests: Vec<(Recipient, Vec<String>)> = Vec::new();
    let mut say = |to: Recipient, line: String| match digests.iter_mut().find(|(known, _)| *known == to) {
        Some((_, lines)) => lines.push(line),
        None => digests.push((to, vec![line])),
    };
    let name_of = |person: &PersonId| directory.person(person).map(|person| person.name.clone());
    for OrphanedLeads { team, orphaned, leads, .. } in orphaned {
        let from = orphaned.name.clone().or_else(|| name_of(&orphaned.from));
        let from = from.unwrap_or_else(|| "an owner who left".to_owned());
        let what = if *leads == 1 { format!("1 lead of {from}") } else { format!("{leads} leads of {from}") };
        let (stays, waits) = if *leads == 1 { ("stays", "waits") } else { ("stay", "wait") };
        let line = match &orphaned.to {
            Some(to) => format!("{what} went to {}", name_of(to).unwrap_or_else(|| "another rep".to_owned())),
            None if orphaned.kept => format!("{what} {stays} with them"),
            None => format!("{what} {waits} for a rep"),
        };
        say(Recipient::manager_of(team.as_ref(), directory), line);
    }
    for OrphanedLeads { orphaned, leads, first, .. } in orphaned {
        let Some(person) = orphaned.to.clone().filter(|person| directory.person(person).is_some()) else {
            continue;
        };
        let from = orphaned.name.clone().or_else(|| name_of(&orphaned.from));
        let of = from.map(|name| format!(" of {name}")).unwrap_or_default();
        let named: Vec<&str> = first.iter().map(LeadId::as_str).collect();
        let more = leads.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let noun = if *leads == 1 { "lead" } else { "leads" };
        let line = format!("you now own {leads} {noun}{of}: {}{more}", named.join(", "));
        say(Recipient::Person { role: Role::Owner, person }, line);
    }
    digests
}

/// One message per team, and one each for operations and compliance where they are concerned.
pub fn digests(totals: &Totals, directory: &Directory) -> Vec<(Recipient, Vec<String>)> {
    let mut digests: Vec<(Recipient, Vec<String>)> = Vec::new();
    for passed in &totals.passed {
        let to = if passed.step.workflow == WorkflowId::ComplianceFlag {
            Recipient::ComplianceDesk
        } else {
            Recipient::manager_of(passed.team.as_ref(), directory)
        };
        let leads = if passed.leads == 1 { "lead" } else { "leads" };
        let line = format!("{}/{}: {} {leads}", passed.step.workflow, passed.step.step, passed.leads);
        match digests.iter_mut().find(|(known, _)| *known == to) {
            Some((_, lines)) => lines.push(line),
            None => digests.push((to, vec![line])),
        }
    }
    digests
}
