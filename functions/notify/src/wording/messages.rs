//! The title and the text of each message, unless the policy has its own.

use super::clean;
use super::clean::{TEXT_MAX, capital};
use super::names;
use super::words::{Words, sentences, shown};
use policy::ids::Subject;
use policy::wording::Placeholder;
use policy::{Message, WorkflowId};

impl Words<'_> {
    /// The title and the text of a message.
    pub fn say(&self, message: Message) -> (String, String) {
        let what = self.what();
        match message {
            Message::SlaWarning => self.warning(&what),
            Message::SlaBreached if !self.is_over() => {
                let (title, text) = self.warning(&what);
                (title, format!("{text} {}", self.owned()))
            }
            Message::SlaBreached => (format!("{what}: SLA breached"), self.breach()),
            Message::LeadTaken => {
                let now = self.p.owner.as_ref().map_or_else(
                    || "Nobody owns it now".to_owned(),
                    |owner| format!("{} has it now", self.name(owner)),
                );
                (format!("{what} was reassigned"), format!("{now}{}.", self.because()))
            }
            Message::LeadGiven => self.given(&what),
            Message::ReassignmentImpossible => (
                format!("{what} could not be reassigned"),
                sentences([
                    self.value(Placeholder::Reasons).map(|reasons| capital(&reasons)),
                    self.elapsed_of_window(),
                    Some(match &self.p.owner {
                        Some(owner) => format!("{} keeps it, and it is in the operations queue", self.name(owner)),
                        None => "It is in the operations queue".to_owned(),
                    }),
                ]),
            ),
            Message::StuckAsk => {
                (format!("{what} is stuck{}", self.in_state()), sentences([
                    self.stay(),
                    Some("Update it or move it on".to_owned()),
                ]))
            }
            Message::Bounced => {
                let back = self.value(Placeholder::Reasons).map(|times| format!(" {times}")).unwrap_or_default();
                let to = self.p.state.as_ref().map(|state| format!(" to {}", shown(state))).unwrap_or_default();
                let text = sentences([Some(format!("It came back{to}{back}")), Some(self.owned())]);
                (format!("{what} keeps coming back{to}"), text)
            }
            Message::StuckManager => {
                (format!("{what} is stuck{}", self.in_state()), sentences([self.stay()]) + " " + &self.owned())
            }
            Message::HighValue => (
                format!("{what} is a high-value lead"),
                sentences([self.value(Placeholder::Reasons).map(|reasons| capital(&reasons))]) + " " + &self.owned(),
            ),
            Message::Held => (
                format!("{what} is held by compliance"),
                "Stop working this lead until compliance has decided.".to_owned(),
            ),
            Message::ReviewNeeded => (format!("{what} needs a compliance review"), self.review()),
            Message::ReviewAgeing => {
                let waited = self.p.elapsed_s.map(|s| format!(" for {}", names::duration(s))).unwrap_or_default();
                (format!("{what} has waited{waited} for a compliance decision"), self.review())
            }
            Message::Cleared => {
                let text = format!("It is{} and can be worked", self.in_state());
                let text = sentences([Some(text), Some(self.owned()), self.due()]);
                (format!("{what} was cleared by compliance"), text)
            }
            Message::ClosedByCompliance => {
                (format!("{what} was closed by compliance"), "Stop working this lead.".to_owned())
            }
            Message::ChurnRisk => (
                format!("{what} is at risk"),
                sentences([
                    self.value(Placeholder::Reasons).map(|reasons| capital(&reasons)),
                    Some("A retention touchpoint is scheduled".to_owned()),
                ]),
            ),
            Message::PublicationDigest => (
                match self.p.published_by.as_deref() {
                    Some(by) => {
                        let by = names::people(self.directory, std::iter::once(by));
                        format!("{what}, published by {by}, is in force")
                    }
                    None => format!("{what} is in force"),
                },
                sentences([
                    Some("Leads had already passed these thresholds when the new rules came into force, and nobody is told of each".to_owned()),
                    self.passed(),
                ]),
            ),
            Message::ChangedHands => {
                let reasons = self.value(Placeholder::Reasons).map(|reasons| capital(&reasons));
                match self.subject {
                    Subject::Rep(rep) => {
                        (format!("Absence of {}", self.name(rep)), sentences([reasons]))
                    }
                    _ => (
                        "Leads have changed owner".to_owned(),
                        sentences([Some("Their owner left".to_owned()), reasons]),
                    ),
                }
            }
            Message::TouchpointDue => (
                format!("{what}: the retention touchpoint is due"),
                "Contact the customer now.".to_owned(),
            ),
        }
    }

    fn warning(&self, what: &str) -> (String, String) {
        let act = Some("Move the lead on, or mark it as waiting".to_owned());
        let title = match (self.is_over(), self.value(Placeholder::Left)) {
            (true, _) => format!("{what}: the SLA window is over"),
            (false, Some(left)) => format!("{what}: {left} left"),
            (false, None) => format!("{what}: the SLA window ends soon"),
        };
        (title, sentences([self.due(), act, self.elapsed_of_window()]))
    }

    fn breach(&self) -> String {
        let (owner, since) = (self.p.owner.as_ref(), self.told);
        let is_past = self.is_report_of_the_past();
        let owned = match (owner, is_past) {
            (Some(owner), true) => format!("{} owned it", self.name(owner)),
            (Some(owner), false) if since.owner_not_told => {
                format!("{} owns it, and is told when their quiet hours end", self.name(owner))
            }
            (Some(owner), false) => format!("{} owns it", self.name(owner)),
            (None, true) => "Nobody owned it".to_owned(),
            (None, false) => "Nobody owns it".to_owned(),
        };
        let became = match (&since.moved_to, &since.went_to) {
            (Some(state), Some(owner)) => {
                Some(format!("It has moved on to {} since, and {} has it", shown(state), self.name(owner)))
            }
            (Some(state), None) => Some(format!("It has moved on to {} since", shown(state))),
            (None, Some(owner)) => Some(format!("{} has it now", self.name(owner))),
            (None, None) => None,
        };
        sentences([self.elapsed_of_window(), Some(owned), became])
    }

    fn given(&self, what: &str) -> (String, String) {
        let from = self.p.previous_owner.as_ref().map(|previous| self.name(previous));
        let is_for_its_owner = self.is_for_its_owner();
        let owner = match (&self.p.owner, is_for_its_owner) {
            (_, true) => "you".to_owned(),
            (Some(owner), false) => self.name(owner),
            (None, false) => "a rep".to_owned(),
        };
        let title = match (is_for_its_owner, &from) {
            (true, None) => format!("{what} is yours"),
            (true, Some(_)) => format!("{what} is yours now"),
            (false, _) => format!("{what} went to {owner}"),
        };
        let text = match from {
            Some(from) => format!("It went from {from} to {owner}{}", self.because()),
            None => match &self.p.state {
                Some(state) => format!("It is in {} and was assigned to {owner}", shown(state)),
                None => format!("It was assigned to {owner}"),
            },
        };
        (title, sentences([Some(text), self.due()]))
    }

    fn review(&self) -> String {
        let reasons = self.value(Placeholder::Reasons).map(|reasons| capital(&reasons));
        if self.p.criteria.is_empty() {
            return sentences([reasons, Some("Open the review for the details".to_owned())]);
        }
        let owner = self.p.owner.as_ref().map(|owner| format!("Would-be owner: {}", self.name(owner)));
        let by = self.p.flagged_by.as_ref();
        let by = by.map(|by| format!("Flagged by {}", names::people(self.directory, by.split(", "))));
        sentences([reasons, owner, by, Some("The contact's details are in the review".to_owned())])
    }

    /// The thresholds that a publication made passed; the record names each `workflow/step: leads`.
    fn passed(&self) -> Option<String> {
        let in_words = |line: &String| {
            let line = clean::line(line, TEXT_MAX)?;
            Some(match line.split_once('/') {
                Some((workflow, rest)) => match WorkflowId::ALL.iter().find(|id| id.as_str() == workflow) {
                    Some(id) => format!("{}, {rest}", workflow_name(*id)),
                    None => line,
                },
                None => line,
            })
        };
        let lines: Vec<String> = self.p.reasons.iter().filter_map(in_words).collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    }

    fn because(&self) -> String {
        match (self.value(Placeholder::Reasons), self.value(Placeholder::Elapsed)) {
            (Some(reasons), _) => format!(": {reasons}"),
            (None, Some(elapsed)) => format!(" after {elapsed} of working time{}", self.in_state()),
            (None, None) => String::new(),
        }
    }
}

fn workflow_name(id: WorkflowId) -> &'static str {
    match id {
        WorkflowId::SlaBreach => "SLA",
        WorkflowId::StuckLead => "Stuck lead",
        WorkflowId::HighValue => "High value",
        WorkflowId::ComplianceFlag => "Compliance",
        WorkflowId::ChurnRisk => "Churn risk",
    }
}
