//! Mistakes in a policy.

use super::{Mistake, check, told_of_policy};
use serde_json::json;

#[test]
fn a_mistake_in_a_policy_is_told_with_its_place_and_what_would_be_right() {
    let mistakes: &[Mistake] = &[
        (
            "/workflows/sla-breach/stepps",
            json!([]),
            &[r#"workflows.sla-breach.stepps: `stepps` is not a known field here; did you mean `steps`?"#],
        ),
        (
            "/colour",
            json!("blue"),
            &[
                r#"colour: `colour` is not a known field here; write one of: intake, name, owners, quiet_hours, retention, states, workflows"#,
            ],
        ),
        ("/name", json!(["x"]), &[r#"name: a list is not a text"#]),
        ("/name", json!(null), &[r#"name: is missing"#]),
        (
            "/states/0/kind",
            json!("wroking"),
            &[r#"states[0].kind: `wroking` is not a known value; did you mean `working`?"#],
        ),
        (
            "/states/1/state",
            json!("NEW"),
            &[
                r#"states[1].state: `NEW` appears twice; remove one"#,
                r#"workflows.sla-breach.windows[5].state: `CONTACTED` is not a known state; write one of: LOST, NEGOTIATION, NEW, ON_HOLD, PROPOSAL, QUALIFIED, UNQUALIFIED, WON"#,
                r#"workflows.sla-breach.windows[6].state: `CONTACTED` is not a known state; write one of: LOST, NEGOTIATION, NEW, ON_HOLD, PROPOSAL, QUALIFIED, UNQUALIFIED, WON"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/0/at",
            json!("80"),
            &[
                r#"workflows.sla-breach.steps[0].at: `80` is not a percentage from 1% to 10000%; write e.g. `80%`"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/0/at",
            json!(80),
            &[
                r#"workflows.sla-breach.steps[0].at: `80` is not a percentage from 1% to 10000%; write e.g. `80%`"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/0/at",
            json!("0%"),
            &[
                r#"workflows.sla-breach.steps[0].at: `0%` is not a percentage from 1% to 10000%; write e.g. `80%`"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/1/at",
            json!("80%"),
            &[r#"workflows.sla-breach.steps[1].at: `80%` must be higher than the step before it"#],
        ),
        (
            "/workflows/sla-breach/steps/1/step",
            json!("imminent"),
            &[r#"workflows.sla-breach.steps[1].step: `imminent` appears twice; rename one"#],
        ),
        (
            "/workflows/sla-breach/steps/1/do",
            json!([]),
            &[r#"workflows.sla-breach.steps[1].do: is empty; name at least one action"#],
        ),
        (
            "/workflows/sla-breach/steps/1/do",
            json!(["tell-onwer"]),
            &[
                r#"workflows.sla-breach.steps[1].do[0]: `tell-onwer` is not a known value; did you mean `tell-owner`?"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/1/do",
            json!(["tell-owner", "tell-owner"]),
            &[r#"workflows.sla-breach.steps[1].do[1]: this action appears twice; name each action once"#],
        ),
        (
            "/workflows/sla-breach/max_reassignments",
            json!(-1),
            &[r#"workflows.sla-breach.max_reassignments: `-1` is not a whole number from 0 to 4294967295"#],
        ),
        (
            "/workflows/sla-breach/max_reassignments",
            json!("two"),
            &[r#"workflows.sla-breach.max_reassignments: `two` is not a whole number from 0 to 4294967295"#],
        ),
        (
            "/workflows/sla-breach/windows/0/window",
            json!("1d"),
            &[
                r#"workflows.sla-breach.windows[0].window: `1d` is not a window; write e.g. `90s`, `30m`, `4h`, `1h30m`, or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/0/window",
            json!("30m1h"),
            &[
                r#"workflows.sla-breach.windows[0].window: `30m1h` is not a window; write e.g. `90s`, `30m`, `4h`, `1h30m`, or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/0/window",
            json!(24),
            &[
                r#"workflows.sla-breach.windows[0].window: `24` is not a window; write e.g. `90s`, `30m`, `4h`, `1h30m`, or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/0/state",
            json!("NWE"),
            &[r#"workflows.sla-breach.windows[0].state: `NWE` is not a known state; did you mean `NEW`?"#],
        ),
        (
            "/workflows/sla-breach/windows/0/state",
            json!("WON"),
            &[
                r#"workflows.sla-breach.windows[0].state: `WON` is not a working state, so no clock runs in it; remove the row"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/-",
            json!({"state":"NEW","window":"3h"}),
            &[
                r#"workflows.sla-breach.windows[13]: an earlier row has the same market, source, and state; remove one of them"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/-",
            json!({"market":"dahc","state":"NEW","window":"3h"}),
            &[
                r#"workflows.sla-breach.windows[13].market: `dahc` is not a known market; did you mean `dach`?"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/-",
            json!({"calendar":"brelin","market":"us","state":"NEW","window":"3h"}),
            &[
                r#"workflows.sla-breach.windows[13].calendar: `brelin` is not a known calendar; did you mean `berlin`?"#,
            ],
        ),
        ("/workflows/stuck-lead", json!(null), &[r#"workflows.stuck-lead: is missing"#]),
        (
            "/workflows/high-value/score",
            json!(70000),
            &[r#"workflows.high-value.score: `70000` is not a whole number from 0 to 65535"#],
        ),
        (
            "/workflows/high-value/score_margin",
            json!(85),
            &[
                r#"workflows.high-value.score_margin: `85` must be less than the score (`85`), or the workflow could never fire again"#,
            ],
        ),
        (
            "/workflows/high-value/later_windows",
            json!("150%"),
            &[
                r#"workflows.high-value.later_windows: `150%` would make the windows longer; write at most `100%`"#,
            ],
        ),
        (
            "/workflows/high-value/deal_size_over/0/amount",
            json!("1e5"),
            &[
                r#"workflows.high-value.deal_size_over[0]: `1e5` is not an amount of USD; write a decimal string with at most 2 decimal places"#,
            ],
        ),
        (
            "/workflows/high-value/deal_size_over/0/currency",
            json!("USDD"),
            &[
                r#"workflows.high-value.deal_size_over[0]: `USDD` is not an ISO 4217 currency code; write e.g. `USD`"#,
            ],
        ),
        (
            "/workflows/high-value/deal_size_over/1/currency",
            json!("USD"),
            &[
                r#"workflows.high-value.deal_size_over[1]: `USD` appears twice; keep one threshold per currency"#,
            ],
        ),
        (
            "/workflows/compliance-flag/officers",
            json!(0),
            &[r#"workflows.compliance-flag.officers: must be 1 or 2, not `0`"#],
        ),
        (
            "/workflows/compliance-flag/officers",
            json!(3),
            &[r#"workflows.compliance-flag.officers: must be 1 or 2, not `3`"#],
        ),
        (
            "/workflows/compliance-flag/reminders/1/step",
            json!("ageing"),
            &[r#"workflows.compliance-flag.reminders[1].step: `ageing` appears twice; rename one"#],
        ),
        (
            "/workflows/compliance-flag/reminders/1/step",
            json!(""),
            &[r#"workflows.compliance-flag.reminders[1].step: is empty; write a name of 1 to 64 characters"#],
        ),
        (
            "/workflows/compliance-flag/reminders/1/after",
            json!("1bd"),
            &[
                r#"workflows.compliance-flag.reminders[1].after: `1bd` must be later than the reminder before it"#,
            ],
        ),
        (
            "/workflows/compliance-flag/reason_codes",
            json!({}),
            &[
                r#"workflows.compliance-flag.reason_codes: is empty; add at least one, because every decision names a reason code"#,
            ],
        ),
        (
            "/workflows/churn-risk/calendar",
            json!("new-yrok"),
            &[
                r#"workflows.churn-risk.calendar: `new-yrok` is not a known calendar; did you mean `new-york`?"#,
            ],
        ),
        ("/workflows/churn-risk/about/why", json!(null), &[r#"workflows.churn-risk.about.why: is missing"#]),
        (
            "/intake/history_after",
            json!("later"),
            &[
                r#"intake.history_after: `later` is not a window; write e.g. `90s`, `30m`, `4h`, `1h30m`, or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
        (
            "/retention/personal_data",
            json!("24h"),
            &[
                r#"retention.personal_data: `24h` is not a number of days from 1d to 36500d; write e.g. `730d`"#,
            ],
        ),
        (
            "/retention/personal",
            json!("30d"),
            &[r#"retention.personal: `personal` is not a known field here; write one of: personal_data"#],
        ),
    ];
    check(mistakes, told_of_policy);
}

/// An override of a market, put into the SLA workflow.
fn market(overrides: serde_json::Value) -> Vec<String> {
    let told = told_of_policy("/workflows/sla-breach/markets", json!({ "dach": overrides }));
    told.lines().map(|line| super::without_place(line).to_owned()).collect()
}

#[test]
fn a_market_changes_steps_leaves_them_out_and_has_more_of_its_own() {
    let sound = [
        json!([{"step": "imminent", "at": "90%"}]),
        json!([{"step": "imminent", "do": ["tell-owner", "tell-manager"]}]),
        json!([{"step": "breached", "off": true}]),
        json!([{"step": "late", "at": "120%", "do": ["tell-owner"]}]),
        json!([{"step": "breached", "off": true}, {"step": "over", "at": "100%", "do": ["record-breach"]}]),
        // Where a step stands in the order is what its share says.
        json!([{"step": "imminent", "at": "110%"}]),
    ];
    for overrides in sound {
        assert_eq!(market(overrides.clone()), Vec::<String>::new(), "{overrides}");
    }
}

#[test]
fn a_mistake_in_a_markets_steps_is_told() {
    let at = "workflows.sla-breach.markets.dach[0]";
    let mistakes = [
        (
            json!([{"step": "imminent"}]),
            format!("{at}: changes nothing about step `imminent`; set `at` or `do`, or write `off: true`"),
        ),
        (
            json!([{"step": "imminent", "off": true, "at": "90%"}]),
            format!("{at}.off: a step that is off has no `at` or `do`; remove them"),
        ),
        (
            json!([{"step": "iminent", "off": true}]),
            format!("{at}.step: `iminent` is not a known step of this workflow; did you mean `imminent`?"),
        ),
        (
            json!([{"step": "iminent", "at": "90%"}]),
            format!(
                "{at}.do: is missing; `iminent` is not a step of this workflow, so it is a new step and needs both \
                 `at` and `do` (did you mean `imminent`?)"
            ),
        ),
        (
            json!([{"step": "late", "do": ["tell-owner"]}]),
            format!(
                "{at}.at: is missing; `late` is not a step of this workflow, so it is a new step and needs both \
                 `at` and `do` (write one of: breached, imminent, significantly-past)"
            ),
        ),
        (
            json!([{"step": "imminent", "at": "100%"}]),
            format!(
                "{at}.at: `imminent` and `breached` are both at 100% in this market; give each step its own percentage"
            ),
        ),
        (
            json!([{"step": "late", "at": "150%", "do": ["tell-owner"]}]),
            format!(
                "{at}.at: `late` and `significantly-past` are both at 150% in this market; give each step its own \
                 percentage"
            ),
        ),
        (json!([{"step": "imminent", "do": []}]), format!("{at}.do: is empty; name at least one action")),
        (
            json!([{"step": "", "at": "99%", "do": ["tell-owner"]}]),
            format!("{at}.step: is empty; write a name of 1 to 64 characters"),
        ),
        (
            json!([{"step": "imminent", "at": "90%"}, {"step": "imminent", "do": ["tell-manager"]}]),
            "workflows.sla-breach.markets.dach[1].step: `imminent` appears twice; remove one".to_owned(),
        ),
    ];
    for (overrides, expected) in mistakes {
        assert_eq!(market(overrides.clone()), [expected], "{overrides}");
    }
    let many: Vec<_> = (1..=8)
        .map(|n| json!({"step": format!("s{n}"), "at": format!("{n}%"), "do": ["tell-owner"]}))
        .collect();
    assert_eq!(market(json!(many)), ["workflows.sla-breach.markets.dach: has 11 steps; write at most 10"]);
}

#[test]
fn a_mistake_in_what_is_new_of_a_policy_is_told() {
    let mistakes: &[Mistake] = &[
        (
            "/workflows/stuck-lead/markets",
            json!({"dahc": [{"step": "triage", "off": true}]}),
            &["workflows.stuck-lead.markets.dahc: `dahc` is not a known market; did you mean `dach`?"],
        ),
        (
            "/workflows/sla-breach/max_reassignments",
            json!(1000),
            &["workflows.sla-breach.max_reassignments: `1000` is too many; write at most 100"],
        ),
        (
            "/states/0/stages",
            json!(["Closed Won", "Closed Won"]),
            &["states[0].stages[1]: `Closed Won` is already a stage of `NEW`; keep it in one state"],
        ),
        (
            "/states/0/stages",
            json!(["WON"]),
            &["states[0].stages[0]: `WON` is already a state; remove this stage, or rename the state"],
        ),
        (
            "/states/0/stages",
            json!(["COMPLIANCE_HOLD"]),
            &["states[0].stages[0]: `COMPLIANCE_HOLD` is reserved for the compliance workflow; remove it"],
        ),
        (
            "/states/0/stages",
            json!([" Open"]),
            &[
                "states[0].stages[0]: ` Open` starts or ends with a space, or has a control character; remove it",
            ],
        ),
        (
            "/quiet_hours",
            json!({"from": "22:00", "to": "22:00"}),
            &[
                "quiet_hours.to: `22:00` is also when they start; write another time, or remove the quiet hours",
            ],
        ),
        (
            "/quiet_hours",
            json!({"from": "10pm", "to": "07:00", "except": ["review-neded"]}),
            &[
                "quiet_hours.except[0]: `review-neded` is not a known value; did you mean `review-needed`?",
                "quiet_hours.from: `10pm` is not a time of day; write e.g. `07:30`, from `00:00` to `23:59`",
            ],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"sla-warnin": {"text": "x"}}),
            &[
                "workflows.sla-breach.messages.sla-warnin: `sla-warnin` is not a known value; did you mean `sla-warning`?",
            ],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"held": {"text": "{lead}"}}),
            &["workflows.sla-breach.messages.held: belongs to `compliance-flag`; move it to \
                 `workflows.compliance-flag.messages`"],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"publication-digest": {"text": "x"}}),
            &[
                "workflows.sla-breach.messages.publication-digest: belongs to no workflow and cannot be reworded; remove it",
            ],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"sla-warning": {}}),
            &["workflows.sla-breach.messages.sla-warning: is empty; write a `title`, a `text`, or both"],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"sla-warning": {"title": "{lead}\nnow", "text": " "}}),
            &[
                "workflows.sla-breach.messages.sla-warning.text: is empty; write it, or remove it to use Leadwatch's own wording",
                "workflows.sla-breach.messages.sla-warning.title: has more than one line; write it on one line",
            ],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"lead-taken": {"title": "{laed}: {left} {", "text": "{left} of {lead}"}}),
            &[
                "workflows.sla-breach.messages.lead-taken.text: `{left}` is not available in a `lead-taken` message; \
                 did you mean `lead`?",
                "workflows.sla-breach.messages.lead-taken.title: `{laed}` is not a placeholder; did you mean `lead`?",
                "workflows.sla-breach.messages.lead-taken.title: `{` at character 16 has no matching brace; write `{{` for \
                 a literal brace",
            ],
        ),
        (
            "/workflows/compliance-flag/messages",
            json!({"held": {"text": "It stands in {state}."}}),
            &[
                "workflows.compliance-flag.messages.held.text: `{state}` is not available in a `held` message; write one of: \
                 company, lead, market, owner",
            ],
        ),
    ];
    check(mistakes, told_of_policy);
    let long = told_of_policy(
        "/workflows/sla-breach/messages",
        json!({"sla-warning": {"title": "x".repeat(121), "text": "x".repeat(2001)}}),
    );
    assert!(long.contains("has 121 characters; write at most 120"), "{long}");
    assert!(long.contains("has 2001 characters; write at most 2000"), "{long}");
}
