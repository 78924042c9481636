//! Reads the lead of an event: its profile, its state, and the party that a screening looked at.

use crate::fields::{Fields, Problems};
use crate::{fields, matches};
use chrono::{DateTime, Utc};
use policy::directory::is_country;
use policy::ids::{Country, LeadId};
use policy::measure::Money;
use rules::lead::{LeadEvent, NamedParty, ProfileChanges};
use rules::patch::Patch;
use rules::personal::Contact;
use rules::screening::Match;
use serde_json::Value;

pub(super) fn upserted(lead: &Fields<'_>, at: DateTime<Utc>, problems: &mut Problems) -> LeadEvent {
    let changes = ProfileChanges {
        source: lead.patch("source", problems, fields::id),
        market: lead.patch("market", problems, fields::id),
        country: lead.patch("country", problems, country),
        company: lead.patch("company", problems, fields::line),
        account_id: lead.patch("account_id", problems, fields::id),
        account_tier: lead.patch("account_tier", problems, fields::name(&["standard", "strategic"])),
        score: lead.patch("score", problems, |v| {
            fields::whole(1000)(v).map(|n| u16::try_from(n).unwrap_or(u16::MAX))
        }),
        deal_size: lead.patch("deal_size", problems, |v| Ok(v.clone())).and_then_read(lead, problems),
    };
    LeadEvent {
        creates: true,
        changes,
        contact: lead.patch("contact", problems, |v| Ok(v.clone())).and_then_contact(lead, problems),
        owner: lead.patch("owner", problems, fields::id),
        ..movement(lead, at, problems)
    }
}

pub(super) fn state_changed(
    lead: &Fields<'_>,
    is_flagged: bool,
    at: DateTime<Utc>,
    problems: &mut Problems,
) -> LeadEvent {
    let event = movement(lead, at, problems);
    let says_nothing =
        event.state.is_none() && event.waiting_on_customer.is_none() && event.hold_until.is_keep();
    if says_nothing && !is_flagged {
        problems.add(lead.at("state"), "is missing");
    }
    event
}

pub(super) fn flagged(
    lead: &Fields<'_>,
    is_flagged: bool,
    at: DateTime<Utc>,
    problems: &mut Problems,
) -> LeadEvent {
    if !is_flagged {
        problems.add(lead.at("flags"), "has no match; send at least one");
    }
    LeadEvent::at(at)
}

/// Reads who raised the matches by hand. That person cannot decide on them, in whatever event they come.
pub(super) fn flagged_by(root: &Fields<'_>, event: &mut LeadEvent, problems: &mut Problems) {
    let by = root.optional("flagged_by", problems, fields::line);
    if by.is_some() && event.matches.is_empty() {
        problems.warn(root.at("flagged_by"), "names a flagger, but the event has no match");
    } else {
        event.flagged_by = by;
    }
}

/// The matches in an event of another type, with their lead.
pub(super) fn stray_matches(event: &Value) -> (Option<LeadId>, Vec<Match>) {
    // Other errors were noted before, or do not concern this event.
    let mut ignored = Problems::default();
    let root = Fields::root(event, &mut ignored);
    let lead = root.object("lead", &mut ignored);
    let id = lead.required("id", &mut ignored, fields::id);
    (id, matches::read(&root, &lead, &mut ignored))
}

/// Whether the event has a contact that identifies nobody.
fn is_unread_contact(lead: &Fields<'_>, contact: &Patch<Contact>) -> bool {
    let is_nobody = contact.as_set().is_some_and(|contact| contact.identity.is_none());
    let says = lead.get("contact").and_then(Value::as_object);
    is_nobody && says.is_some_and(|says| says.values().any(|value| !value.is_null()))
}

/// The party that an event names, whether the event changes the lead's party or not.
pub(super) fn named_party(event: &Value) -> NamedParty {
    let mut ignored = Problems::default();
    let lead = Fields::root(event, &mut ignored).object("lead", &mut ignored);
    let company = lead.patch("company", &mut ignored, fields::line);
    let contact =
        lead.patch("contact", &mut ignored, |v| Ok(v.clone())).and_then_contact(&lead, &mut ignored);
    let unreadable = !ignored.found.is_empty() || is_unread_contact(&lead, &contact);
    NamedParty { company, contact, occurred_at: None, unreadable }
}

fn movement(lead: &Fields<'_>, at: DateTime<Utc>, problems: &mut Problems) -> LeadEvent {
    LeadEvent {
        state: lead.optional("state", problems, fields::state),
        hold_until: lead.patch("hold_until", problems, fields::instant),
        waiting_on_customer: lead.optional("waiting_on_customer", problems, fields::boolean),
        ..LeadEvent::at(at)
    }
}

fn country(value: &Value) -> Result<Country, String> {
    match value.as_str() {
        Some(text) if is_country(text) => Ok(Country::from(text)),
        _ => Err("must be an ISO 3166-1 alpha-2 country code, e.g. `US`".to_owned()),
    }
}

/// Reads a contact, with an error for each of its fields.
trait ReadContact {
    fn and_then_contact(self, lead: &Fields<'_>, problems: &mut Problems) -> Patch<Contact>;
}

impl ReadContact for Patch<Value> {
    fn and_then_contact(self, lead: &Fields<'_>, problems: &mut Problems) -> Patch<Contact> {
        let value = match self {
            Self::Keep => return Patch::Keep,
            Self::Clear => return Patch::Clear,
            Self::Set(value) => value,
        };
        let fields = Fields::of(&value, lead.at("contact"), problems);
        let contact = Contact {
            name: fields.optional("name", problems, fields::line),
            email: fields.optional("email", problems, fields::line),
            phone: fields.optional("phone", problems, fields::line),
            identity: None,
        }
        .identified();
        problems.warn_of_unknown(&fields);
        Patch::Set(contact)
    }
}

/// Reads money, with an error for each of its two fields.
trait ReadMoney {
    fn and_then_read(self, lead: &Fields<'_>, problems: &mut Problems) -> Patch<Money>;
}

impl ReadMoney for Patch<Value> {
    fn and_then_read(self, lead: &Fields<'_>, problems: &mut Problems) -> Patch<Money> {
        use policy::measure::MoneyError;
        let value = match self {
            Patch::Keep => return Patch::Keep,
            Patch::Clear => return Patch::Clear,
            Patch::Set(value) => value,
        };
        let at = lead.at("deal_size");
        let fields = Fields::of(&value, at.clone(), problems);
        let amount = fields.required("amount", problems, |v| {
            v.as_str()
                .map(str::to_owned)
                .ok_or_else(|| "must be a decimal string, e.g. `\"48000.00\"`".to_owned())
        });
        let currency = fields.required("currency", problems, fields::line);
        problems.warn_of_unknown(&fields);
        let (Some(amount), Some(currency)) = (amount, currency) else {
            return Patch::Keep;
        };
        match Money::parse(&amount, &currency) {
            Ok(money) => Patch::Set(money),
            Err(error) => {
                let field =
                    if matches!(error, MoneyError::UnknownCurrency(_)) { "currency" } else { "amount" };
                problems.add(format!("{at}/{field}"), error.to_string());
                Patch::Keep
            }
        }
    }
}
