//! One workflow in Markdown.

use super::documented::DocumentedPolicy;
use super::format::{calendar_name, cell, code, day};
use super::{data, steps};
use policy::directory::ALWAYS;
use policy::ids::{CalendarId, MarketId};
use policy::{Action, ComplianceChannel, ReasonCode, Verdict, WorkflowId, well_known};
use std::fmt::Write as _;

pub(super) fn markdown(documented: &DocumentedPolicy<'_>, id: WorkflowId) -> String {
    let about = documented.policy().about(id);
    let mut text = format!("### {id}\n\n");
    let version = documented.published.versions.get(&id);
    if let Some(version) = version {
        _ = write!(text, "Version {}", version.version);
        if documented.is_dated {
            _ = write!(text, ", since revision {}", version.since_revision);
        }
        text.push_str(".\n\n");
    }
    for (title, said) in [("What", &about.what), ("When", &about.when), ("Why", &about.why)] {
        _ = writeln!(text, "- **{title}**: {}", cell(said));
    }
    if let Some(ladder) = documented.policy().ladders().into_iter().find(|ladder| ladder.workflow == id) {
        let markets: Vec<&MarketId> = ladder.markets.keys().collect();
        text.push_str(&steps::steps(documented, id, &markets));
        text.push_str(&steps::windows(ladder));
    }
    match id {
        WorkflowId::SlaBreach => {}
        WorkflowId::StuckLead => text.push_str(&returns(documented)),
        WorkflowId::HighValue => text.push_str(&high_value(documented)),
        WorkflowId::ComplianceFlag => text.push_str(&compliance_flag(documented)),
        WorkflowId::ChurnRisk => text.push_str(&churn_risk(documented)),
    }
    text.push_str(&rewordings(documented, id));
    text.push_str(&history(documented, id));
    text
}

/// What happens to a lead that keeps returning to a state.
fn returns(documented: &DocumentedPolicy<'_>) -> String {
    let Some(returns) = &documented.policy().workflows.stuck_lead.returns else { return String::new() };
    let done: Vec<&str> = returns
        .actions
        .iter()
        .map(|action| match action {
            Action::TellOwner => "its owner is notified",
            Action::TellManager => "the manager gets a message on the team's channel",
            Action::QueueForOperations => "it goes to the operations queue",
            Action::RecordBreach | Action::Reassign => "nothing happens",
        })
        .collect();
    let (times, days) = (returns.times, returns.within.to_time().num_days());
    format!(
        "\n#### A lead that keeps returning\n\nEach return to a state starts new clocks. If a lead returns to the same \
         state {times} times within {days} days, the audit records it (`lead.bounced`), and {}.\n",
        done.join(", and ")
    )
}

fn high_value(documented: &DocumentedPolicy<'_>) -> String {
    let policy = &documented.policy().workflows.high_value;
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
        "\n#### Criteria\n\nThe workflow fires once, when the lead meets the first of these criteria: {}. It can fire \
         again only after the lead meets none of them and its score is {rearmed} or less.\n\n#### What happens, and \
         who is notified\n\n\
         - Leadwatch raises the priority to high.\n- It notifies the owner directly, and the manager on the team's \
         channel, with the reasons (`high-value`).\n- If the account is strategic, it also notifies the regional VP of \
         the market.\n",
        any.join("; ")
    );
    if policy.reassign_juniors {
        text.push_str(
            "- If the owner is a junior, the lead goes to an available senior of the team; both are notified \
             (`lead-taken`, `lead-given`). If no senior is available, the junior keeps it.\n",
        );
    }
    match policy.later_windows.get() {
        100 => {}
        percent => {
            _ = writeln!(
                text,
                "- The SLA windows of later states shrink to {percent} %. The running clock keeps its window."
            );
        }
    }
    text
}

