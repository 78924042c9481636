//! The text that is the same for every policy.

/// The introduction.
pub(super) const INTRODUCTION: &str = "\
Leadwatch watches the leads of a sales organization, from the events that a CRM posts. No lead goes unanswered, and no
held lead is worked. It notifies people when they have to act, and reassigns leads when they do not. Five workflows do
this independently on the same lead. The audit records everything that they do, with the version of the workflow, and
nobody can change it afterwards.
";

/// How Leadwatch measures time.
pub(super) const TIME: &str = "
## Time

Windows are **working time** on the calendar of the lead's market. Time outside its hours, on a holiday or on the weekend
does not count. `30m` and `4h` are minutes and hours of working time; `5bd` is five business days of the calendar. A window
on the calendar `always` counts around the clock. A lead reaches a step at 80 % of a `2h` window after 1 hour and 36 minutes
of working time.

A **clock** starts when a lead enters a state. It pauses while the lead is on hold, while the customer is to act next, and
while outreach to the account is paused; then it continues. A new owner starts a new clock for `sla-breach`, but not for
`stuck-lead`. A clock reaches each step once. If it passed several steps before Leadwatch could act, for example during an
outage, Leadwatch acts on the highest and records the others as superseded.
";

/// How to read the audit of a lead.
pub(super) const AUDIT: &str = "
## How to read the audit

The audit of a lead lists what happened to it, in order. Each entry has these fields:

| field | meaning |
| --- | --- |
| `subject`, `seq` | what the entry is about, and its place in the list |
| `at` | when it took effect |
| `due_at` | when it was due, if a clock caused it |
| `actor`, `cause` | who or what caused it, and the event or request |
| `workflow` | the workflow, its version and its step, if a workflow caused it |
| `policy_revision` | the policy revision in force |
| `type`, `data` | what happened, with details |

| type | what happened |
| --- | --- |
| `lead.created`, `lead.updated` | the CRM reported the lead, or a change of it |
| `state.changed` | the lead changed its state |
| `threshold.reached` | a clock reached a step; the actions follow |
| `threshold.superseded` | a clock passed a step without action, and why |
| `breach.recorded` | the window ended before the lead moved on |
| `breach.excused` | the CRM reported later that the lead had moved on in time |
| `rules.applied` | a publication changed when the lead is due |
| `lead.assigned`, `lead.reassigned` | a rep got the lead, from nobody or from another rep |
| `reassignment.impossible` | no other rep could take the lead, and why |
| `operations.queued`, `operations.resolved` | the lead entered the operations queue, and how operations resolved it |
| `high-value.flagged`, `high-value.rearmed` | the lead became a high-value lead, or stopped being one |
| `compliance.held`, `compliance.matched` | compliance held the lead, and for which match |
| `review.decided` | an officer decided the review |
| `lead.erased` | Leadwatch erased the personal data, on request or after the retention period |
| `notification.requested`, `notification.delivered` | a person is to get a message, and got it |
| `input.refused`, `input.stale` | Leadwatch did not apply an input: it is not allowed, or it is outdated |
| `input.not-understood` | an input had unknown fields; Leadwatch applied the others |

## Glossary

";

/// The glossary.
pub(super) const GLOSSARY: &str = "\
| term | meaning |
| --- | --- |
| account | a company that leads belong to |
| breach | a window that ended before the lead moved on |
| business day | the amount of working time that a calendar counts as one day |
| clearance | a decision of compliance that a lead may be worked |
| clock | measures how long a lead waits; it can pause |
| desk | a group with a channel of its own: compliance or operations |
| directory | the calendars, markets, teams and people; a document with revisions |
| hold | a state in which nobody works the lead for now |
| lead | a potential buyer in the CRM |
| market | where a lead is; it has a calendar, a team and the countries that it is licensed for |
| operations queue | leads that a person must look at, because no rule can decide |
| owner | the rep who works the lead |
| policy | this document: states, windows, steps and their actions |
| quarantine | a lead without a known market waits in the operations queue, and no rep gets it |
| quiet hours | the hours in which a person gets no direct messages |
| rep | a member of a team who works leads, up to a capacity |
| review | a held lead that waits for an officer's decision |
| revision | a published policy or directory; it never changes |
| source | where a lead came from |
| step | a share of a window at which Leadwatch acts; also called a threshold |
| version | counts the changes of a workflow's content |
| window | how long a lead may stay in a state |
";
