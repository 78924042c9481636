//! Inbound events of the generic source, which every CRM adapter maps onto. Unknown types are
//! refused; unknown fields are left out, and the answer and the record say so. A field that is absent
//! is unchanged, `null` clears it.

use crate::fields::{FieldProblem, Fields, Problems};
use crate::{fields, matches};
use chrono::{DateTime, Utc};
use policy::directory::is_country;
use policy::ids::{AccountId, Country, LeadId, Subject};
use policy::measure::Money;
use rules::account::{AccountChanges, AccountInput};
use rules::lead::{LeadEvent, NamedParty, ProfileChanges};
use rules::patch::Patch;
use rules::personal::Contact;
use rules::screening::Match;
use rules::unread::Unread;
use serde_json::Value;

/// Events in one request.
pub const BATCH_MAX: usize = 100;
/// Evidence of a signal, as JSON.
pub const EVIDENCE_BYTES_MAX: usize = 4_096;

/// The types there are.
pub const TYPES: [&str; 5] =
    ["lead.upserted", "lead.state_changed", "lead.flagged", "account.upserted", "account.churn_signal"];

/// An inbound event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Its identity at the source.
    pub id: String,
    /// When it was so.
    pub occurred_at: DateTime<Utc>,
    /// What it says.
    pub body: Body,
    /// What was not understood of it, or means nothing.
    pub warnings: Vec<FieldProblem>,
}

/// What an event says, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Of a lead.
    Lead(LeadId, Box<LeadEvent>),
    /// Of an account.
    Account(AccountId, AccountInput),
}

/// Why something is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnEvent {
    /// Its identity, where it can be told.
    pub id: Option<String>,
    /// What it is about, where it can be told: the refusal belongs into that record.
    pub subject: Option<Subject>,
    /// What a screening found of the lead, as far as it can be read: that counts, whatever else is wrong.
    pub matches: Vec<Match>,
    /// Who raised the matches by hand.
    pub flagged_by: Option<String>,
    /// Whom they are about.
    pub named: NamedParty,
    /// What is wrong with it; never empty.
    pub problems: Vec<FieldProblem>,
    /// What was not understood of it beside that.
    pub warnings: Vec<FieldProblem>,
}

/// Reads one event.
///
/// # Errors
/// [`NotAnEvent`] names every field that is wrong.
#[expect(clippy::result_large_err, reason = "both are made once an event, and moved")]
pub fn read(value: &Value) -> Result<Inbound, NotAnEvent> {
    read_with(value, &[])
}

