//! One workflow in Markdown.

use super::{Edition, calendar_name, cell, code, day, ladder};
use policy::directory::ALWAYS;
use policy::ids::{CalendarId, MarketId};
use policy::{Action, ComplianceChannel, ReasonCode, Verdict, WorkflowId, well_known};
use std::fmt::Write as _;

pub(super) fn markdown(edition: &Edition<'_>, id: WorkflowId) -> String {
    let about = edition.policy().about(id);
    let mut text = format!("### {id}\n\n");
    let version = edition.published.versions.get(&id);
    if let Some(version) = version {
        _ = write!(text, "Version {}", version.version);
        if edition.is_dated {
            _ = write!(text, ", since revision {}", version.since_revision);
        }
        text.push_str(".\n\n");
    }
    for (title, said) in [("What", &about.what), ("When", &about.when), ("Why", &about.why)] {
        _ = writeln!(text, "- **{title}**: {}", cell(said));
    }
    if let Some(ladder) = edition.policy().ladders().into_iter().find(|ladder| ladder.workflow == id) {
        let markets: Vec<&MarketId> = ladder.markets.keys().collect();
        text.push_str(&ladder::steps(edition, id, &markets));
        text.push_str(&ladder::windows(ladder));
    }
    match id {
        WorkflowId::SlaBreach => {}
        WorkflowId::StuckLead => text.push_str(&returns(edition)),
        WorkflowId::HighValue => text.push_str(&high_value(edition)),
        WorkflowId::ComplianceFlag => text.push_str(&compliance_flag(edition)),
        WorkflowId::ChurnRisk => text.push_str(&churn_risk(edition)),
    }
    text.push_str(&words(edition, id));
    text.push_str(&past(edition, id));
    text
}

/// What is done about a lead that keeps coming back.
fn returns(edition: &Edition<'_>) -> String {
    let Some(returns) = &edition.policy().workflows.stuck_lead.returns else { return String::new() };
    let done: Vec<&str> = returns
        .actions
        .iter()
        .map(|action| match action {
            Action::TellOwner => "its owner is told",
            Action::TellManager => "the manager is told on the team's channel",
            Action::QueueForOperations => "it goes to the operations queue",
            Action::RecordBreach | Action::Reassign => "nothing is done",
        })
        .collect();
    let (times, days) = (returns.times, returns.within.to_time().num_days());
    format!(
        "\n#### A lead that keeps coming back\n\nEach return to a state begins its clocks anew. A lead that comes back to \
         the same state {times} times within {days} days is recorded as such (`lead.bounced`), and {}.\n",
        done.join(", and ")
    )
}

fn high_value(edition: &Edition<'_>) -> String {
    let policy = &edition.policy().workflows.high_value;
    let mut any = vec![format!("its score is {} or more", policy.score)];
    if policy.strategic_accounts {
        any.push("its account is strategic".to_owned());
    }
    let deals: Vec<String> = policy
        .deal_size_over
        .iter()
        .map(|money| format!("{} {}", money.currency(), money.amount()))
        .collect();
    if !deals.is_empty() {
        any.push(format!("its deal is over {}", deals.join(", or ")));
    }
    let rearmed = policy.score.saturating_sub(policy.score_margin);
    let mut text = format!(
        "\n#### Criteria\n\nIt fires once, when the first of these is true of a lead: {}. It can fire again only when none \
         is true any more and the score is {rearmed} or less.\n\n#### What is done, and who is told\n\n\
         - The priority is raised to high.\n- The owner is told directly, and the manager on the team's channel, with the \
         reasons (`high-value`).\n- The regional VP of the market is told too, if the account is strategic.\n",
        any.join("; ")
    );
    if policy.reassign_juniors {
        text.push_str(
            "- If its owner is a junior, it goes to an available senior of the team; both are told (`lead-taken`, \
             `lead-given`). Without one the junior keeps it.\n",
        );
    }
    match policy.later_windows.get() {
        100 => {}
        percent => {
            _ = writeln!(
                text,
                "- The SLA windows of later states are {percent} % of what they would be; the clock that runs stays."
            );
        }
    }
    text
}

