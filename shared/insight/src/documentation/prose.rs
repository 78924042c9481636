//! What is the same for every policy: how to read what Leadwatch does.

/// What it is, before anything else.
pub(super) const INTRODUCTION: &str = "\
Leadwatch watches the leads of a sales organisation. A CRM tells it what happens to them. It sees to it that none goes
quiet and that none is worked that must not be; it tells people when they have to act, and hands leads on when they do
not. Five workflows do that, each for itself, on the same lead. All that they do is recorded, with the version of the
workflow that did it, and nobody can change the record afterwards.
";

/// How time is counted.
pub(super) const TIME: &str = "
## Time

Windows are **working time** on the calendar of the lead's market: what is outside its hours, on a holiday or at the
weekend does not count. `30m` and `4h` are minutes and hours of working time; `5bd` is five business days, each as long as
the calendar says. A window that names the calendar `always` counts round the clock. A step at 80 % of a window of `2h` is
reached when 1 hour and 36 minutes of working time have passed.

A **clock** begins when a lead enters a state. It rests while the lead is on hold, while the customer is to act, and while
outreach to its account is paused, and goes on where it was. For `sla-breach` it begins anew when somebody else gets the
lead; for `stuck-lead` it does not. Each step of a clock is reached once. When several were passed before anybody could
act, as after an outage, the highest is acted on, and the others are recorded as superseded.
";

/// How to read the record of a lead.
pub(super) const AUDIT: &str = "
## How to read the record

The record of a lead is the list of what happened to it, in order. Each entry says:

| field | meaning |
| --- | --- |
| `subject`, `seq` | what it is about, and its place in the list |
| `at` | when it took effect |
| `due_at` | when it was due, if a clock brought it about |
| `actor`, `cause` | who or what brought it about, and by which event or request |
| `workflow` | which workflow did it, in which version, at which step; none if no workflow did |
| `policy_revision` | the revision of the policy that was in force |
| `type`, `data` | what happened, and the particulars |

| type | what happened |
| --- | --- |
| `lead.created`, `lead.updated` | the CRM told of the lead, or of something new about it |
| `state.changed` | it went to another state |
| `threshold.reached` | a step was reached; what it does follows |
| `threshold.superseded` | a step was passed and not acted on, and why |
| `breach.recorded` | its window is over |
| `breach.excused` | the CRM tells later that the lead had moved on before its window was over |
| `rules.applied` | a policy or a directory was published, and it waits for another instant now |
| `lead.assigned`, `lead.reassigned` | it was given to a rep, or taken from one and given to another |
| `reassignment.impossible` | it should have gone to somebody else, and why it could not |
| `operations.queued`, `operations.resolved` | it went to the operations queue, and what became of it |
| `high-value.flagged`, `high-value.rearmed` | it is worth more than most, or no longer |
| `compliance.held`, `compliance.matched` | compliance holds it, and for what |
| `review.decided` | an officer decided |
| `lead.erased` | its personal data was erased: somebody asked for it, or it was kept long enough |
| `notification.requested`, `notification.delivered` | somebody is to be told, and was |
| `input.refused`, `input.stale` | what came was not applied: it may not be, or it is older than what is known |
| `input.not-understood` | what came had members that are not known here; the rest of it was applied |

## Words

";

/// What the words mean.
pub(super) const GLOSSARY: &str = "\
| word | meaning |
| --- | --- |
| account | a company that leads belong to |
| breach | a window that is over before the lead moved on |
| business day | as much working time as a calendar says a day has |
| clearance | the decision of compliance that a lead may be worked |
| clock | what measures how long a lead waits; it can rest |
| desk | a group that is told on its channel: compliance, operations |
| directory | the calendars, markets, teams and people, as a document with revisions |
| hold | a state in which nobody works on the lead for now |
| lead | somebody who may buy, as the CRM knows them |
| market | where a lead is: it has a calendar, a team, and the countries that it is licensed for |
| operations queue | leads that a person has to look at, because no rule can decide |
| owner | the rep whose lead it is |
| policy | this document: states, windows, steps, and what is done at them |
| quarantine | a lead whose market nobody can tell waits in the operations queue, and is given to nobody |
| quiet hours | when a person is not told directly |
| rep | somebody in a team who works on leads, so many at a time |
| review | a held lead that waits for an officer's decision |
| revision | a policy or a directory as it was published; it never changes |
| source | where a lead came from |
| step | a share of a window at which something is done; also called a threshold |
| version | counts how often the content of a workflow changed |
| window | how long a lead may be in a state |
";
