//! Holds what a source says against its rights: what it may not write is taken out and named.
//!
//! What a screening found counts from any source, since a match that is dropped lets a lead be worked
//! that must not be.

use crate::account::command::AccountInput;
use crate::lead::command::LeadEvent;
use crate::lead::party::NamedParty;
use crate::patch::Patch;
use policy::ids::MarketId;
use policy::source_rights::SourceRights;

/// Takes out of a lead's event what the source may not write; gives the fields. `stands` is
/// the market that the lead is in now, if it is known.
pub fn limit_lead(
    rights: &SourceRights,
    event: &mut LeadEvent,
    stands: Option<&MarketId>,
) -> Vec<&'static str> {
    let mut outside = Outside::default();
    if !rights.covers(stands.or_else(|| event.changes.market.as_set())) {
        // Which market a lead is in decides about all of it; there may be nothing but a match.
        if !says_nothing(event) {
            outside.0.push("market");
        }
        let mut kept = LeadEvent::at(event.occurred_at);
        kept.named = NamedParty { occurred_at: None, ..event.named_party() };
        kept.matches = std::mem::take(&mut event.matches);
        kept.flagged_by = event.flagged_by.take();
        kept.unread = std::mem::take(&mut event.unread);
        kept.said = event.said.take();
        *event = kept;
        return outside.0;
    }
    if rights.markets.is_some() && !rights.covers(event.changes.market.as_set()) {
        outside.patch("market", &mut event.changes.market);
    }
    let said = event.named_party();
    let LeadEvent { changes, contact, named, owner, state, hold_until, waiting_on_customer, .. } = event;
    let may = |name: &str| rights.may_write(name);
    outside.unless(may("source"), "source", &mut changes.source);
    outside.unless(may("market"), "market", &mut changes.market);
    outside.unless(may("country"), "country", &mut changes.country);
    outside.unless(may("company"), "company", &mut changes.company);
    outside.unless(may("account_id"), "account_id", &mut changes.account_id);
    outside.unless(may("account_tier"), "account_tier", &mut changes.account_tier);
    outside.unless(may("score"), "score", &mut changes.score);
    outside.unless(may("deal_size"), "deal_size", &mut changes.deal_size);
    outside.unless(may("contact"), "contact", contact);
    // What a screening found is of whom the source names, whoever may write that.
    *named = NamedParty {
        company: if changes.company.is_keep() { said.company } else { Patch::Keep },
        contact: if contact.is_keep() { said.contact } else { Patch::Keep },
        occurred_at: None,
        unreadable: said.unreadable,
    };
    outside.unless(may("owner"), "owner", owner);
    outside.unless(may("hold_until"), "hold_until", hold_until);
    outside.said(may("state"), "state", state);
    outside.said(may("waiting_on_customer"), "waiting_on_customer", waiting_on_customer);
    outside.0
}

/// Takes out of what is said of an account what the source may not write; gives the fields,
/// and whether anything is left.
pub fn limit_account(rights: &SourceRights, input: &mut AccountInput) -> (Vec<&'static str>, bool) {
    let mut outside = Outside::default();
    let may = |name: &str| rights.may_write_account(name);
    let is_left = match input {
        AccountInput::Update { changes, .. } => {
            outside.unless(may("account.name"), "account.name", &mut changes.name);
            outside.unless(may("account.tier"), "account.tier", &mut changes.tier);
            outside.unless(may("account.owner"), "account.owner", &mut changes.owner);
            let success = &mut changes.customer_success_owner;
            outside.unless(may("account.customer_success_owner"), "account.customer_success_owner", success);
            // An update that names an account and no field still makes it known.
            outside.0.is_empty() || *changes != crate::account::event::AccountChanges::default()
        }
        AccountInput::Signal { .. } if !may("account.signal") => {
            outside.0.push("account.signal");
            false
        }
        _ => true,
    };
    (outside.0, is_left)
}

