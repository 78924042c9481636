//! Mistakes in a policy.

use super::{Mistake, check, told_of_policy};
use serde_json::json;

#[test]
fn a_mistake_in_a_policy_is_told_with_its_place_and_what_would_be_right() {
    let mistakes: &[Mistake] = &[
        (
            "/workflows/sla-breach/stepps",
            json!([]),
            &[r#"workflows.sla-breach.stepps: `stepps` is not a field here; did you mean `steps`?"#],
        ),
        (
            "/colour",
            json!("blue"),
            &[
                r#"colour: `colour` is not a field here; known: intake, name, owners, quiet_hours, retention, states, workflows"#,
            ],
        ),
        ("/name", json!(["x"]), &[r#"name: what stands there is not a text"#]),
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
                r#"states[1].state: `NEW` is there twice"#,
                r#"workflows.sla-breach.windows[5].state: `CONTACTED` is not a known state; known: LOST, NEGOTIATION, NEW, ON_HOLD, PROPOSAL, QUALIFIED, UNQUALIFIED, WON"#,
                r#"workflows.sla-breach.windows[6].state: `CONTACTED` is not a known state; known: LOST, NEGOTIATION, NEW, ON_HOLD, PROPOSAL, QUALIFIED, UNQUALIFIED, WON"#,
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
            &[r#"workflows.sla-breach.steps[1].at: `80%` is not over the step before it; steps rise"#],
        ),
        (
            "/workflows/sla-breach/steps/1/step",
            json!("imminent"),
            &[r#"workflows.sla-breach.steps[1].step: `imminent` is there twice"#],
        ),
        (
            "/workflows/sla-breach/steps/1/do",
            json!([]),
            &[r#"workflows.sla-breach.steps[1].do: there is nothing to do; name at least one action"#],
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
            &[r#"workflows.sla-breach.steps[1].do[1]: this is done already; name each action once"#],
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
                r#"workflows.sla-breach.windows[0].window: `1d` is not a window of working time; write e.g. `90s`, `30m`, `4h`, `1h30m` or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/0/window",
            json!("30m1h"),
            &[
                r#"workflows.sla-breach.windows[0].window: `30m1h` is not a window of working time; write e.g. `90s`, `30m`, `4h`, `1h30m` or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/0/window",
            json!(24),
            &[
                r#"workflows.sla-breach.windows[0].window: `24` is not a window of working time; write e.g. `90s`, `30m`, `4h`, `1h30m` or `5bd` (at most 10000h or 1000bd)"#,
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
            &[r#"workflows.sla-breach.windows[0].state: `WON` is not a working state; no clock runs there"#],
        ),
        (
            "/workflows/sla-breach/windows/-",
            json!({"state":"NEW","window":"3h"}),
            &[
                r#"workflows.sla-breach.windows[13]: another row has the same market, source and state; which one wins?"#,
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
                r#"workflows.high-value.score_margin: `85` is not below the score `85`; it could never be armed again"#,
            ],
        ),
        (
            "/workflows/high-value/later_windows",
            json!("150%"),
            &[r#"workflows.high-value.later_windows: `150%` would loosen the windows; write at most `100%`"#],
        ),
        (
            "/workflows/high-value/deal_size_over/0/amount",
            json!("1e5"),
            &[
                r#"workflows.high-value.deal_size_over[0]: `1e5` is not an amount of USD; write a decimal string with at most 2 digits after the point"#,
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
            &[r#"workflows.high-value.deal_size_over[1]: `USD` is there twice; one threshold a currency"#],
        ),
        (
            "/workflows/compliance-flag/officers",
            json!(0),
            &[r#"workflows.compliance-flag.officers: `0` is not 1 or 2"#],
        ),
        (
            "/workflows/compliance-flag/officers",
            json!(3),
            &[r#"workflows.compliance-flag.officers: `3` is not 1 or 2"#],
        ),
        (
            "/workflows/compliance-flag/reminders/1/step",
            json!("ageing"),
            &[r#"workflows.compliance-flag.reminders[1].step: `ageing` is there twice"#],
        ),
        (
            "/workflows/compliance-flag/reminders/1/step",
            json!(""),
            &[r#"workflows.compliance-flag.reminders[1].step: `` is not a name of 1 to 64 characters"#],
        ),
        (
            "/workflows/compliance-flag/reminders/1/after",
            json!("1bd"),
            &[
                r#"workflows.compliance-flag.reminders[1].after: `1bd` is not after the reminder before it; reminders rise"#,
            ],
        ),
        (
            "/workflows/compliance-flag/reason_codes",
            json!({}),
            &[r#"workflows.compliance-flag.reason_codes: there is none; a decision names its reason"#],
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
                r#"intake.history_after: `later` is not a window of working time; write e.g. `90s`, `30m`, `4h`, `1h30m` or `5bd` (at most 10000h or 1000bd)"#,
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
            &[r#"retention.personal: `personal` is not a field here; known: personal_data"#],
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
            format!("{at}: changes nothing of `imminent`; write its `at` or `do`, or `off: true`"),
        ),
        (
            json!([{"step": "imminent", "off": true, "at": "90%"}]),
            format!("{at}.off: a step that is switched off has no `at` and no `do`; leave them out"),
        ),
        (
            json!([{"step": "iminent", "off": true}]),
            format!("{at}.step: `iminent` is not a known step of this workflow; did you mean `imminent`?"),
        ),
        (
            json!([{"step": "iminent", "at": "90%"}]),
            format!(
                "{at}.do: is missing; `iminent` is no step of this workflow, so that it is one more here and needs \
                 its `at` and `do` (did you mean `imminent`?)"
            ),
        ),
        (
            json!([{"step": "late", "do": ["tell-owner"]}]),
            format!(
                "{at}.at: is missing; `late` is no step of this workflow, so that it is one more here and needs its \
                 `at` and `do` (known: breached, imminent, significantly-past)"
            ),
        ),
        (
            json!([{"step": "imminent", "at": "100%"}]),
            format!(
                "{at}.at: `imminent` is at 100% in this market, and so is `breached`; no two steps are at one share"
            ),
        ),
        (
            json!([{"step": "late", "at": "150%", "do": ["tell-owner"]}]),
            format!(
                "{at}.at: `late` is at 150% in this market, and so is `significantly-past`; no two steps are at one \
                 share"
            ),
        ),
        (
            json!([{"step": "imminent", "do": []}]),
            format!("{at}.do: there is nothing to do; name at least one action"),
        ),
        (
            json!([{"step": "", "at": "99%", "do": ["tell-owner"]}]),
            format!("{at}.step: `` is not a name of 1 to 64 characters"),
        ),
        (
            json!([{"step": "imminent", "at": "90%"}, {"step": "imminent", "do": ["tell-manager"]}]),
            "workflows.sla-breach.markets.dach[1].step: `imminent` is there twice".to_owned(),
        ),
    ];
    for (overrides, expected) in mistakes {
        assert_eq!(market(overrides.clone()), [expected], "{overrides}");
    }
    let many: Vec<_> = (1..=8)
        .map(|n| json!({"step": format!("s{n}"), "at": format!("{n}%"), "do": ["tell-owner"]}))
        .collect();
    assert_eq!(
        market(json!(many)),
        ["workflows.sla-breach.markets.dach: there are 11 steps; write at most 10"]
    );
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
            &["workflows.sla-breach.max_reassignments: `1000` is more than anybody means; write at most 100"],
        ),
        (
            "/states/0/stages",
            json!(["Closed Won", "Closed Won"]),
            &["states[0].stages[1]: `Closed Won` is a stage of `NEW` already; a stage means one state"],
        ),
        (
            "/states/0/stages",
            json!(["WON"]),
            &["states[0].stages[0]: `WON` is a state itself; leave it out, or rename the state"],
        ),
        (
            "/states/0/stages",
            json!(["COMPLIANCE_HOLD"]),
            &["states[0].stages[0]: `COMPLIANCE_HOLD` is the compliance workflow's own; no stage means it"],
        ),
        (
            "/states/0/stages",
            json!([" Open"]),
            &[
                "states[0].stages[0]: ` Open` has a space at an end, or a control character; nobody could name it",
            ],
        ),
        (
            "/quiet_hours",
            json!({"from": "22:00", "to": "22:00"}),
            &["quiet_hours.to: `22:00` is when they begin too; write another hour, or leave them out"],
        ),
        (
            "/quiet_hours",
            json!({"from": "10pm", "to": "07:00", "except": ["review-neded"]}),
            &[
                "quiet_hours.except[0]: `review-neded` is not a known value; did you mean `review-needed`?",
                "quiet_hours.from: `10pm` is not a time of the day; write e.g. `07:30`, from `00:00` to `23:59`",
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
            &["workflows.sla-breach.messages.held: is a message of `compliance-flag`; write it in \
                 `workflows.compliance-flag.messages`"],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"publication-digest": {"text": "x"}}),
            &[
                "workflows.sla-breach.messages.publication-digest: is of no workflow, and always in the product's own words; leave it out",
            ],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"sla-warning": {}}),
            &[
                "workflows.sla-breach.messages.sla-warning: words nothing; write its `title`, its `text`, or both",
            ],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"sla-warning": {"title": "{lead}\nnow", "text": " "}}),
            &[
                "workflows.sla-breach.messages.sla-warning.text: is empty; leave it out to have the product's own wording",
                "workflows.sla-breach.messages.sla-warning.title: has more than one line; a title is one",
            ],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"lead-taken": {"title": "{laed}: {left} {", "text": "{left} of {lead}"}}),
            &[
                "workflows.sla-breach.messages.lead-taken.text: `{left}` is never known in a `lead-taken` message; \
                 did you mean `lead`?",
                "workflows.sla-breach.messages.lead-taken.title: `{laed}` is not a placeholder; did you mean `lead`?",
                "workflows.sla-breach.messages.lead-taken.title: `{` at character 16 has no other brace; write `{{` for \
                 a brace as such",
            ],
        ),
        (
            "/workflows/compliance-flag/messages",
            json!({"held": {"text": "It stands in {state}."}}),
            &[
                "workflows.compliance-flag.messages.held.text: `{state}` is never known in a `held` message; known: \
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
