//! Decides who sees what. One [`table`] names the audience of each member of an audit entry, a lead, an
//! account, an explanation and a message. The API, the event bus, messages and the command line use the
//! functions here to remove the rest.
//!
//! Personal data is encrypted in the audit, and none of these functions reveals it. Two readers decrypt it
//! with the store's data keys: a compliance review, and those who judge the evidence of a churn signal.

mod audience;
pub mod page;
pub mod table;

pub use audience::{Audience, Reader};

use policy::WorkflowId;
use rules::notification::Notification;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use table::{
    ACCOUNT, BY_SOURCE, BY_STAFF, BY_SYSTEM, CONFIDENTIAL, CONFIDENTIAL_COMMIT, ENTRY, LEAD, MESSAGE,
    OF_COMPLIANCE, OWN_CAUSES, SALES_REFUSAL, SALES_REFUSALS, TABLE,
};

/// The member that holds everything personal.
pub const PERSONAL: &str = "personal";
/// The type of a refusal.
const REFUSED: &str = "input.refused";

static ROWS: LazyLock<BTreeMap<(&str, &str), Audience>> = LazyLock::new(|| {
    let rows = TABLE.iter().flat_map(|(of, to, members)| {
        // An entry without members is named only by its row.
        let members = members.split_whitespace().chain(members.is_empty().then_some(""));
        members.map(move |member| ((*of, member), *to))
    });
    rows.collect()
});

/// The audience that the table names for a member: by its own row, or by the nearest hidden member around it.
/// `None` if no row names it.
pub fn named(of: &str, member: &str) -> Option<Audience> {
    let exact = ROWS.get(&(of, member)).copied();
    exact.or_else(|| {
        let (around, _) = member.rsplit_once('.')?;
        let any = format!("{around}.*");
        ROWS.get(&(of, any.as_str())).copied().or_else(|| named(of, around).filter(|to| to.hides()))
    })
}

/// The audience of a member.
pub fn audience(of: &str, member: &str) -> Audience {
    named(of, member).unwrap_or(Audience::MustKnow)
}

/// Whether a reader is among those who must know, who see every entry except its encrypted parts. Only they
/// get the links of the hash chain: with the hash of a whole entry, a reader could guess the removed parts.
pub fn must_know(readers: &[Reader]) -> bool {
    Audience::MustKnow.includes_any(readers)
}

/// The audit entries of one commit as readers may see them.
pub fn commit(mut entries: Vec<Value>, readers: &[Reader]) -> Vec<Value> {
    let is_confidential = entries.iter().any(is_confidential);
    let origin = origin_of(&entries);
    let rows_of = |origin: Origin| match origin {
        Origin::System => BY_SYSTEM,
        _ if is_confidential => CONFIDENTIAL_COMMIT,
        Origin::Source => BY_SOURCE,
        Origin::Staff => BY_STAFF,
        Origin::Unknown => CONFIDENTIAL_COMMIT,
    };
    for entry in &mut entries {
        let (kind, actor) = (kind_of(entry), rows_of(Origin::of(entry)));
        let Value::Object(members) = entry else { continue };
        let data = members.remove("data");
        retain(members, "", &|member| {
            let of = match member {
                "actor.id" => actor,
                // A timer that an input triggered carries the input's cause, which can name a person.
                "cause" => rows_of(origin),
                _ => ENTRY,
            };
            audience(of, member).includes_any(readers)
        });
        if let Some(data) = data {
            members.insert("data".to_owned(), shown(data, &kind, readers));
        }
    }
    entries
}

/// A lead as readers may see it.
pub fn lead(document: Value, readers: &[Reader]) -> Value {
    shown(document, LEAD, readers)
}

/// An account as readers may see it.
pub fn account(document: Value, readers: &[Reader]) -> Value {
    shown(document, ACCOUNT, readers)
}

