//! The one way in: what can be asked of a lead.

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
    /// Who brings it.
    pub actor: Actor,
    /// Its identity: the same input has the same, however often it comes.
    pub cause: String,
    /// What it is.
    pub input: Input,
}

/// What can be asked of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// A source says something of it.
    Event(Box<LeadEvent>),
    /// Something may be due.
    Wake,
    /// A source said something that is no event; the refusal belongs into the record.
    RefusedAtDoor {
        /// The field.
        field: String,
        /// What stands there and what would be right.
        why: String,
        /// What a screening found, as far as it could be read: it counts all the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        matches: Vec<Match>,
        /// Who raised the matches by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flagged_by: Option<String>,
        /// Whom they are about.
        #[serde(default, skip_serializing_if = "NamedParty::is_empty")]
        named: NamedParty,
    },
    /// What it knows of its account may be old.
    ApplyAccount,
    /// A rep of its team may have room: it waits for one.
    Offer,
    /// Its owner may be away, or back.
    OwnerPresence,
    /// An officer decides on its review.
    Decide(ReviewDecision),
    /// An officer asks to open the review again after a rejection.
    Reopen(Reopening),
    /// Operations deals with it.
    Resolve(Resolution),
    /// Its personal data is to be erased.
    Erase(Erasure),
    /// A notification reached its recipient, or did not.
    Delivery(Delivery),
}

impl Input {
    /// A refusal in which no screening found anything.
    pub fn refused(field: String, why: String) -> Self {
        let (matches, flagged_by, named) = (Vec::new(), None, NamedParty::default());
        Self::RefusedAtDoor { field, why, matches, flagged_by, named }
    }
}

/// What a source says of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadEvent {
    /// When it was so, by the source's time.
    pub occurred_at: DateTime<Utc>,
    /// Whether a lead that is not known begins with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub creates: bool,
    /// Changes of the profile.
    #[serde(default, skip_serializing_if = "ProfileChanges::is_empty")]
    pub changes: ProfileChanges,
    /// Changes of the contact.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub contact: Patch<Contact>,
    /// The state it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateId>,
    /// Until when it is on hold.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub hold_until: Patch<DateTime<Utc>>,
    /// Whether the customer is to act next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_on_customer: Option<bool>,
    /// Its owner.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub owner: Patch<PersonId>,
    /// What a screening found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Match>,
    /// Who raised the matches by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged_by: Option<String>,
    /// Whom it names where that is not taken over.
    #[serde(default, skip_serializing_if = "NamedParty::is_empty")]
    pub named: NamedParty,
    /// What nobody here understood of it.
    #[serde(default, skip_serializing_if = "Unread::is_empty")]
    pub unread: Unread,
    /// The digest of all that the source said, where this is only what it may write: what it may write
    /// changes, and what it said under this id does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl LeadEvent {
    /// An event that says nothing yet.
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

    /// Whom its matches are about; nobody, if there are none.
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
    /// What.
    pub verdict: Verdict,
    /// One of the policy's reason codes.
    pub reason_code: String,
    /// In words.
    pub reason: String,
    /// The officer, by the token's subject.
    pub officer: String,
    /// Further names the officer goes by (person in the directory, user name, e-mail): whoever
    /// raised a flag under any of them cannot decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_known_as: Vec<String>,
    /// The officer as a person of the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The revision of the review that the officer saw.
    pub revision: u64,
}

/// An officer asks to open the review of a rejected lead again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// Why, in words.
    pub reason: String,
    /// The officer, by the token's subject.
    pub officer: String,
    /// Further names the officer goes by, as in a decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_known_as: Vec<String>,
    /// The officer as a person of the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The revision of the rejection that the officer saw.
    pub revision: u64,
}

/// All names that an officer goes by.
pub(crate) struct Officer<'a>(Vec<&'a str>);

impl<'a> Officer<'a> {
    fn new(subject: &'a str, also_known_as: &'a [String], person: Option<&'a PersonId>) -> Self {
        let names = also_known_as.iter().map(String::as_str).chain([subject]);
        Self(names.chain(person.map(PersonId::as_str)).collect())
    }

    /// Whether a name is one of theirs. A source may write it as it likes: names compare
    /// case-insensitively.
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

/// How operations deals with a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What is done.
    #[serde(flatten)]
    pub action: ResolutionAction,
    /// In words.
    pub note: String,
    /// The last entry of the lead that the person had seen. What came into the queue after it is not
    /// resolved with the rest; absent: everything that is in the queue is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
}

/// What operations can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "resolution", rename_all = "kebab-case")]
pub enum ResolutionAction {
    /// Nothing is to be done (any more).
    Dismiss,
    /// A rep gets it.
    Assign {
        /// Who.
        rep: PersonId,
    },
    /// The market is this; it is routed there if nobody owns it.
    SetMarket {
        /// Which.
        market: MarketId,
    },
}

/// A request to erase a lead's personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Under what the request is filed.
    pub reference: String,
    /// Why, in words.
    pub reason: String,
}
