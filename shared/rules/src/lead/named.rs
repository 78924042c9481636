//! Whom a lead names, as a screening sees it.

use super::party::{NamedParty, ScreenedParty};
use super::state::Lead;
use crate::personal::fingerprint_of;
use crate::screening::{Criterion, CriterionKind};

impl ScreenedParty {
    /// Whom a lead names now, as far as a criterion is about them. A jurisdiction is about the
    /// company; who works there changes nothing in it.
    pub fn of(lead: &Lead, criterion: &Criterion) -> Self {
        let is_about_people = criterion.kind != CriterionKind::Jurisdiction;
        let contact = lead.personal.contact.as_ref().filter(|_| is_about_people);
        Self { company: lead.profile.company.clone(), contact: contact.and_then(fingerprint_of) }
    }
}

impl NamedParty {
    /// Whom a match of a lead was found of, and whether that is known: an event from before the lead's company
    /// was said is of a company that nobody remembers, and of an erased lead nobody knows the contact.
    pub(crate) fn screened(&self, lead: &Lead, criterion: &Criterion) -> (ScreenedParty, bool) {
        let now = ScreenedParty::of(lead, criterion);
        let is_known = |field: &str| {
            let since = lead.known_since(field);
            since.is_none_or(|since| self.occurred_at.is_some_and(|at| since <= at))
        };
        let company = match self.company.outcome() {
            Some(company) => Some(company.cloned()),
            None => is_known("company").then_some(now.company),
        };
        let contact = match self.contact.outcome() {
            _ if criterion.kind == CriterionKind::Jurisdiction => Some(None),
            _ if lead.is_erased() => None,
            Some(contact) => Some(contact.and_then(fingerprint_of)),
            None => is_known("contact").then_some(now.contact),
        };
        let is_known = company.is_some() && contact.is_some() && !self.unreadable;
        (ScreenedParty { company: company.flatten(), contact: contact.flatten() }, is_known)
    }
}
