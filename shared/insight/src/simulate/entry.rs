//! An entry of any subject, as the history of a simulation has them.

use rules::account::AccountFact;
use rules::entry::Entry;
use rules::lead::LeadFact;
use rules::rep::RepFact;
use serde::Serialize;

/// An entry of any subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "most entries are a lead's")]
pub enum AnyEntry {
    /// An entry of a lead.
    Lead(Entry<LeadFact>),
    /// An entry of an account.
    Account(Entry<AccountFact>),
    /// An entry of a rep.
    Rep(Entry<RepFact>),
}
