//! The table of who sees what: each member of each kind of audit entry, of a lead, of an account, of an
//! explanation, and of a message. The API, the event bus, messages and the command line use it.
//!
//! A row has a subject, an audience, and the members. A dot separates a member from the one around it; `*`
//! stands for any name. A row that hides a member hides everything inside it. A row that shows a member shows
//! only that member.
//!
//! **Only compliance and operations see a member that no row names.** A test fails until the table names it.

use super::audience::Audience::{self, Everyone, Judges, MustKnow, Sealed, Staff};

/// One row of the table.
pub type Row = (&'static str, Audience, &'static str);

/// The members of every audit entry beside its data. The actor and the cause have their own rows.
pub const ENTRY: &str = "every entry";
/// An entry whose actor is Leadwatch.
pub const BY_SYSTEM: &str = "every entry, by Leadwatch";
/// An entry whose actor is a source of events.
pub const BY_SOURCE: &str = "every entry, by a source";
/// An entry whose actor is a person.
pub const BY_STAFF: &str = "every entry, by a person";
/// An entry of a commit with a confidential entry in it, whose actor is a source or a person.
pub const CONFIDENTIAL_COMMIT: &str = "every entry of a confidential commit";
/// The prefix for an entry's type if the compliance workflow made it and others make that type too.
pub const OF_COMPLIANCE: &str = "compliance: ";
/// A refusal that concerns only sales.
pub const SALES_REFUSAL: &str = "input.refused (of sales)";
/// A lead, as the API shows it.
pub const LEAD: &str = "lead";
/// An account, as the API shows it.
pub const ACCOUNT: &str = "account";
/// The explanation of a lead.
pub const EXPLANATION: &str = "explanation";
/// The particulars of a message to people.
pub const MESSAGE: &str = "message";

/// Types whose entries make a commit confidential, because its actor is part of what compliance knows. Every
/// entry of the compliance workflow does so too, and a refusal that does not concern sales.
pub const CONFIDENTIAL: [&str; 9] = [
    "compliance.matched",
    "compliance.match-remembered",
    "compliance.held",
    "compliance.would-be-owner",
    "review.voted",
    "review.decided",
    "review.reopening-asked",
    "review.reopened",
    "lead.erased",
];

/// The prefixes of Leadwatch's own causes. Any other cause can name a person, even of a timer's entry.
pub const OWN_CAUSES: [&str; 8] =
    ["wake/", "delivery/", "account/", "applied/", "policy/", "directory/", "offer/", "presence/"];

/// A refusal of one of these, or of a part of it, concerns sales. Any other may reveal a match, a review or a
/// person.
pub const SALES_REFUSALS: &[&str] = &[
    "state",
    "owner",
    "no owner",
    "hold_until",
    "waiting_on_customer",
    "assignment to",
    "occurred_at",
    "lead.state",
    "/type",
    "/occurred_at",
    "/lead/source",
    "/lead/market",
    "/lead/country",
    "/lead/company",
    "/lead/account_id",
    "/lead/account_tier",
    "/lead/score",
    "/lead/deal_size",
    "/lead/state",
    "/lead/owner",
    "/lead/hold_until",
    "/lead/waiting_on_customer",
    "/account/name",
    "/account/tier",
    "/account/owner",
    "/account/customer_success_owner",
    "/account/signal",
];

