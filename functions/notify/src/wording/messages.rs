//! The title and the text of each message, unless the policy has its own.

use super::clean;
use super::clean::{TEXT_MAX, capital};
use super::names;
use super::phrases::{Phrases, sentences, shown};
use policy::ids::Subject;
use policy::wording::Placeholder;
use policy::{Message, WorkflowId};

impl Phrases<'_> {
    /// The title and the text of a message.
    pub fn title_and_text(&self, message: Message) -> (String, String) {
        let subject = self.subject();
        match message {
            Message::SlaWarning => self.warning(&subject),
            Message::SlaBreached if !self.is_over() => {
                let (title, text) = self.warning(&subject);
                (title, format!("{text} {}", self.owned()))
            }
            Message::SlaBreached => (format!("{subject}: SLA breached"), self.breach()),
            Message::LeadTaken => {
                let now = self.facts.owner.as_ref().map_or_else(
                    || "Nobody owns it now".to_owned(),
                    |owner| format!("{} owns it now", self.person(owner)),
                );
                (format!("{subject} was reassigned"), format!("{now}{}.", self.because()))
            }
            Message::LeadGiven => self.given(&subject),
            Message::ReassignmentImpossible => (
                format!("{subject} could not be reassigned"),
                sentences([
                    self.reasons(),
                    self.elapsed_of_window(),
                    Some(match &self.facts.owner {
                        Some(owner) => {
                            format!("{} keeps it, and it is in the operations queue", self.person(owner))
                        }
                        None => "It is in the operations queue".to_owned(),
                    }),
                ]),
            ),
            Message::StuckAsk => (
                format!("{subject} is stuck{}", self.in_state()),
                sentences([self.stay(), Some("Update it or move it on".to_owned())]),
            ),
            Message::StuckManager => (
                format!("{subject} is stuck{}", self.in_state()),
                sentences([self.stay()]) + " " + &self.owned(),
            ),
            Message::Bounced => {
                let back =
                    self.value(Placeholder::Reasons).map(|times| format!(" {times}")).unwrap_or_default();
                let to =
                    self.facts.state.as_ref().map(|state| format!(" to {}", shown(state.as_str()))).unwrap_or_default();
                let text = sentences([Some(format!("It came back{to}{back}")), Some(self.owned())]);
                (format!("{subject} keeps coming back{to}"), text)
            }
            Message::HighValue => (
                format!("{subject} is a high-value lead"),
                sentences([self.reasons()]) + " " + &self.owned(),
            ),
            Message::Held => (
                format!("{subject} is held by compliance"),
                "Stop working this lead until compliance has decided.".to_owned(),
            ),
            Message::ReviewNeeded => (format!("{subject} needs a compliance review"), self.review()),
            Message::ReviewAgeing => {
                let waited =
                    self.facts.elapsed_s.map(|s| format!(" {}", names::duration(s))).unwrap_or_default();
                (format!("{subject} has waited{waited} for a compliance decision"), self.review())
            }
            Message::Cleared => {
                let text = format!("It is{} and can be worked", self.in_state());
                let text = sentences([Some(text), Some(self.owned()), self.due(), self.act_if_due()]);
                (format!("{subject} was cleared by compliance"), text)
            }
            Message::ClosedByCompliance => {
                (format!("{subject} was closed by compliance"), "Stop working this lead.".to_owned())
            }
            Message::ChurnRisk => (
                format!("{subject} is at risk"),
                sentences([self.reasons(), Some("A retention touchpoint is scheduled".to_owned())]),
            ),
            Message::PublicationDigest => (
                match self.facts.published_by.as_deref() {
                    Some(by) => {
                        let by = names::people(self.directory, std::iter::once(by));
                        format!("{subject}, published by {by}, is in force")
                    }
                    None => format!("{subject} is in force"),
                },
                sentences([
                    Some(
                        "Leads had already passed these thresholds when it took effect, so no message goes out for each of them"
                            .to_owned(),
                    ),
                    self.passed(),
                ]),
            ),
            Message::ChangedHands => match self.subject {
                Subject::Rep(rep) => (format!("Absence of {}", self.person(rep)), sentences([self.reasons()])),
                _ => (
                    "Leads have changed owner".to_owned(),
                    sentences([Some("Their owner left".to_owned()), self.reasons()]),
                ),
            },
            Message::TouchpointDue => (
                format!("{subject}: the retention touchpoint is due"),
                "Contact the customer now.".to_owned(),
            ),
        }
    }

    fn warning(&self, subject: &str) -> (String, String) {
        let title = match (self.is_over(), self.value(Placeholder::Left)) {
            (true, _) => format!("{subject}: the SLA window is over"),
            (false, Some(left)) => format!("{subject}: {left} left"),
            (false, None) => format!("{subject}: the SLA window ends soon"),
        };
        (title, sentences([self.due(), self.act(), self.elapsed_of_window()]))
    }

    fn breach(&self) -> String {
        let (owner, since) = (self.facts.owner.as_ref(), self.told);
        let is_past = self.is_report_of_the_past();
        let owned = match (owner, is_past) {
            (Some(owner), true) => format!("{} owned it", self.person(owner)),
            (Some(owner), false) if since.owner_not_told => {
                format!("{} owns it, and gets a message when their quiet hours end", self.person(owner))
            }
            (Some(owner), false) => format!("{} owns it", self.person(owner)),
            (None, true) => "Nobody owned it".to_owned(),
            (None, false) => "Nobody owns it".to_owned(),
        };
        let became = match (&since.moved_to, &since.went_to) {
            (Some(state), Some(owner)) => Some(format!(
                "It has since moved to {}, and {} owns it now",
                shown(state),
                self.person(owner)
            )),
            (Some(state), None) => Some(format!("It has since moved to {}", shown(state))),
            (None, Some(owner)) => Some(format!("{} owns it now", self.person(owner))),
            (None, None) => None,
        };
        sentences([self.elapsed_of_window(), Some(owned), became])
    }

    fn given(&self, subject: &str) -> (String, String) {
        let from = self.facts.previous_owner.as_ref().map(|previous| self.person(previous));
        let is_for_its_owner = self.is_for_its_owner();
        let owner = match (&self.facts.owner, is_for_its_owner) {
            (_, true) => "you".to_owned(),
            (Some(owner), false) => self.person(owner),
            (None, false) => "a rep".to_owned(),
        };
        let title = match (is_for_its_owner, &from) {
            (true, None) => format!("{subject} is yours"),
            (true, Some(_)) => format!("{subject} is yours now"),
            (false, _) => format!("{subject} went to {owner}"),
        };
        let text = match from {
            Some(from) => format!("It was reassigned from {from} to {owner}{}", self.because()),
            None => match &self.facts.state {
                Some(state) => format!("It is in {} and was assigned to {owner}", shown(state.as_str())),
                None => format!("It was assigned to {owner}"),
            },
        };
        (title, sentences([Some(text), self.due(), self.act_if_due()]))
    }

    fn review(&self) -> String {
        if self.facts.criteria.is_empty() {
            return sentences([self.reasons(), Some("Open the review for the details".to_owned())]);
        }
        let owner = self.facts.owner.as_ref();
        let owner = owner.map(|owner| format!("Would-be owner: {}", self.person(owner)));
        // A flag already names the people who raised it.
        let is_named = self.facts.criteria.iter().any(names::is_raised_by_hand);
        let by = self.flagged_by().filter(|_| !is_named).map(|by| format!("Flagged by {by}"));
        sentences([self.reasons(), owner, by, Some("The contact's details are in the review".to_owned())])
    }

    /// The thresholds that leads had passed before a publication; each reason is `workflow/step: leads`.
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
        let lines: Vec<String> = self.facts.reasons.iter().filter_map(in_words).collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    }

    fn reasons(&self) -> Option<String> {
        self.value(Placeholder::Reasons).map(|reasons| capital(&reasons))
    }

    fn because(&self) -> String {
        match (self.value(Placeholder::Reasons), self.value(Placeholder::Elapsed)) {
            (Some(reasons), _) => format!(": {reasons}"),
            (None, Some(elapsed)) => format!(", after {elapsed}{} (business hours)", self.in_state()),
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
