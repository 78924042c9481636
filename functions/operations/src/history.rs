//! The history of a lead or an account, with the links of its hash chain for readers who see every entry in
//! full.

use crate::call::Call;
use crate::sight;
use audit::canonical::CanonicalError;
use audit::{ChainedCommit, chain};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use platform::problem::Problem;
use platform::response;
use policy::ids::Subject;
use serde_json::{Value, json};
use service::{paging, problem};
use store::{PersonalData, StoreError};

/// The history of a subject, the oldest commit first.
pub async fn show(call: &Call<'_>, subject: &Subject) -> Result<ApiGatewayV2httpResponse, Problem> {
    let part = paging::page_query(call.request)?;
    let page = call
        .service
        .store
        .chained_audit(subject, part.after.as_ref(), part.limit)
        .await
        .map_err(|e| problem(&e))?;
    let next = paging::next(call.request, &page);
    let unreadable = |error: CanonicalError| StoreError::Corrupt {
        what: format!("the audit of {subject}"),
        source: Some(error.into()),
    };
    let read = |commit: ChainedCommit| -> Result<_, StoreError> {
        let entries: Vec<Value> =
            serde_json::from_str(commit.entries.get()).map_err(|error| unreadable(error.into()))?;
        let hashes = commit.links().map_err(unreadable)?.entries;
        Ok((commit.prev, commit.recorded_at, entries, hashes))
    };
    let commits: Vec<_> =
        page.items.into_iter().map(read).collect::<Result<_, _>>().map_err(|error| problem(&error))?;
    // The key to personal texts is read only if the caller may see some.
    let shows = |entry: &Value| sight::shows_evidence(entry, call.caller);
    let personal = if commits.iter().flat_map(|(_, _, entries, _)| entries).any(shows) {
        call.service.store.personal_data(subject).await.map_err(|error| problem(&error))?
    } else {
        PersonalData::None
    };
    let mut shown = Vec::new();
    for (mut prev, recorded_at, entries, hashes) in commits {
        let seen = sight::commit(entries, call.caller, &personal).map_err(|error| problem(&error))?;
        for (mut entry, hash) in seen.into_iter().zip(hashes) {
            if let Value::Object(members) = &mut entry {
                members.insert("recorded_at".to_owned(), json!(recorded_at));
            }
            if sight::sees_links(call.caller) {
                chain::with_links(&mut entry, prev, hash);
            }
            prev = hash;
            shown.push(entry);
        }
    }
    Ok(response::json(200, &json!({"entries": shown, "next": next}), None))
}