/// The rows.
pub const TABLE: &[Row] = &[
    // Every entry.
    (ENTRY, Everyone, "subject seq commit at due_at type policy_revision directory_revision"),
    (ENTRY, Everyone, "workflow.id workflow.version workflow.step actor.kind"),
    (BY_SYSTEM, Everyone, "actor.id cause"),
    (BY_SOURCE, Everyone, "actor.id cause"),
    (BY_STAFF, Staff, "actor.id cause"),
    (CONFIDENTIAL_COMMIT, MustKnow, "actor.id cause"),
    // Inputs of sources.
    ("lead.created", Everyone, "state kind entered_at history_until occurred_at ours"),
    ("lead.updated", Everyone, "confirmed crm_owner occurred_at"),
    ("lead.updated", Everyone, "changes.source changes.market changes.country changes.company"),
    ("lead.updated", Everyone, "changes.account_id changes.account_tier changes.score"),
    ("lead.updated", Everyone, "changes.deal_size changes.deal_size.amount changes.deal_size.currency"),
    ("lead.updated", Sealed, "personal"),
    ("input.stale", Everyone, "fields occurred_at"),
    ("input.refused", MustKnow, "what why"),
    (SALES_REFUSAL, Everyone, "what why"),
    // The place of a match reveals that there is one.
    ("input.not-understood", MustKnow, "members more"),
    ("state.changed", Everyone, "from to kind entered_at resumed hold_until history_until"),
    ("state.changed", Everyone, "occurred_at ours"),
    ("waiting.changed", Everyone, "waiting_on_customer since occurred_at"),
    ("hold.changed", Everyone, "hold_until since occurred_at"),
    ("hold.entered-from", Everyone, "state kind since occurred_at"),
    ("owner.set", Everyone, "from to team"),
    ("owner.gone", Everyone, "owner because until then"),
    ("owner.back", Everyone, "owner"),
    // Assignment, SLA, stuck leads.
    ("lead.assigned", Everyone, "to team reason told_from"),
    ("lead.reassigned", Everyone, "from to team reassignments"),
    ("reassignment.impossible", Everyone, "reason considered.rep considered.because"),
    ("threshold.reached", Everyone, "clock percent elapsed_s window_s state market owner"),
    ("threshold.superseded", Everyone, "clock percent elapsed_s window_s state market owner by"),
    ("breach.recorded", Everyone, "owner team elapsed_s window_s owner_not_told"),
    ("breach.excused", Everyone, "breach breached_at"),
    ("breach.excused", Everyone, "evidence.what evidence.state evidence.occurred_at evidence.late_s"),
    ("clocks.restarted", Everyone, ""),
    ("lead.bounced", Everyone, "state times since"),
    // Operations.
    ("operations.queued", Everyone, "reason notification"),
    ("operations.settled", Everyone, "reason notification"),
    ("market.set", Everyone, "from to"),
    ("operations.resolved", Everyone, "resolution reasons seen dismissed"),
    ("operations.resolved", Staff, "note"),
    // High value.
    ("high-value.flagged", Everyone, "criteria window_percent"),
    ("high-value.rearmed", Everyone, ""),
    ("priority.raised", Everyone, "to"),
    ("priority.lowered", Everyone, "to"),
    // Compliance. Holds and closures are no secret; reasons, people and matches are.
    ("compliance.held", Everyone, "from"),
    ("compliance.held", MustKnow, "would_be_owner"),
    ("compliance.matched", MustKnow, "criterion screened flagged_by"),
    ("compliance.matched", Sealed, "personal"),
    ("compliance.match-remembered", MustKnow, "criterion flagged_by"),
    ("compliance.would-be-owner", MustKnow, "to"),
    ("review.voted", MustKnow, "verdict reason_code reason officer"),
    ("review.decided", Everyone, "verdict to kind"),
    ("review.decided", MustKnow, "reason_code reason officers criteria lapsed in_review_s"),
    ("review.reopening-asked", MustKnow, "reason officer"),
    ("review.reopened", MustKnow, "reason officers"),
    ("compliance: threshold.reached", Everyone, "clock percent state market"),
    ("compliance: threshold.reached", MustKnow, "elapsed_s window_s owner"),
    ("compliance: threshold.superseded", Everyone, "clock percent state market by"),
    ("compliance: threshold.superseded", MustKnow, "elapsed_s window_s owner"),
    ("compliance: notification.requested", Everyone, "id message to.kind"),
    ("compliance: notification.requested", MustKnow, "to.role to.person to.team to.manager"),
    ("compliance: notification.requested", MustKnow, "particulars about not_before"),
    // Erasure.
    ("lead.erased", Everyone, "basis"),
    ("lead.erased", MustKnow, "reference reason kinds"),
    // Publications.
    ("rules.applied", Everyone, "publication in_force.policy in_force.directory"),
    ("rules.applied", Everyone, "passed.workflow passed.step rearmed.workflow rearmed.step"),
    ("rules.applied", Everyone, "orphaned.from orphaned.to orphaned.kept"),
    ("rules.applied", Staff, "orphaned.name"),
    ("publication.published", Everyone, "base versions.* document_sha256"),
    ("publication.published", Staff, "publisher why changes"),
    ("publication.applied", Everyone, "leads moved passed.team passed.workflow passed.step passed.leads"),
    ("publication.applied", Everyone, "orphaned.team orphaned.from orphaned.to orphaned.kept"),
    ("publication.applied", Everyone, "orphaned.leads orphaned.first"),
    ("publication.applied", Staff, "orphaned.name"),
    // Notifications of sales, operations and publications.
    ("notification.requested", Everyone, "id message not_before about.sla_clock about.visit about.due_at"),
    ("notification.requested", Everyone, "about.review"),
    ("notification.requested", Everyone, "to.kind to.role to.person to.team to.manager"),
    ("notification.requested", Everyone, "particulars.step particulars.state particulars.company"),
    ("notification.requested", Everyone, "particulars.market particulars.owner particulars.previous_owner"),
    ("notification.requested", Everyone, "particulars.elapsed_s particulars.window_s particulars.reasons"),
    ("notification.requested", Everyone, "particulars.instead_of"),
    ("notification.requested", Staff, "particulars.published_by"),
    ("notification.requested", MustKnow, "particulars.criteria particulars.flagged_by"),
    ("notification.delivered", Everyone, "id channel attempts"),
    ("notification.delivered", Staff, "reference"),
    ("notification.withdrawn", Everyone, "id with"),
    ("notification.withdrawn", Staff, "reason"),
    ("notification.failed", Everyone, "id attempts"),
    ("notification.failed", Staff, "reason"),
    ("recipient.unreachable", Everyone, "id"),
    ("recipient.unreachable", MustKnow, "person reason"),
    // Accounts.
    ("account.applied", Everyone, "view.tier view.outreach_paused view.as_of"),
    ("account.created", Everyone, ""),
    ("account.updated", Everyone, "changes.name changes.tier changes.owner changes.customer_success_owner"),
    ("account.updated", Everyone, "confirmed occurred_at"),
    ("churn.signal-recorded", Everyone, "signal occurred_at"),
    ("churn.signal-recorded", Staff, "id"),
    ("churn.signal-recorded", Judges, "personal"),
    ("churn.elevated", Everyone, "tag"),
    ("touchpoint.scheduled", Everyone, "due"),
    ("touchpoint.due", Everyone, ""),
    ("outreach.paused", Everyone, "until"),
    ("outreach.resumed", Everyone, "reason"),
    ("retention.completed", Staff, "note"),
    ("churn.false-positive", Everyone, "signal"),
    ("churn.false-positive", Staff, "id note"),
    ("churn.cleared", Everyone, "reason"),
    ("leads.told", Everyone, "view.tier view.outreach_paused view.as_of leads"),
    // Reps.
    ("rep.availability-set", Everyone, "available until"),
    ("rep.absence-followed", Everyone, "until is_over handed_on.* queued kept"),
    // A lead.
    (LEAD, Everyone, "id seq commit created_at changed_at erased_at said_at.*"),
    (LEAD, Everyone, "source market country company account_id account_tier score"),
    (LEAD, Everyone, "deal_size.amount deal_size.currency"),
    (LEAD, Everyone, "in_force.policy in_force.directory applied.publication"),
    (LEAD, Everyone, "applied.in_force.policy applied.in_force.directory applied.passed.workflow"),
    (LEAD, Everyone, "applied.passed.step applied.rearmed.workflow applied.rearmed.step"),
    (LEAD, Everyone, "state kind entered_at hold_until waiting_on_customer owner crm_owner crm_market"),
    (LEAD, Everyone, "held_from.state held_from.kind held_from.entered_at"),
    (LEAD, Everyone, "hold_ended.state hold_ended.at"),
    (LEAD, Everyone, "visit.reassignments visit.taken_from left.state"),
    (LEAD, Everyone, "visit.sla.number visit.sla.ran.from visit.sla.ran.to visit.sla.passed"),
    (LEAD, Everyone, "visit.sla.unheard visit.sla.window_percent visit.sla.history_until"),
    (LEAD, Everyone, "visit.stuck.number visit.stuck.ran.from visit.stuck.ran.to visit.stuck.passed"),
    (LEAD, Everyone, "visit.stuck.unheard visit.stuck.window_percent visit.stuck.history_until"),
    (LEAD, Everyone, "left.visit.reassignments left.visit.taken_from"),
    (LEAD, Everyone, "left.visit.sla.number left.visit.sla.ran.from left.visit.sla.ran.to"),
    (LEAD, Everyone, "left.visit.sla.passed left.visit.sla.unheard left.visit.sla.window_percent"),
    (LEAD, Everyone, "left.visit.sla.history_until left.visit.stuck.history_until"),
    (LEAD, Everyone, "left.visit.stuck.number left.visit.stuck.ran.from left.visit.stuck.ran.to"),
    (LEAD, Everyone, "left.visit.stuck.passed left.visit.stuck.unheard left.visit.stuck.window_percent"),
    (LEAD, Everyone, "breaches.seq breaches.step breaches.due_at breaches.state breaches.visit"),
    (LEAD, Everyone, "breaches.owner breaches.in_state_at breaches.in_work_at"),
    (LEAD, Everyone, "sla_clocks stuck_clocks priority"),
    (LEAD, Everyone, "breaches.hold_ended.state breaches.hold_ended.at"),
    (LEAD, Everyone, "high_value window_percent operations.since operations.reasons.reason"),
    (LEAD, Everyone, "operations.reasons.since operations.reasons.seq operations.reasons.notification"),
    (LEAD, Everyone, "dismissed.reasons dismissed.at"),
    (LEAD, Staff, "dismissed.by dismissed.note"),
    (LEAD, Everyone, "owner_gone.owner owner_gone.because owner_gone.until owner_team"),
    (LEAD, Everyone, "visited returns.state returns.at visit.for_operations left.visit.for_operations"),
    (LEAD, Everyone, "applied.orphaned.from applied.orphaned.to applied.orphaned.kept"),
    (LEAD, Staff, "applied.orphaned.name"),
    (LEAD, Everyone, "account_view.tier account_view.outreach_paused account_view.as_of"),
    (LEAD, Everyone, "review.opened_at"),
    (
        LEAD,
        MustKnow,
        "review clearances unanswered unanswered_flagged_by rejection personal_kinds undelivered untold",
    ),
    (LEAD, Sealed, "personal"),
    // An account.
    (ACCOUNT, Everyone, "id seq commit changed_at name tier owner customer_success_owner said_at.*"),
    (ACCOUNT, Everyone, "churn_risk.since churn_risk.signals.signal churn_risk.signals.false_positive"),
    (ACCOUNT, Staff, "churn_risk.signals.id"),
    (ACCOUNT, Everyone, "churn_risk.touchpoint_due churn_risk.outreach_paused_until"),
    (ACCOUNT, Everyone, "leads_told.tier leads_told.outreach_paused leads_told.as_of news_seq news_at"),
    // An explanation: the reasons by condition, and the plans of the compliance workflow.
    (EXPLANATION, Everyone, "closed market-unknown no-window no-steps all-passed too-far not-begun"),
    (EXPLANATION, Everyone, "compliance-hold on-hold waiting-on-customer outreach-paused criterion-met"),
    (
        EXPLANATION,
        Everyone,
        "criterion-not-met rearms returns no-match-open no-account no-signal signal-stands",
    ),
    (EXPLANATION, MustKnow, "match-open matches-cleared jurisdiction"),
    (EXPLANATION, MustKnow, "compliance-flag.status compliance-flag.clock compliance-flag.steps"),
    (EXPLANATION, MustKnow, "compliance-flag.fired.does"),
    // A message: to a person, to a team's channel, and to a desk.
    (MESSAGE, Everyone, "step state company market owner previous_owner elapsed_s window_s reasons"),
    (MESSAGE, Everyone, "published_by instead_of"),
    (MESSAGE, MustKnow, "criteria flagged_by"),
];
