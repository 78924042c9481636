//! What an event makes of an account.

use crate::account::event::AccountFact;
use crate::account::state::{Account, ChurnRiskElevated, SignalRecord};
use crate::account_view::AccountView;
use crate::aggregate::FoldError;
use crate::entry::Entry;
use policy::ids::Subject;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What the first entry makes: an account.
pub(super) fn begin(entry: &Entry<AccountFact>) -> Result<Account, FoldError> {
    FoldError::require_next(entry, 0)?;
    let (AccountFact::Created {}, Subject::Account(id)) = (&entry.fact, &entry.subject) else {
        return Err(FoldError::beginning(entry));
    };
    let mut account = Account {
        id: id.clone(),
        seq: 0,
        commit: 0,
        changed_at: entry.at,
        name: None,
        tier: None,
        owner: None,
        customer_success_owner: None,
        said_at: BTreeMap::new(),
        churn_risk: None,
        leads_told: AccountView::default(),
        news_seq: 0,
        news_at: None,
    };
    fold_in(&mut account, entry);
    Ok(account)
}

/// What a later entry makes of an account.
pub(super) fn follow(account: &mut Account, entry: &Entry<AccountFact>) -> Result<(), FoldError> {
    FoldError::require_next(entry, account.seq)?;
    if matches!(entry.fact, AccountFact::Created {}) || !matches!(entry.subject, Subject::Account(_)) {
        return Err(FoldError::beginning(entry));
    }
    fold_in(account, entry);
    Ok(())
}

fn fold_in(account: &mut Account, entry: &Entry<AccountFact>) {
    account.seq = entry.seq;
    account.commit = entry.commit;
    account.changed_at = entry.at;
    let before = account.view();
    apply(account, entry);
    let after = account.view();
    // What came and went meanwhile is news all the same: some leads may have heard of it.
    if (before.tier, before.outreach_paused) != (after.tier, after.outreach_paused) {
        (account.news_seq, account.news_at) = (entry.seq, Some(entry.at));
    }
}

fn apply(account: &mut Account, entry: &Entry<AccountFact>) {
    match &entry.fact {
        AccountFact::Updated { changes, confirmed, occurred_at } => {
            let said_at = &mut account.said_at;
            macro_rules! apply {
                ($($field:ident),*) => {$(
                    if !changes.$field.is_keep() {
                        changes.$field.apply_to(&mut account.$field);
                        said_at.insert(SmolStr::new_static(stringify!($field)), *occurred_at);
                    }
                )*};
            }
            apply!(name, tier, owner, customer_success_owner);
            for field in confirmed {
                said_at.insert(SmolStr::new(field), *occurred_at);
            }
        }
        AccountFact::Elevated { .. } => {
            account.churn_risk = Some(ChurnRiskElevated {
                since: entry.at,
                signals: Vec::new(),
                touchpoint_due: None,
                outreach_paused_until: None,
            });
        }
        AccountFact::SignalRecorded { id, signal, .. } => {
            if let Some(risk) = &mut account.churn_risk {
                if risk.signals.len() >= SIGNALS_MAX {
                    risk.signals.remove(0);
                }
                risk.signals.push(SignalRecord { id: id.clone(), signal: *signal, false_positive: false });
            }
        }
        AccountFact::TouchpointScheduled { due } => {
            if let Some(risk) = &mut account.churn_risk {
                risk.touchpoint_due = Some(*due);
            }
        }
        AccountFact::TouchpointDue {} => {
            if let Some(risk) = &mut account.churn_risk {
                risk.touchpoint_due = None;
            }
        }
        AccountFact::OutreachPaused { until } => {
            if let Some(risk) = &mut account.churn_risk {
                risk.outreach_paused_until = Some(*until);
            }
        }
        AccountFact::OutreachResumed { .. } => {
            if let Some(risk) = &mut account.churn_risk {
                risk.outreach_paused_until = None;
            }
        }
        AccountFact::FalsePositive { id, .. } => {
            for record in account.churn_risk.iter_mut().flat_map(|risk| &mut risk.signals) {
                record.false_positive |= record.id == *id;
            }
        }
        AccountFact::Cleared { .. } => account.churn_risk = None,
        AccountFact::LeadsTold { view, .. } => account.leads_told = view.clone(),
        AccountFact::Created {}
        | AccountFact::InputStale { .. }
        | AccountFact::InputRefused { .. }
        | AccountFact::InputNotUnderstood(_)
        | AccountFact::RetentionCompleted { .. }
        | AccountFact::Notification(_) => {}
    }
}

/// How many signals of a risk an account carries; all of them are in its record.
const SIGNALS_MAX: usize = 200;
