//! Shows an officer a review or a rejection: the open criteria, earlier decisions on them, and what has
//! changed since.

use chrono::{DateTime, Utc};
use policy::directory::Directory;
use rules::lead::{Clearance, Lead, Rejection, Review, ScreenedParty, UnderReview};
use rules::lead::{LapseReason, lapse};
use rules::personal::Personal;
use serde_json::{Value, json};

/// The revision that a decision names: of the open review, or of the rejection.
pub fn revision(lead: &Lead) -> Option<u64> {
    let rejection = lead.rejection.as_ref().filter(|_| lead.is_disqualified());
    lead.review.as_ref().map(|review| review.revision).or(rejection.map(|rejection| rejection.revision))
}

/// A review in its context. Only the answer for one lead has personal data.
pub fn of(lead: &Lead, directory: &Directory, now: DateTime<Utc>, personal: Option<&Personal>) -> Value {
    let mut shown = json!({
        "lead_id": lead.id,
        "state": lead.state,
        "company": lead.profile.company,
        "country": lead.profile.country,
        "market": lead.profile.market,
        "account_id": lead.profile.account_id,
        "owner": lead.owner,
        "held_from": lead.held_from.as_ref().map(|held| &held.state),
    });
    let Value::Object(members) = &mut shown else { return shown };
    let criteria = |all: &[UnderReview]| -> Vec<Value> {
        all.iter().map(|found| criterion(found, lead, directory)).collect()
    };
    if let Some(review) = &lead.review {
        let Review { opened_at, revision, criteria: found, flagged_by, would_be_owner, vote, .. } = review;
        members.extend(object(json!({
            "opened_at": opened_at,
            "age_s": (now - *opened_at).num_seconds().max(0),
            "revision": revision,
            "criteria": criteria(found),
            "flagged_by": flagged_by,
            "would_be_owner": would_be_owner,
            "first_vote": vote,
        })));
    }
    if let Some(rejection) = lead.rejection.as_ref().filter(|_| lead.is_disqualified()) {
        let Rejection { at, revision, decided, criteria: found, flagged_by, would_be_owner, asked, .. } =
            rejection;
        members.extend(object(json!({
            "rejected_at": at,
            "revision": revision,
            "decided": decided,
            "criteria": criteria(found),
            "flagged_by": flagged_by,
            "would_be_owner": would_be_owner,
            "reopening_asked": asked,
        })));
    }
    if let Some(personal) = personal {
        let mut personal = json!(personal);
        // The key that compares spellings of a contact is internal.
        if let Some(contact) = personal.get_mut("contact").and_then(Value::as_object_mut) {
            contact.remove("identity");
        }
        members.extend(object(json!({
            "personal": personal,
            "erased_at": lead.erased_at,
            "clearances": lead.clearances,
        })));
    }
    shown
}

/// A criterion, whether it still holds, and earlier decisions on the same match.
fn criterion(found: &UnderReview, lead: &Lead, directory: &Directory) -> Value {
    let mut shown = json!(found);
    let Value::Object(members) = &mut shown else { return shown };
    let lapse = lapse(found, lead, directory);
    let why = lapse.map(|lapse| match lapse {
        LapseReason::Licensed => "the market now has a license for the lead's country",
        LapseReason::OtherParty => "the lead now names another company",
    });
    members.insert("key".to_owned(), json!(found.criterion.key()));
    members.insert("holds".to_owned(), json!(lapse.is_none()));
    members.extend(why.map(|why| ("lapsed".to_owned(), json!(why))));
    let now = ScreenedParty::of(lead, &found.criterion);
    let earlier = lead.clearances.iter().filter(|known| known.is_of(&found.criterion));
    let earlier = earlier.map(|known| {
        let Clearance { list_version, strength, screened, decided, .. } = known;
        json!({
            "list_version": list_version,
            "strength": strength,
            "company": screened.as_ref().and_then(|then| then.company.as_ref()),
            "decided": decided,
            "different": known.differences(&found.criterion, &now),
        })
    });
    members.insert("earlier".to_owned(), earlier.collect());
    shown
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    if let Value::Object(members) = value { members } else { serde_json::Map::new() }
}