fn compliance_flag(documented: &DocumentedPolicy<'_>) -> String {
    let policy = &documented.policy().workflows.compliance_flag;
    let officers = if policy.officers == 1 {
        "One officer decides".to_owned()
    } else {
        format!("{} officers must agree", policy.officers)
    };
    let why = match policy.channel {
        ComplianceChannel::Full => "why",
        ComplianceChannel::Short => "only the kinds of criteria",
    };
    let mut text = format!(
        "\n#### What happens, and who is notified\n\n\
         - The lead goes to `COMPLIANCE_HOLD`. Its clocks pause, and Leadwatch refuses and records attempts to move it.\n\
         - The intended owner learns that the lead is held, but not why (`held`). The compliance team learns {why}, on \
         its channel (`review-needed`).\n\
         - {officers}. The owner of the lead, and the person who flagged it, cannot decide.\n\
         - Cleared: the lead returns to its state with new clocks, and its owner is notified (`cleared`). The same \
         match does not hold it again: the same list version, company and contact, at no higher strength.\n\
         - Rejected: the lead goes to `DISQUALIFIED_COMPLIANCE`, and the intended owner is notified \
         (`closed-by-compliance`). Two officers can reopen the review.\n"
    );
    if !policy.reminders.is_empty() {
        text.push_str(
            "\n#### Reminders\n\nIf nobody decides a review, the compliance team gets reminders (`review-ageing`), in \
             its working time:\n\n| step | after |\n| --- | --- |\n",
        );
        for reminder in &policy.reminders {
            _ = writeln!(text, "| {} | {} |", code(&reminder.step), reminder.after);
        }
    }
    text.push_str(
        "\n#### Reasons for a decision\n\n| code | for | officers | meaning |\n| --- | --- | --- | --- |\n",
    );
    for (reason, ReasonCode { means, verdict, .. }) in &policy.reason_codes {
        let verdict = verdict.or_else(|| well_known(reason)).map_or("not set", Verdict::as_str);
        let officers = policy.officers_for(reason);
        _ = writeln!(text, "| {} | {verdict} | {officers} | {} |", code(reason), cell(means));
    }
    text
}

fn churn_risk(documented: &DocumentedPolicy<'_>) -> String {
    let policy = &documented.policy().workflows.churn_risk;
    let calendar = calendar_name(policy.calendar.as_ref().map_or(ALWAYS, CalendarId::as_str));
    let mut text = format!(
        "\n#### What happens, and who is notified\n\n\
         - Leadwatch tags the account as at risk and notifies its owner and customer success (`churn-risk`). If it \
         knows neither, it notifies operations.\n\
         - A retention touchpoint is due after {}, {calendar}; the same people get a reminder then (`touchpoint-due`).\n",
        policy.touchpoint_after
    );
    match policy.pause_outreach_for {
        Some(pause) => {
            _ = writeln!(
                text,
                "- New outreach to the account's leads pauses for at most {pause}, {calendar}, or until the retention \
                 motion is complete. The SLA clocks of the leads pause with it."
            );
        }
        None => text.push_str("- Outreach to the account's leads continues.\n"),
    }
    text.push_str(
        "- Staff can mark a signal as a false positive. When all signals are false positives, the account is \
         no longer at risk.\n",
    );
    text
}

/// The messages that the policy rewords.
fn rewordings(documented: &DocumentedPolicy<'_>, id: WorkflowId) -> String {
    let templates = documented.policy().messages(id);
    if templates.is_empty() {
        return String::new();
    }
    let mut text = "\n#### Messages that this policy rewords\n\nLeadwatch fills in the values in braces.\n\n\
                    | message | title | text |\n| --- | --- | --- |\n"
        .to_owned();
    for (message, template) in templates {
        let said = |text: &Option<String>| text.as_deref().map_or_else(|| "built in".to_owned(), cell);
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

/// The change history.
fn history(documented: &DocumentedPolicy<'_>, id: WorkflowId) -> String {
    let workflow = data::workflow(documented, id);
    let versions: Vec<_> = [&workflow.version].into_iter().chain(&workflow.earlier).collect();
    if versions.iter().all(|version| version.changes.is_empty()) {
        return String::new();
    }
    let mut text = "\n#### What changed\n\n".to_owned();
    for version in versions {
        let when = version.since.map(|since| format!(", {}", day(since))).unwrap_or_default();
        let began = if version.changes.is_empty() { " initial version" } else { "" };
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