/// As [`read`], with further members that whoever reads it knows.
#[expect(clippy::result_large_err, reason = "both are made once an event, and moved")]
pub(crate) fn read_with(value: &Value, further: &[&str]) -> Result<Inbound, NotAnEvent> {
    let mut problems = Problems::default();
    let root = Fields::root(value, &mut problems);
    for name in further {
        root.get(name);
    }
    let id: Option<String> = root.required("id", &mut problems, fields::id::<String>);
    let occurred_at = root.required("occurred_at", &mut problems, fields::exact_instant);
    let kind = root.required("type", &mut problems, |value| {
        let text = value.as_str().unwrap_or_default();
        TYPES
            .iter()
            .find(|known| **known == text)
            .copied()
            .ok_or_else(|| format!("is none of: {}", TYPES.join(", ")))
    });
    let mut subject = None;
    let mut found = Vec::new();
    let mut flagger = None;
    // An instant that is wrong was noted; the rest is read all the same, to name all that is wrong.
    let at = occurred_at.unwrap_or_default();
    let body = match kind {
        Some(kind @ ("lead.upserted" | "lead.state_changed" | "lead.flagged")) => {
            let lead = root.object("lead", &mut problems);
            let lead_id: Option<LeadId> = lead.required("id", &mut problems, fields::id);
            subject = lead_id.clone().map(Subject::Lead);
            let found_in = matches::read(&root, &lead, &mut problems);
            let is_flagged = !found_in.is_empty();
            let mut event = match kind {
                "lead.upserted" => upserted(&lead, at, &mut problems),
                "lead.state_changed" => state_changed(&lead, is_flagged, at, &mut problems),
                _ => flagged(&lead, is_flagged, at, &mut problems),
            };
            // A source may say it with any event of a lead.
            event.matches = found_in;
            if is_flagged && kind == "lead.upserted" {
                event.named.unreadable = named_party(value).unreadable;
            } else if is_flagged {
                event.named = named_party(value);
                // They say whom the screening looked at, and change nothing else.
                for name in ["company", "contact"] {
                    lead.get(name);
                }
            }
            flagged_by(&root, &mut event, &mut problems);
            found.clone_from(&event.matches);
            flagger.clone_from(&event.flagged_by);
            problems.warn_of_unknown(&lead);
            lead_id.map(|id| Body::Lead(id, Box::new(event)))
        }
        Some(kind) => {
            let account = root.object("account", &mut problems);
            let account_id: Option<AccountId> = account.required("id", &mut problems, fields::id);
            subject = account_id.clone().map(Subject::Account);
            let input = if kind == "account.upserted" {
                Some(account_upserted(&account, at, &mut problems))
            } else {
                churn_signal(&account, at, &mut problems)
            };
            problems.warn_of_unknown(&account);
            account_id.zip(input).map(|(id, input)| Body::Account(id, input))
        }
        None => None,
    };
    // A screening counts wherever its result stands, in an event of any other kind too.
    if !matches!(body, Some(Body::Lead(..))) {
        let (lead, stray) = stray_matches(value);
        if !stray.is_empty() {
            if kind.is_some() {
                problems.add("/lead/flags", "is no part of this type of event; send it with `lead.flagged`");
            }
            subject = lead.map(Subject::Lead).or(subject);
            found.extend(stray);
            flagger = root.optional("flagged_by", &mut problems, fields::line);
        }
    };
    if kind.is_some() {
        problems.warn_of_unknown(&root);
    }
    let Problems { found: wrong, warnings } = problems;
    match (id.clone(), occurred_at, body) {
        (Some(id), Some(occurred_at), Some(mut body)) if wrong.is_empty() => {
            body.set_unread(Unread::of(warnings.iter().map(|warning| warning.pointer.clone())));
            Ok(Inbound { id, occurred_at, body, warnings })
        }
        _ => {
            let mut named = NamedParty::default();
            if !found.is_empty() {
                let party = named_party(value);
                let unreadable = party.unreadable || occurred_at.is_none();
                named = NamedParty { occurred_at, unreadable, ..party };
            }
            Err(NotAnEvent {
                id,
                subject,
                matches: found,
                flagged_by: flagger,
                named,
                problems: wrong,
                warnings,
            })
        }
    }
}

impl Body {
    fn set_unread(&mut self, not_understood: Unread) {
        match self {
            Self::Lead(_, event) => event.unread = not_understood,
            Self::Account(_, AccountInput::Update { unread, .. } | AccountInput::Signal { unread, .. }) => {
                *unread = not_understood;
            }
            Self::Account(..) => {}
        }
    }
}

impl Inbound {
    /// What was not understood of it, or means nothing when it comes at an instant.
    pub fn warnings_at(&self, now: DateTime<Utc>) -> Vec<FieldProblem> {
        let mut warnings = self.warnings.clone();
        if let Body::Lead(_, event) = &self.body
            && event.hold_until.as_set().is_some_and(|until| *until <= now)
        {
            let detail = "is in the past: the hold is over already".to_owned();
            warnings.push(FieldProblem { pointer: "/lead/hold_until".to_owned(), detail });
        }
        warnings
    }
}

