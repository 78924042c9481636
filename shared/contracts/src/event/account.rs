//! Reads the account of an event: its profile, and churn signals.

use crate::fields;
use crate::fields::{Fields, Problems};
use chrono::{DateTime, Utc};
use rules::account::{AccountChanges, AccountInput};
use rules::unread::Unread;
use serde_json::Value;

/// Most bytes of a signal's evidence, as JSON.
pub const EVIDENCE_BYTES_MAX: usize = 4_096;

pub(super) fn upserted(account: &Fields<'_>, at: DateTime<Utc>, problems: &mut Problems) -> AccountInput {
    let changes = AccountChanges {
        name: account.patch("name", problems, fields::line),
        tier: account.patch("tier", problems, fields::name(&["standard", "strategic"])),
        owner: account.patch("owner", problems, fields::id),
        customer_success_owner: account.patch("customer_success_owner", problems, fields::id),
    };
    AccountInput::Update { occurred_at: at, changes, unread: Unread::default() }
}

/// Reads a churn signal.
pub(crate) fn churn_signal(
    account: &Fields<'_>,
    at: DateTime<Utc>,
    problems: &mut Problems,
) -> Option<AccountInput> {
    let signal = account.required(
        "signal",
        problems,
        fields::name(&["usage_down", "ticket_spike", "stakeholder_left"]),
    );
    let evidence = account.required("evidence", problems, evidence);
    Some(AccountInput::Signal {
        occurred_at: at,
        signal: signal?,
        evidence: Some(evidence?),
        unread: Unread::default(),
    })
}

/// Reads evidence, which has the source's own structure and is kept as JSON text. A number that is not whole
/// becomes a string.
fn evidence(value: &Value) -> Result<String, String> {
    if serde_json::to_vec(value).map_or(usize::MAX, |json| json.len()) > EVIDENCE_BYTES_MAX {
        return Err(format!("must be at most {EVIDENCE_BYTES_MAX} bytes of JSON"));
    }
    if value.is_null() {
        return Err("is missing".to_owned());
    }
    Ok(exact(value).to_string())
}

fn exact(value: &Value) -> Value {
    match value {
        Value::Number(n) if !n.is_i64() && !n.is_u64() => Value::String(n.to_string()),
        Value::Array(items) => items.iter().map(exact).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), exact(v))).collect(),
        other => other.clone(),
    }
}
