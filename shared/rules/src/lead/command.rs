//! Commands to a lead: every change starts with one.

use crate::entry::Actor;
use crate::lead::party::NamedParty;
use crate::lead::profile::ProfileChanges;
use crate::notification::Delivery;
use crate::patch::Patch;
use crate::personal::Contact;
use crate::screening::Match;
use crate::unread::Unread;
use chrono::{DateTime, Utc};
use policy::Verdict;
use policy::ids::{LeadId, MarketId, PersonId, StateId};
use serde::{Deserialize, Serialize};

/// An input to a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The lead.
    pub lead: LeadId,
    /// The sender.
    pub actor: Actor,
    /// Its id: the same on every repetition of the input.
    pub cause: String,
    /// The input.
    pub input: Input,
}

/// The inputs to a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// An event of a source.
    Event(Box<LeadEvent>),
    /// A timer may be due.
    Wake,
    /// A source sent something that is not a valid event; the refusal is recorded.
    RefusedAtDoor {
        /// The field.
        field: String,
        /// What is wrong, and what to send.
        why: String,
        /// The matches that could be read. They count even so.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        matches: Vec<Match>,
        /// The person who flagged them by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flagged_by: Option<String>,
        /// The company and contact that they are about.
        #[serde(default, skip_serializing_if = "NamedParty::is_empty")]
        named: NamedParty,
    },
    /// Its account may have changed.
    ApplyAccount,
    /// A rep on its team may have room for it.
    Offer,
    /// Its owner may be away or back.
    OwnerPresence,
    /// An officer decides on its review.
    Decide(ReviewDecision),
    /// An officer asks to reopen the review after a rejection.
    Reopen(Reopening),
    /// Operations resolves its queue entries.
    Resolve(Resolution),
    /// A request to erase its personal data.
    Erase(Erasure),
    /// The outcome of a notification.
    Delivery(Delivery),
}

impl Input {
    /// A refusal without matches.
    pub fn refused(field: String, why: String) -> Self {
        let (matches, flagged_by, named) = (Vec::new(), None, NamedParty::default());
        Self::RefusedAtDoor { field, why, matches, flagged_by, named }
    }
}

/// An event about a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadEvent {
    /// The source's time.
    pub occurred_at: DateTime<Utc>,
    /// Whether it creates an unknown lead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub creates: bool,
    /// Changes of the profile.
    #[serde(default, skip_serializing_if = "ProfileChanges::is_empty")]
    pub changes: ProfileChanges,
    /// Changes of the contact.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub contact: Patch<Contact>,
    /// The state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateId>,
    /// The end of the hold.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub hold_until: Patch<DateTime<Utc>>,
    /// Whether the customer must act next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_on_customer: Option<bool>,
    /// Its owner.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub owner: Patch<PersonId>,
    /// The matches of a screening.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Match>,
    /// The person who flagged the matches by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged_by: Option<String>,
    /// The company and contact that it names without changing the lead's.
    #[serde(default, skip_serializing_if = "NamedParty::is_empty")]
    pub named: NamedParty,
    /// Its unknown members.
    #[serde(default, skip_serializing_if = "Unread::is_empty")]
    pub unread: Unread,
    /// The digest of everything that the source sent, if this is only the part that it may write. Its rights can
    /// change, and the content under this id cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl LeadEvent {
    /// An empty event.
    pub fn at(occurred_at: DateTime<Utc>) -> Self {
        Self {
            occurred_at,
            creates: false,
            changes: ProfileChanges::default(),
            contact: Patch::Keep,
            state: None,
            hold_until: Patch::Keep,
            waiting_on_customer: None,
            owner: Patch::Keep,
            matches: Vec::new(),
            flagged_by: None,
            named: NamedParty::default(),
            unread: Unread::default(),
            said: None,
        }
    }

    /// The company and contact that its matches are about, if it has any.
    pub fn named_party(&self) -> NamedParty {
        if self.matches.is_empty() {
            return NamedParty::default();
        }
        let Self { changes, contact, named, occurred_at, .. } = self;
        let company = if changes.company.is_keep() { &named.company } else { &changes.company };
        let contact = if contact.is_keep() { &named.contact } else { contact };
        NamedParty {
            company: company.clone(),
            contact: contact.clone(),
            occurred_at: Some(*occurred_at),
            unreadable: named.unreadable,
        }
    }
}

/// An officer's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewDecision {
    /// The verdict.
    pub verdict: Verdict,
    /// One of the policy's reason codes.
    pub reason_code: String,
    /// The text.
    pub reason: String,
    /// The officer, by the token's subject.
    pub officer: String,
    /// Other names of the officer (directory id, user name, email address). An officer who raised a flag under any
    /// of them cannot decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_known_as: Vec<String>,
    /// The officer as a person in the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The revision of the review that the officer saw.
    pub revision: u64,
}

/// An officer's request to reopen the review of a rejected lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// Why, in words.
    pub reason: String,
    /// The officer, by the token's subject.
    pub officer: String,
    /// Other names of the officer, as in a decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_known_as: Vec<String>,
    /// The officer as a person in the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The revision of the rejection that the officer saw.
    pub revision: u64,
}

/// All names of an officer.
pub(crate) struct Officer<'a>(Vec<&'a str>);

impl<'a> Officer<'a> {
    fn new(subject: &'a str, also_known_as: &'a [String], person: Option<&'a PersonId>) -> Self {
        let names = also_known_as.iter().map(String::as_str).chain([subject]);
        Self(names.chain(person.map(PersonId::as_str)).collect())
    }

    /// Whether a name is one of theirs. Names compare case-insensitively.
    pub fn is(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        self.0.iter().any(|own| own.trim().to_lowercase() == name)
    }
}

impl ReviewDecision {
    pub(crate) fn officer(&self) -> Officer<'_> {
        Officer::new(&self.officer, &self.also_known_as, self.person.as_ref())
    }
}

impl Reopening {
    pub(crate) fn officer(&self) -> Officer<'_> {
        Officer::new(&self.officer, &self.also_known_as, self.person.as_ref())
    }
}

/// Operations' resolution of a lead's queue entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The action.
    #[serde(flatten)]
    pub action: ResolutionAction,
    /// The text.
    pub note: String,
    /// The last entry that the person had seen. Reasons queued after it stay. Absent: all reasons are resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
}

/// The actions of operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "resolution", rename_all = "kebab-case")]
pub enum ResolutionAction {
    /// Nothing needs to be done.
    Dismiss,
    /// Assigns it to a rep.
    Assign {
        /// Who.
        rep: PersonId,
    },
    /// Sets the market, and routes the lead there if nobody owns it.
    SetMarket {
        /// Which.
        market: MarketId,
    },
}

/// A request to erase a lead's personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The reference under which the request is filed.
    pub reference: String,
    /// Why, in words.
    pub reason: String,
}