/// Collects what was taken out.
#[derive(Default)]
struct Outside(Vec<&'static str>);

impl Outside {
    fn patch<T>(&mut self, name: &'static str, patch: &mut Patch<T>) {
        if !patch.is_keep() {
            *patch = Patch::Keep;
            self.0.push(name);
        }
    }

    fn unless<T>(&mut self, is_permitted: bool, name: &'static str, patch: &mut Patch<T>) {
        if !is_permitted {
            self.patch(name, patch);
        }
    }

    fn said<T>(&mut self, is_permitted: bool, name: &'static str, value: &mut Option<T>) {
        if !is_permitted && value.take().is_some() {
            self.0.push(name);
        }
    }
}

/// Whether an event of a lead says nothing of it but what a screening found.
#[must_use]
pub fn says_nothing(event: &LeadEvent) -> bool {
    let LeadEvent { changes, contact, owner, state, hold_until, waiting_on_customer, creates, .. } = event;
    !creates
        && changes.is_empty()
        && contact.is_keep()
        && owner.is_keep()
        && state.is_none()
        && hold_until.is_keep()
        && waiting_on_customer.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screening::{Criterion, CriterionKind, Match};
    use chrono::DateTime;
    use policy::source_rights::FIELDS;

    fn rights(markets: Option<&[&str]>, fields: Option<&[&str]>) -> SourceRights {
        SourceRights {
            markets: markets.map(|all| all.iter().map(|id| MarketId::from(*id)).collect()),
            fields: fields.map(|all| all.iter().map(|field| (*field).to_owned()).collect()),
        }
    }

    fn event(value: serde_json::Value) -> LeadEvent {
        let mut event = serde_json::json!({"occurred_at": "2026-03-02T14:00:00Z"});
        event.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        serde_json::from_value(event).unwrap()
    }

    /// An event that says something of every field.
    fn full() -> LeadEvent {
        event(serde_json::json!({
            "creates": true,
            "changes": {"source": "partner", "market": "us", "country": "US", "company": "Acme", "account_id": "A-1",
                        "account_tier": "standard", "score": 70, "deal_size": {"amount": "1.00", "currency": "USD"}},
            "contact": {"name": "Kim"}, "owner": "rep-ana", "state": "NEW",
            "hold_until": "2026-04-01T00:00:00Z", "waiting_on_customer": true,
        }))
    }

    #[test]
    fn every_field_of_a_lead_can_be_withheld_and_named() {
        let mut event = full();
        let outside = limit_lead(&rights(None, Some(&[])), &mut event, None);
        let mut named: Vec<&str> = outside;
        named.sort_unstable();
        let mut all: Vec<&str> = FIELDS.into_iter().filter(|field| !field.starts_with("account.")).collect();
        all.sort_unstable();
        assert_eq!(named, all);
        event.creates = false;
        assert!(says_nothing(&event));
        let mut event = full();
        assert!(limit_lead(&rights(None, Some(&all)), &mut event, None).is_empty());
        assert_eq!(event, full());
    }

    #[test]
    fn a_source_writes_what_it_may_and_the_rest_is_named() {
        let mut event = full();
        let outside = limit_lead(&rights(None, Some(&["score", "market"])), &mut event, None);
        assert!(outside.contains(&"state") && outside.contains(&"owner") && !outside.contains(&"score"));
        assert_eq!(event.changes.score.as_set(), Some(&70));
        assert_eq!((event.state, event.owner), (None, Patch::Keep));
    }

    #[test]
    fn a_market_decides_about_the_whole_event_but_not_about_matches() {
        let us = rights(Some(&["us"]), None);
        let dach = MarketId::from("dach");
        let found = serde_json::json!([{"criterion":
            {"kind": "sanctions", "match_id": "m-1", "list": "OFAC", "list_version": "1"}}]);
        let mut of_dach =
            event(serde_json::json!({"changes": {"score": 70}, "state": "WON", "matches": found}));
        assert_eq!(limit_lead(&us, &mut of_dach, Some(&dach)), ["market"]);
        assert!(says_nothing(&of_dach));
        assert_eq!(of_dach.matches.len(), 1);
        let mut of_us = full();
        assert!(limit_lead(&us, &mut of_us, None).is_empty(), "a new lead of its market");
        let mut nowhere = event(serde_json::json!({"changes": {"score": 70}}));
        assert_eq!(limit_lead(&us, &mut nowhere, None), ["market"], "nobody can tell which market");
    }

    #[test]
    fn a_source_cannot_move_a_lead_out_of_its_markets() {
        let us = MarketId::from("us");
        for market in [serde_json::json!("dach"), serde_json::Value::Null] {
            let mut moved = event(serde_json::json!({"changes": {"market": market, "score": 70}}));
            assert_eq!(limit_lead(&rights(Some(&["us"]), None), &mut moved, Some(&us)), ["market"]);
            assert_eq!(moved.changes.score.as_set(), Some(&70));
            assert!(moved.changes.market.is_keep());
        }
        let mut stays = event(serde_json::json!({"changes": {"score": 70}}));
        assert!(limit_lead(&rights(Some(&["us"]), None), &mut stays, Some(&us)).is_empty());
    }

    #[test]
    fn a_source_with_markets_writes_accounts_only_by_name() {
        let input = || AccountInput::Update {
            occurred_at: DateTime::UNIX_EPOCH,
            changes: crate::account::event::AccountChanges {
                owner: Patch::Set("rep-ana".into()),
                name: Patch::Set("Acme".into()),
                ..Default::default()
            },
            unread: crate::unread::Unread::default(),
        };
        let limited = |rights: SourceRights| limit_account(&rights, &mut input());
        assert_eq!(limited(SourceRights::default()), (vec![], true));
        assert_eq!(limited(rights(Some(&["us"]), None)), (vec!["account.name", "account.owner"], false));
        assert_eq!(limited(rights(Some(&["us"]), Some(&["account.name"]))), (vec!["account.owner"], true));
        let mut signal = AccountInput::Signal {
            occurred_at: DateTime::UNIX_EPOCH,
            signal: crate::account::state::Signal::UsageDown,
            evidence: None,
            unread: crate::unread::Unread::default(),
        };
        assert_eq!(
            limit_account(&rights(None, Some(&["score"])), &mut signal),
            (vec!["account.signal"], false)
        );
    }

    #[test]
    fn what_a_screening_found_is_of_whom_the_source_names_whoever_may_write_that() {
        let mut event = full();
        let criterion = Criterion {
            kind: CriterionKind::Sanctions,
            match_id: "m-1".to_owned(),
            list: "A".to_owned(),
            list_version: "1".to_owned(),
            strength: None,
        };
        event.matches = vec![Match { criterion, details: None }];
        let said = event.named_party();
        assert!(said.company.as_set().is_some(), "{said:?}");
        limit_lead(&rights(None, Some(&["score"])), &mut event, None);
        assert!(event.changes.company.is_keep() && event.contact.is_keep());
        assert_eq!(event.named_party(), said);
    }
}