fn upserted(lead: &Fields<'_>, at: DateTime<Utc>, problems: &mut Problems) -> LeadEvent {
    let changes = ProfileChanges {
        source: lead.patch("source", problems, fields::id),
        market: lead.patch("market", problems, fields::id),
        country: lead.patch("country", problems, country),
        company: lead.patch("company", problems, fields::line),
        account_id: lead.patch("account_id", problems, fields::id),
        account_tier: lead.patch("account_tier", problems, fields::name("standard, strategic")),
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

fn state_changed(
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

fn flagged(lead: &Fields<'_>, is_flagged: bool, at: DateTime<Utc>, problems: &mut Problems) -> LeadEvent {
    if !is_flagged {
        problems.add(lead.at("flags"), "names no match; expected at least one");
    }
    LeadEvent::at(at)
}

/// Who raised the matches by hand: whatever event they come with, that person cannot decide on them.
fn flagged_by(root: &Fields<'_>, event: &mut LeadEvent, problems: &mut Problems) {
    let by = root.optional("flagged_by", problems, fields::line);
    if by.is_some() && event.matches.is_empty() {
        problems.warn(root.at("flagged_by"), "says who raised a flag, and there is none");
    } else {
        event.flagged_by = by;
    }
}

/// The matches of an event that is none of a lead, with the lead they are about.
fn stray_matches(event: &Value) -> (Option<LeadId>, Vec<Match>) {
    // What else is wrong with it was said, or is no part of the event.
    let mut ignored = Problems::default();
    let root = Fields::root(event, &mut ignored);
    let lead = root.object("lead", &mut ignored);
    let id = lead.required("id", &mut ignored, fields::id);
    (id, matches::read(&root, &lead, &mut ignored))
}

/// Whether there is a contact, and nothing in it says who it is.
fn is_unread_contact(lead: &Fields<'_>, contact: &Patch<Contact>) -> bool {
    let is_nobody = contact.as_set().is_some_and(|contact| contact.identity.is_none());
    let says = lead.get("contact").and_then(Value::as_object);
    is_nobody && says.is_some_and(|says| says.values().any(|value| !value.is_null()))
}

/// Whom an event names, whether that is taken over or not.
fn named_party(event: &Value) -> NamedParty {
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
        _ => Err("is not an ISO 3166-1 alpha-2 country code; write e.g. `US`".to_owned()),
    }
}

/// A contact has fields of its own, each with its own complaint.
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

/// Money has two fields of its own, each with its own complaint.
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
                .ok_or_else(|| "is not a decimal string; write e.g. `\"48000.00\"`".to_owned())
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

fn account_upserted(account: &Fields<'_>, at: DateTime<Utc>, problems: &mut Problems) -> AccountInput {
    let changes = AccountChanges {
        name: account.patch("name", problems, fields::line),
        tier: account.patch("tier", problems, fields::name("standard, strategic")),
        owner: account.patch("owner", problems, fields::id),
        customer_success_owner: account.patch("customer_success_owner", problems, fields::id),
    };
    AccountInput::Update { occurred_at: at, changes, unread: Unread::default() }
}

/// Reads a signal of churn.
pub(crate) fn churn_signal(
    account: &Fields<'_>,
    at: DateTime<Utc>,
    problems: &mut Problems,
) -> Option<AccountInput> {
    let signal =
        account.required("signal", problems, fields::name("usage_down, ticket_spike, stakeholder_left"));
    let evidence = account.required("evidence", problems, evidence);
    Some(AccountInput::Signal {
        occurred_at: at,
        signal: signal?,
        evidence: Some(evidence?),
        unread: Unread::default(),
    })
}

/// Evidence is the source's own, kept as a JSON text; a number in it is a whole one or a string.
fn evidence(value: &Value) -> Result<String, String> {
    if serde_json::to_vec(value).map_or(usize::MAX, |json| json.len()) > EVIDENCE_BYTES_MAX {
        return Err(format!("is more than {EVIDENCE_BYTES_MAX} bytes of JSON"));
    }
    if value.is_null() {
        return Err("is missing".to_owned());
    }
    Ok(exact(value).to_string())
}

fn exact(value: &Value) -> Value {
    match value {
        Value::Number(n) if !n.is_i64() && !n.is_u64() => Value::String(n.to_string()),
        Value::Array(items) => items.iter().map(exact).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), exact(v))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn documented() -> Value {
        json!({"id":"evt_0001","type":"lead.upserted","occurred_at":"2026-03-02T14:00:00Z",
            "lead":{"id":"L-1001","source":"inbound_web","market":"us","country":"US","company":"Acme","account_id":"A-77",
                "account_tier":"standard","score":72,"deal_size":{"amount":"48000.00","currency":"USD"},
                "state":"NEW","owner":"rep-ana",
                "flags":{"sanctions":[{"match_id":"ofac-123","list":"OFAC-SDN","list_version":"2026-02-27","name":"A. N. Other"}],
                    "pep":[],"adverse_media":[]}}})
    }

    fn pointers(value: &Value) -> Vec<String> {
        read(value).unwrap_err().problems.into_iter().map(|p| p.pointer).collect()
    }

    #[test]
    fn the_documented_example_is_read_whole() {
        let event = read(&documented()).unwrap();
        let Body::Lead(id, lead) = event.body else { panic!("a lead's event") };
        assert_eq!((id.as_str(), event.id.as_str()), ("L-1001", "evt_0001"));
        assert_eq!(lead.matches.len(), 1);
        assert_eq!(lead.state.unwrap().as_str(), "NEW");
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let mut value = documented();
        value["occurred_at"] = json!("2026-03-02 14:00");
        value["lead"]["deal_size"]["amount"] = json!("-1");
        value["lead"]["score"] = json!("72");
        value["lead"]["country"] = json!("us");
        assert_eq!(
            pointers(&value),
            ["/occurred_at", "/lead/country", "/lead/score", "/lead/deal_size/amount"]
        );
        value = documented();
        value["lead"]["deal_size"]["currency"] = json!("XXQ");
        assert_eq!(pointers(&value), ["/lead/deal_size/currency"]);
    }

    #[test]
    fn an_unknown_type_is_refused_and_an_unknown_field_is_told() {
        let mut value = documented();
        value["lead"]["colour"] = json!("blue");
        assert_eq!(warnings(&value), ["/lead/colour is not known here, and was left out"]);
        value["type"] = json!("lead.deleted");
        assert_eq!(pointers(&value), ["/type"]);
        assert_eq!(pointers(&json!([])), [""]);
        assert_eq!(pointers(&json!({})), ["/id", "/occurred_at", "/type"]);
    }

    fn warnings(value: &Value) -> Vec<String> {
        let said = read(value).map_or_else(|refused| refused.warnings, |event| event.warnings);
        said.into_iter().map(|warning| format!("{} {}", warning.pointer, warning.detail)).collect()
    }

    #[test]
    fn what_is_not_understood_is_told_by_its_place_and_not_by_its_content() {
        let mut value = documented();
        value["lead"]["scor"] = json!(99);
        value["lead"]["contact"] = json!({"name": "Kim", "e-mail": "kim@example.test"});
        value["lead"]["deal_size"]["a/b~c"] = json!(1);
        value["lead"]["flags"]["sanctions"][0]["heading"] = json!("secret");
        value["oddity\u{202e}"] = json!(1);
        value["flagged_by"] = json!("cleo");
        let told = warnings(&value);
        for expected in [
            "/lead/scor is not known here, and was left out; did you mean `score`?",
            "/lead/contact/e-mail is not known here, and was left out; did you mean `email`?",
            "/lead/deal_size/a~1b~0c is not known here, and was left out",
            "/oddity\u{fffd} is not known here, and was left out",
        ] {
            assert!(told.iter().any(|warning| warning == expected), "{expected} in {told:#?}");
        }
        assert!(
            told.iter().any(|warning| warning.starts_with("/lead/flags/sanctions/0/heading ")),
            "{told:#?}"
        );
        assert_eq!(told.len(), 5, "{told:#?}");
        assert!(!told.concat().contains("secret") && !told.concat().contains("kim@"));
        let Body::Lead(_, event) = read(&value).unwrap().body else { panic!("a lead's event") };
        assert_eq!((event.unread.members.len(), event.unread.more), (5, 0));
        assert_eq!(event.flagged_by.as_deref(), Some("cleo"), "of whatever event the flag comes with");
    }

    #[test]
    fn what_another_type_of_event_would_take_is_not_taken_in_silence() {
        let moved = json!({"id": "e1", "type": "lead.state_changed", "occurred_at": "2026-03-02T14:00:00Z",
            "flagged_by": "cleo", "lead": {"id": "L-1", "state": "NEW", "score": 9, "flags": null}});
        let told = warnings(&moved);
        assert_eq!(told.len(), 3, "{told:#?}");
        for place in ["/lead/score ", "/lead/flags ", "/flagged_by "] {
            assert!(told.iter().any(|warning| warning.starts_with(place)), "{place} in {told:#?}");
        }
        let mut twice = documented();
        let one = twice["lead"]["flags"]["sanctions"][0].clone();
        twice["lead"]["flags"]["sanctions"].as_array_mut().unwrap().push(one);
        assert_eq!(warnings(&twice), ["/lead/flags/sanctions/1 is there already; the strongest one counts"]);
        let account = json!({"id": "e1", "type": "account.upserted", "occurred_at": "2026-03-02T14:00:00Z",
            "account": {"id": "A-1", "tire": "strategic"}});
        assert_eq!(
            warnings(&account),
            ["/account/tire is not known here, and was left out; did you mean `tier`?"]
        );
    }

    #[test]
    fn a_match_counts_in_an_event_without_an_id_or_of_no_known_type() {
        let mut value = documented();
        value.as_object_mut().unwrap().remove("id");
        let refused = read(&value).unwrap_err();
        assert_eq!((refused.id, refused.matches.len()), (None, 1));
        assert_eq!(refused.subject, Some(Subject::Lead("L-1001".into())));
        value = documented();
        value["type"] = json!("lead.screened");
        let refused = read(&value).unwrap_err();
        assert_eq!(refused.matches.len(), 1);
        assert_eq!(refused.subject, Some(Subject::Lead("L-1001".into())));
    }

    #[test]
    fn two_events_of_one_millisecond_have_an_order() {
        let at = |text: &str| {
            let mut value = documented();
            value["occurred_at"] = json!(text);
            read(&value).unwrap().occurred_at
        };
        assert!(at("2026-03-02T14:00:00.0001Z") < at("2026-03-02T14:00:00.0009Z"));
    }

    #[test]
    fn whom_a_screening_looked_at_is_read_of_what_is_refused_too() {
        let mut value = documented();
        value["lead"]["score"] = json!("many");
        value["lead"]["company"] = json!("Bravo");
        value["lead"]["contact"] = json!({"name": "Bob Stone"});
        let NamedParty { company, contact, occurred_at, .. } = read(&value).unwrap_err().named;
        assert_eq!(company, Patch::Set("Bravo".to_owned()));
        assert_eq!(contact.as_set().unwrap().name.as_deref(), Some("Bob Stone"));
        assert_eq!(occurred_at.unwrap().to_rfc3339(), "2026-03-02T14:00:00+00:00");
        // What cannot be read is nobody whom anybody was cleared for.
        value["lead"]["company"] = json!(["Acme"]);
        assert!(read(&value).unwrap_err().named.unreadable);
        // An event that takes no company over says all the same of whom it was found.
        value = documented();
        value["type"] = json!("lead.flagged");
        let Body::Lead(_, event) = read(&value).unwrap().body else { panic!("a lead's event") };
        assert_eq!(event.named_party().company, Patch::Set("Acme".to_owned()));
        // Without a match nobody asks.
        value = documented();
        value["lead"]["flags"] = json!({});
        value["lead"]["score"] = json!("many");
        assert_eq!(read(&value).unwrap_err().named, NamedParty::default());
    }

    #[test]
    fn a_refusal_says_whose_record_it_belongs_to() {
        let mut value = documented();
        value["lead"]["score"] = json!(-1);
        let refused = read(&value).unwrap_err();
        assert_eq!(refused.subject, Some(Subject::Lead("L-1001".into())));
    }
}
