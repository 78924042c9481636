//! What a publication tells people when it has reached every lead.

use chrono::TimeDelta;
use leadwatch_tests::seeded::{beginning, lively_policy, simulation, tight_directory};
use policy::ids::{PublicationId, PublicationKind};
use rules::aggregate::Aggregate as _;
use rules::entry::Actor;
use rules::lead::Orphaned;
use rules::notification::{NotificationFact, Recipient};
use rules::publication::{
    OrphanedLeads, Publication, PublicationCommand, PublicationFact, PublicationInput, Publishing, Totals,
    begin,
};
use std::collections::BTreeMap;

#[test]
fn an_owner_who_leaves_is_told_of_in_one_digest_a_team_and_one_message_a_new_owner() {
    let simulation = simulation(&lively_policy(1), &tight_directory());
    let world = simulation.world();
    let id = PublicationId { kind: PublicationKind::Directory, revision: 2 };
    let by = Actor::staff("otto");
    let publishing =
        Publishing { by: &by, publisher: None, why: "Ana left.", cause: "test", now: beginning() };
    let begun = begin(id, 1, &publishing, world.in_force(), Vec::new(), BTreeMap::new(), "ab".to_owned());
    let publication = Publication::evolve(None, &begun).expect("it begins");
    let orphaned = |to: Option<&str>, first: &[&str], leads| OrphanedLeads {
        team: Some("us-sales".into()),
        orphaned: Orphaned {
            from: "rep-zoe".into(),
            name: Some("Zoe Zimmer".to_owned()),
            to: to.map(Into::into),
            kept: false,
        },
        leads,
        first: first.iter().map(|id| (*id).into()).collect(),
    };
    let mut totals = Totals::default();
    for page in [orphaned(Some("rep-bob"), &["L-0", "L-1", "L-2", "L-3"], 4), orphaned(None, &["L-8"], 1)] {
        totals.add(&Totals {
            leads: page.leads,
            moved: page.leads,
            orphaned: vec![page],
            ..Totals::default()
        });
    }
    let more = orphaned(Some("rep-bob"), &["L-4", "L-5", "L-6"], 3);
    totals.add(&Totals { leads: 3, moved: 3, orphaned: vec![more], ..Totals::default() });
    assert_eq!((totals.leads, totals.moved), (8, 8));
    let input = PublicationInput::Applied(totals);
    let command = PublicationCommand { publication: id, cause: "applied".to_owned(), input };
    let decided =
        Publication::decide(Some(&publication), world, &command, beginning() + TimeDelta::minutes(1))
            .expect("it is decided");
    let told: Vec<String> = decided
        .entries
        .iter()
        .filter_map(|entry| match &entry.fact {
            PublicationFact::Notification(NotificationFact::Requested(told)) => Some(told),
            _ => None,
        })
        .map(|told| {
            let to = match &told.to {
                Recipient::Person { person, .. } => person.to_string(),
                Recipient::TeamChannel { team, .. } => team.to_string(),
                _ => "a desk".to_owned(),
            };
            format!("{} to {to}: {}", told.message.as_str(), told.particulars.reasons.join("; "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "changed-hands to us-sales: 1 lead of Zoe Zimmer waits for a rep; 7 leads of Zoe Zimmer went to Bob Brown",
            "changed-hands to rep-bob: you now own 7 leads of Zoe Zimmer: L-0, L-1, L-2, L-3, L-4 and 2 more",
        ]
    );
}