/// A notification as its recipient may read it.
pub fn message(notification: &Notification) -> Notification {
    let mut told = notification.clone();
    let readers = [Reader::of(&told.to)];
    // Particulars that cannot be converted are omitted: each may be absent.
    let particulars = serde_json::to_value(&told.particulars).unwrap_or_default();
    told.particulars = serde_json::from_value(shown(particulars, MESSAGE, &readers)).unwrap_or_default();
    told
}

/// Whether readers see a member's decrypted content.
pub fn opens(entry: &Value, member: &str, readers: &[Reader]) -> bool {
    let to = named(&kind_of(entry), member);
    to.is_some_and(|to| to == Audience::Judges && to.includes_any(readers))
}

/// The name of an entry in the table.
pub fn kind_of(entry: &Value) -> String {
    let kind = entry.get("type").and_then(Value::as_str).unwrap_or_default();
    let is_always_confidential = CONFIDENTIAL.contains(&kind);
    if is_of_compliance(entry) && !is_always_confidential {
        return format!("{OF_COMPLIANCE}{kind}");
    }
    if kind == REFUSED && is_of_sales(entry) {
        return SALES_REFUSAL.to_owned();
    }
    kind.to_owned()
}

fn is_of_compliance(entry: &Value) -> bool {
    entry.pointer("/workflow/id").and_then(Value::as_str) == Some(WorkflowId::ComplianceFlag.as_str())
}

/// Whether a refusal concerns only sales.
fn is_of_sales(entry: &Value) -> bool {
    let what = entry.pointer("/data/what").and_then(Value::as_str).unwrap_or_default();
    SALES_REFUSALS.iter().any(|known| {
        let rest = what.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '/']))
    })
}

/// Whether only those who must know may see who caused an entry.
fn is_confidential(entry: &Value) -> bool {
    let kind = entry.get("type").and_then(Value::as_str).unwrap_or_default();
    CONFIDENTIAL.contains(&kind) || is_of_compliance(entry) || kind == REFUSED && !is_of_sales(entry)
}

/// The origin of an entry or a commit.
#[derive(Clone, Copy)]
enum Origin {
    System,
    Source,
    Staff,
    /// Unknown.
    Unknown,
}

impl Origin {
    fn of(entry: &Value) -> Self {
        match entry.pointer("/actor/kind").and_then(Value::as_str) {
            Some("system") => Self::System,
            Some("source") => Self::Source,
            Some("staff") => Self::Staff,
            _ => Self::Unknown,
        }
    }
}

/// The origin of a commit. If only timers fired, an input may have triggered them without an entry of its own;
/// the cause shows whether it was Leadwatch's own.
fn origin_of(entries: &[Value]) -> Origin {
    let others = entries.iter().map(Origin::of).find(|by| !matches!(by, Origin::System));
    let is_own = |entry: &Value| {
        let cause = entry.get("cause").and_then(Value::as_str).unwrap_or_default();
        OWN_CAUSES.iter().any(|own| cause.starts_with(own))
    };
    others.unwrap_or(if entries.iter().all(is_own) { Origin::System } else { Origin::Unknown })
}

/// The parts of a document for readers. An object without any remaining member is removed.
fn shown(mut document: Value, of: &str, readers: &[Reader]) -> Value {
    if let Value::Object(members) = &mut document {
        retain(members, "", &|member| audience(of, member).includes_any(readers));
    }
    document
}

fn retain(members: &mut Map<String, Value>, around: &str, sees: &impl Fn(&str) -> bool) {
    members.retain(|name, value| {
        let member = if around.is_empty() { name.clone() } else { format!("{around}.{name}") };
        // Personal data is decrypted elsewhere or not shown, whatever a row says.
        name != PERSONAL && retain_within(value, &member, sees)
    });
}

/// Reduces a value. Returns whether anything remains.
fn retain_within(value: &mut Value, member: &str, sees: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Object(members) if !members.is_empty() => {
            retain(members, member, sees);
            !members.is_empty()
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.retain_mut(|item| retain_within(item, member, sees));
            !items.is_empty()
        }
        _ => sees(member),
    }
}