fn compliance_flag(edition: &Edition<'_>) -> String {
    let policy = &edition.policy().workflows.compliance_flag;
    let officers = if policy.officers == 1 {
        "One officer decides".to_owned()
    } else {
        format!("{} officers have to agree", policy.officers)
    };
    let why = match policy.channel {
        ComplianceChannel::Full => "why",
        ComplianceChannel::Short => "the kinds of criteria alone",
    };
    let mut text = format!(
        "\n#### What is done, and who is told\n\n\
         - The lead goes to `COMPLIANCE_HOLD`. Clocks rest, and moves from outside are refused and recorded.\n\
         - The would-be owner is told that it is held, and not why (`held`); the compliance team is told {why}, on its \
         channel (`review-needed`).\n\
         - {officers}. Whoever owns the lead or flagged it by hand cannot.\n\
         - Cleared: it goes back to its state with a fresh clock, and its owner is told (`cleared`). The same match does \
         not hold it again: the same version of the list, the same company and contact, and no more strength.\n\
         - Rejected: it goes to `DISQUALIFIED_COMPLIANCE`, and the would-be owner is told (`closed-by-compliance`). Two \
         officers can open the review again.\n"
    );
    if !policy.reminders.is_empty() {
        text.push_str(
            "\n#### Reminders\n\nOf a review that nobody decides, the compliance team is told again (`review-ageing`), in \
             its own working time:\n\n| step | after |\n| --- | --- |\n",
        );
        for reminder in &policy.reminders {
            _ = writeln!(text, "| {} | {} |", code(&reminder.step), reminder.after);
        }
    }
    text.push_str(
        "\n#### Reasons that a decision may name\n\n| code | for | officers | meaning |\n| --- | --- | --- | --- |\n",
    );
    for (reason, ReasonCode { means, verdict, .. }) in &policy.reason_codes {
        let verdict = verdict.or_else(|| well_known(reason)).map_or("not said", Verdict::as_str);
        let officers = policy.officers_for(reason);
        _ = writeln!(text, "| {} | {verdict} | {officers} | {} |", code(reason), cell(means));
    }
    text
}

fn churn_risk(edition: &Edition<'_>) -> String {
    let policy = &edition.policy().workflows.churn_risk;
    let calendar = calendar_name(policy.calendar.as_ref().map_or(ALWAYS, CalendarId::as_str));
    let mut text = format!(
        "\n#### What is done, and who is told\n\n\
         - The account is tagged as at risk; its owner and, if that is somebody else, customer success are told \
         (`churn-risk`). Where neither is known, operations is.\n\
         - A retention touchpoint is due after {}, {calendar}; the same people are told then (`touchpoint-due`).\n",
        policy.touchpoint_after
    );
    match policy.pause_outreach_for {
        Some(pause) => {
            _ = writeln!(
                text,
                "- New outreach on the account's leads is paused for {pause} at most, {calendar}, or until the retention \
                 motion is completed. Their SLA clocks rest as long."
            );
        }
        None => text.push_str("- Outreach on the account's leads goes on.\n"),
    }
    text.push_str("- A signal can be marked as a false positive; when all are, the risk is over.\n");
    text
}

/// The messages in the policy's own words.
fn words(edition: &Edition<'_>, id: WorkflowId) -> String {
    let templates = edition.policy().messages(id);
    if templates.is_empty() {
        return String::new();
    }
    let mut text = "\n#### Messages in this policy's words\n\nWhat stands in braces is filled in.\n\n\
                    | message | title | text |\n| --- | --- | --- |\n"
        .to_owned();
    for (message, template) in templates {
        let said =
            |text: &Option<String>| text.as_deref().map_or_else(|| "the product's own".to_owned(), cell);
        _ = writeln!(
            text,
            "| {} | {} | {} |",
            code(message.as_str()),
            said(&template.title),
            said(&template.text)
        );
    }
    text
}

/// What changed since when.
fn past(edition: &Edition<'_>, id: WorkflowId) -> String {
    let workflow = edition.workflow(id);
    let versions: Vec<_> = [&workflow.version].into_iter().chain(&workflow.earlier).collect();
    if versions.iter().all(|version| version.changes.is_empty()) {
        return String::new();
    }
    let mut text = "\n#### What changed\n\n".to_owned();
    for version in versions {
        let when = version.since.map(|since| format!(", {}", day(since))).unwrap_or_default();
        let began = if version.changes.is_empty() { " as it began" } else { "" };
        _ = writeln!(
            text,
            "- version {} (revision {}{when}):{began}",
            version.version, version.since_revision
        );
        for change in &version.changes {
            _ = writeln!(text, "  - {}", cell(change));
        }
    }
    text
}
