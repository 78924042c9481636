//! What has to be so after every run, whatever went wrong in it.

use crate::bundle::Clients;
use crate::database::{AUDIT, KEYS, LEADS, text};
use crate::plan::PERSON;
use crate::sim::Sim;
use crate::{absence, promises, staff};
use audit::{ChainedCommit, Hash};
use insight::simulate::AnyEntry;
use leadwatch_tests::history::Replay;
use policy::ids::{AccountId, PublicationId, Subject};
use rules::account::{Account, AccountCommand, AccountFact, AccountInput};
use rules::aggregate::fold;
use rules::entry::{Actor, Entry};
use rules::lead::{Command, Input, Lead, LeadFact};
use rules::publication::{Publication, PublicationFact};
use rules::rep::RepFact;
use rules::roster::Standing;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use store::{PK, SK, Store, schema};

/// Looks at everything. What is wrong is added to what the run itself found.
pub async fn check(sim: &mut Sim<'_>) -> Vec<String> {
    let mut wrong = std::mem::take(&mut sim.violations);
    if !wrong.is_empty() {
        return wrong;
    }
    sim.let_through(true);
    let store = Clients::new(&sim.line).service().store;
    let commits = match commits(sim, &store).await {
        Ok(commits) => commits,
        Err(error) => return vec![error],
    };
    wrong.extend(chains(sim, &commits));
    wrong.extend(folds(&store, &commits).await);
    wrong.extend(in_order(&store, &commits).await);
    wrong.extend(loads(&store).await);
    wrong.extend(absence::check(&store, &commits).await);
    wrong.extend(notifications(sim, &commits));
    wrong.extend(sends(sim));
    wrong.extend(acknowledgements(sim, &commits));
    wrong.extend(bus(sim, &commits));
    wrong.extend(promises::check(sim, &commits));
    wrong.extend(views(&store, &commits).await);
    wrong.extend(personal(sim, &store, &commits).await);
    // Last: it wakes everybody, and so may write.
    wrong.extend(due(sim, &store, &commits).await);
    wrong
}

/// All commits in the order in which they were written.
async fn commits(sim: &Sim<'_>, store: &Store) -> Result<Vec<ChainedCommit>, String> {
    let mut by_place = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.scan_audit(0, 1, after).await;
        let (commits, next) = page.map_err(|error| format!("the audit cannot be read: {error:?}"))?;
        by_place.extend(commits.into_iter().map(|c| ((c.subject.to_string(), c.commit), c)));
        after = next;
        if after.is_none() {
            break;
        }
    }
    let items = sim.database().stream.clone();
    let mut commits = Vec::new();
    for item in items {
        let number = text(&item, SK).parse().map_err(|_| "a commit without a number".to_owned())?;
        let place = (text(&item, PK), number);
        let found = by_place.remove(&place).ok_or_else(|| format!("{place:?} is gone from the audit"))?;
        commits.push(found);
    }
    Ok(commits)
}

fn entries<F: DeserializeOwned>(commit: &ChainedCommit) -> Vec<Entry<F>> {
    serde_json::from_str(commit.entries.get()).expect("entries of their own kind")
}

/// Each commit follows the one before it, and beside each subject stands the head of the last one.
fn chains(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut heads: BTreeMap<String, (u64, Hash)> = BTreeMap::new();
    for commit in commits {
        let name = commit.subject.to_string();
        let (number, prev) = heads.get(&name).copied().unwrap_or((0, Hash::ZERO));
        let head = commit.links().map(|links| links.head).ok();
        if commit.commit != number + 1 || commit.prev != prev || head != Some(commit.head) {
            wrong.push(format!("the chain of {name} breaks at commit {}", commit.commit));
        }
        heads.insert(name, (commit.commit, commit.head));
    }
    let indexed = sim.database().all(LEADS);
    let mut standing: BTreeMap<String, (u64, Option<Hash>)> = BTreeMap::new();
    for item in indexed.iter().filter(|item| !item[schema::HEADS.sort].is_null()) {
        use base64::Engine as _;
        let bytes = item["head"]["B"].as_str().unwrap_or_default();
        let bytes = base64::engine::general_purpose::STANDARD.decode(bytes).unwrap_or_default();
        let head = <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Hash::new);
        let number = item["head_commit"]["N"].as_str().and_then(|n| n.parse().ok()).unwrap_or_default();
        standing.insert(text(item, schema::HEADS.sort), (number, head));
    }
    let expected: BTreeMap<_, _> = heads.into_iter().map(|(s, (n, head))| (s, (n, Some(head)))).collect();
    if standing != expected {
        wrong
            .push(format!("the heads beside the subjects are {standing:?}, those of the audit {expected:?}"));
    }
    wrong
}

fn subjects(commits: &[ChainedCommit]) -> BTreeSet<Subject> {
    commits.iter().map(|commit| commit.subject.clone()).collect()
}

fn history<F: DeserializeOwned>(commits: &[ChainedCommit], subject: &Subject) -> Vec<Entry<F>> {
    commits.iter().filter(|commit| commit.subject == *subject).flat_map(entries).collect()
}

/// The audit folds to what is stored.
async fn folds(store: &Store, commits: &[ChainedCommit]) -> Vec<String> {
    let mut wrong = Vec::new();
    for subject in subjects(commits) {
        let is_so = match &subject {
            Subject::Lead(id) => {
                let folded = fold::<Lead>(&history::<LeadFact>(commits, &subject)).ok().flatten();
                let stored = store.lead(id).await.ok().flatten();
                folded.is_some() && folded == stored
            }
            Subject::Account(id) => {
                let folded = fold::<Account>(&history::<AccountFact>(commits, &subject)).ok().flatten();
                let stored = store.account(id).await.ok().flatten();
                folded.is_some() && folded == stored
            }
            Subject::Publication(id) => {
                let folded =
                    fold::<Publication>(&history::<PublicationFact>(commits, &subject)).ok().flatten();
                let stored = store.publication(id).await.ok().flatten();
                folded.is_some() && folded == stored
            }
            Subject::Rep(id) => {
                let folded = fold::<Standing>(&history::<RepFact>(commits, &subject));
                let folded = folded.ok().flatten().unwrap_or_default();
                let stored = store.standings([id]).await.expect("a rep").standings.remove(id);
                let of_history = |s: &Standing| (s.seq, s.commit, s.availability.clone(), s.told_of);
                stored.is_some_and(|stored| of_history(&stored) == of_history(&folded))
            }
        };
        if !is_so {
            wrong.push(format!("the audit of {subject} does not fold to what is stored"));
        }
    }
    wrong
}

/// What holds of every history entry by entry, in the order in which all of them were written: each
/// threshold once, no deed of sales in a hold, nobody gets a lead who is absent, full or unlicensed.
async fn in_order(store: &Store, commits: &[ChainedCommit]) -> Vec<String> {
    let mut directories = BTreeMap::new();
    let newest = store.current_directory().await.expect("a directory").revision();
    for revision in 1..=newest {
        directories.insert(revision, store.directory(revision).await.expect("a directory"));
    }
    let followed = catch_unwind(AssertUnwindSafe(|| {
        let mut replay = Replay::new(&directories[&1]);
        for commit in commits {
            let of: Vec<AnyEntry> = match &commit.subject {
                Subject::Lead(_) => entries(commit).into_iter().map(AnyEntry::Lead).collect(),
                Subject::Account(_) => entries(commit).into_iter().map(AnyEntry::Account).collect(),
                Subject::Rep(_) => entries(commit).into_iter().map(AnyEntry::Rep).collect(),
                Subject::Publication(_) => Vec::new(),
            };
            for entry in &of {
                if let AnyEntry::Lead(entry) = entry {
                    replay.under(&directories[&entry.directory_revision]);
                }
                replay.follow(entry);
            }
        }
    }));
    followed.err().map(|panic| format!("in the history: {}", said(panic.as_ref()))).into_iter().collect()
}

/// What a panic said.
pub fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// What a rep carries by our count is what they own.
async fn loads(store: &Store) -> Vec<String> {
    let directory = store.current_directory().await.expect("a directory");
    let mut wrong = Vec::new();
    for team in directory.document().teams.values() {
        let roster = store.standings(team.reps.keys()).await.expect("a team");
        for rep in team.reps.keys() {
            let leads = store.leads_by_owner(rep, 100, None).await.expect("a list").items;
            let carried = leads.iter().filter(|lead| lead.carried_by() == Some(rep)).count();
            let counted = roster.standings.get(rep).map_or(0, |standing| standing.load as usize);
            if carried != counted {
                wrong.push(format!("{rep} carries {carried} leads and is counted with {counted}"));
            }
        }
    }
    wrong
}

/// The entries of all commits as they lie in the audit.
pub fn raw(commits: &[ChainedCommit]) -> impl Iterator<Item = Value> {
    commits
        .iter()
        .flat_map(|commit| serde_json::from_str::<Vec<Value>>(commit.entries.get()).expect("a list"))
}

const OUTCOMES: [&str; 4] =
    ["notification.delivered", "notification.failed", "notification.withdrawn", "recipient.unreachable"];

/// Each notification that was asked for was delivered, or failed and says so, once; or waits for
/// the end of somebody's quiet hours. What lies in the dead-letter queue has its entry.
fn notifications(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut outcomes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut requested = BTreeSet::new();
    for entry in raw(commits) {
        let kind = entry["type"].as_str().unwrap_or_default().to_owned();
        let id = entry["data"]["id"].as_str().unwrap_or_default().to_owned();
        if kind == "notification.requested" && !requested.insert(id.clone()) {
            wrong.push(format!("notification {id} is asked for twice"));
        }
        if OUTCOMES.contains(&kind.as_str()) {
            outcomes.entry(id).or_default().push(kind);
        }
    }
    let now = sim.instant();
    let waiting: BTreeSet<String> = sim
        .database()
        .all(LEADS)
        .iter()
        .filter_map(|item| {
            let id = text(item, PK).strip_prefix("OUTBOX#")?.to_owned();
            let notification: Value = serde_json::from_str(&text(item, "doc")).ok()?;
            let not_before: chrono::DateTime<chrono::Utc> =
                notification["not_before"].as_str()?.parse().ok()?;
            (not_before > now).then_some(id)
        })
        .collect();
    for id in &requested {
        match outcomes.get(id).map(Vec::as_slice) {
            Some([_]) if !waiting.contains(id) => {}
            None if waiting.contains(id) => {}
            found => {
                wrong.push(format!("notification {id} came to {found:?}, waits: {}", waiting.contains(id)))
            }
        }
    }
    for id in outcomes.keys().filter(|id| !requested.contains(*id)) {
        wrong.push(format!("notification {id} was never asked for"));
    }
    let delivered = |id: &str| outcomes.get(id).is_some_and(|o| o.iter().any(|o| o == OUTCOMES[0]));
    for id in requested.iter().filter(|id| delivered(id)) {
        if !sim.outside.sent.iter().any(|sent| sent.notification == *id) {
            wrong.push(format!("notification {id} is recorded as delivered, and nobody got it"));
        }
    }
    let mut dead = BTreeSet::new();
    for message in &sim.queues.by_name[crate::queues::NOTIFICATIONS].dead {
        let body: Value = serde_json::from_str(&message.body).unwrap_or(Value::Null);
        let id = body["id"].as_str().unwrap_or_default();
        dead.insert(id.to_owned());
        if !outcomes.contains_key(id) {
            wrong.push(format!("notification {id} is in the dead-letter queue without an entry"));
        }
    }
    let failed = |id: &&String| outcomes.get(*id).is_some_and(|o| o.iter().any(|o| o == OUTCOMES[1]));
    for id in requested.iter().filter(failed).filter(|id| !dead.contains(*id)) {
        wrong.push(format!("notification {id} failed, and is in no dead-letter queue"));
    }
    wrong
}

/// A notification is sent once, and once more only for each time that its sending was cut short.
fn sends(sim: &Sim<'_>) -> Vec<String> {
    let mut whole: BTreeMap<&str, u32> = BTreeMap::new();
    for sent in sim.outside.sent.iter().filter(|s| s.is_answered && !sim.harmed.contains(&s.invocation)) {
        *whole.entry(&sent.notification).or_default() += 1;
    }
    let twice = whole.into_iter().filter(|(_, times)| *times > 1);
    let mut wrong: Vec<String> =
        twice.map(|(id, times)| format!("notification {id} was sent {times} times for no reason")).collect();
    // In Slack one can look, so that it is there once whatever was cut short, unless the look itself was.
    let mut in_slack: BTreeSet<&str> = BTreeSet::new();
    for sent in sim.outside.sent.iter().filter(|sent| sent.is_in_slack) {
        if !in_slack.insert(&sent.notification) && !sim.harmed.contains(&sent.invocation) {
            wrong.push(format!("Slack has notification {} twice, and nobody looked", sent.notification));
        }
    }
    wrong
}

/// What was acknowledged to a source is in the audit, once.
fn acknowledgements(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut causes: BTreeMap<&str, BTreeSet<(&Subject, u64)>> = BTreeMap::new();
    for commit in commits {
        causes.entry(&commit.cause).or_default().insert((&commit.subject, commit.commit));
    }
    for (input, answer) in &sim.acknowledged {
        let one = [serde_json::json!({"id": answer["id"], "status": 200, "result": answer})];
        let results = answer["results"].as_array().map_or(&one[..], Vec::as_slice);
        for (k, result) in results.iter().enumerate().filter(|(_, result)| result["status"] == 200) {
            let n = usize::try_from(input["input"].as_u64().expect("a number")).expect("a number");
            let cause = format!("{}/{}", crate::outside::SOURCE, staff::event_id(n, k));
            let result = &result["result"];
            // What changes nothing uses its id up, and leaves no entry; so does what is in the record already.
            let is_kept = result["outcome"] == "unchanged" || result["outcome"] == "recorded";
            let is_repeated = result["duplicate"] == true && !is_kept;
            let must_be = is_repeated || result["entries"].as_u64() > Some(0);
            if must_be && !causes.contains_key(cause.as_str()) {
                wrong.push(format!("{cause} was acknowledged and is nowhere: {result}"));
            }
        }
    }
    let of_source = format!("{}/", crate::outside::SOURCE);
    for (cause, places) in causes.iter().filter(|(cause, _)| cause.starts_with(&of_source)) {
        // What is refused for its form may come again, and is refused again or, by then, applied. Its
        // commit may have more in it: what was due before, and a match, which counts in whatever it comes
        // with. Of an event that was applied but for one field nothing is said here; its id is guarded alike.
        let applied = places.iter().filter(|(subject, number)| {
            let commit = commits.iter().find(|c| c.subject == **subject && c.commit == *number);
            commit.is_some_and(|commit| {
                !raw(std::slice::from_ref(commit)).any(|e| e["type"] == "input.refused")
            })
        });
        if applied.count() > 1 {
            wrong.push(format!("{cause} was applied more than once: {places:?}"));
        }
    }
    wrong
}

/// The bus got every entry, or the stream said which it could not give it.
fn bus(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let given_up: BTreeSet<String> =
        sim.given_up.iter().map(|item| text(item, PK) + "/" + &text(item, SK)).collect();
    let mut wrong = Vec::new();
    for commit in commits {
        let subject = commit.subject.to_string();
        let place = format!("{subject}/{:012}", commit.commit);
        let got = sim.outside.published.get(&subject);
        for entry in raw(std::slice::from_ref(commit)) {
            let seq = entry["seq"].as_u64().expect("an entry has its place");
            if !got.is_some_and(|got| got.contains(&seq)) && !given_up.contains(&place) {
                wrong.push(format!("the bus never got entry {seq} of {subject}"));
            }
        }
    }
    wrong
}

/// A lead knows of its account what the account says.
async fn views(store: &Store, commits: &[ChainedCommit]) -> Vec<String> {
    let mut wrong = Vec::new();
    for subject in subjects(commits) {
        let Subject::Lead(id) = &subject else { continue };
        let lead = store.lead(id).await.expect("a lead").expect("whoever has a history");
        let Some(of) = &lead.profile.account_id else { continue };
        let account = store.account(of).await.expect("an account");
        let view = account.map(|account| account.view()).unwrap_or_default();
        let known = (lead.account_view.tier, lead.account_view.outreach_paused);
        if known != (view.tier, view.outreach_paused) {
            wrong.push(format!("{subject} does not know what {of} says: {known:?}, and not {view:?}"));
        }
    }
    wrong
}

/// Personal data lies nowhere but sealed, and the key of who was erased is gone.
async fn personal(sim: &Sim<'_>, store: &Store, commits: &[ChainedCommit]) -> Vec<String> {
    let mut wrong = Vec::new();
    for table in [LEADS, AUDIT] {
        let items = sim.database().all(table);
        let plain = items.iter().filter(|item| item.to_string().contains(PERSON));
        wrong.extend(plain.map(|item| format!("personal data is not sealed in {}", text(item, PK))));
    }
    let keys = sim.database().all(KEYS);
    for subject in subjects(commits) {
        let Subject::Lead(id) = &subject else { continue };
        let lead = store.lead(id).await.ok().flatten();
        let is_erased = lead.as_ref().is_some_and(|lead| lead.erased_at.is_some());
        let of_it = |family: &str| keys.iter().any(|key| text(key, PK) == format!("{family}#{subject}"));
        let (has_key, has_tombstone) = (of_it("KEY"), of_it("ERASED"));
        if is_erased && has_key {
            wrong.push(format!("{subject} was erased, and its key is there"));
        }
        if is_erased != has_tombstone {
            wrong.push(format!("{subject} was erased: {is_erased}, its key says so: {has_tombstone}"));
        }
        if let Some(lead) = lead.as_ref().filter(|lead| !lead.is_erased()) {
            let sealed = lead.personal.clone().texts().count();
            let opened = store
                .personal_of(lead)
                .await
                .map(|mut personal| personal.texts().filter(|text| !sealing::is_sealed(text)).count());
            if !opened.as_ref().is_ok_and(|opened| *opened == sealed) {
                wrong.push(format!("of {sealed} personal texts of {subject} can be read: {opened:?}"));
            }
        }
        let is_empty = lead.is_none_or(|lead| lead.personal.is_empty());
        if is_erased && !is_empty {
            wrong.push(format!("{subject} was erased, and something personal is beside it"));
        }
    }
    wrong
}

/// Nothing that is due is forgotten: whoever is woken now has nothing to do, and stands in the due
/// index no later than they have.
async fn due(sim: &Sim<'_>, store: &Store, commits: &[ChainedCommit]) -> Vec<String> {
    let now = sim.instant();
    let keys: BTreeMap<String, String> = sim.database().due().into_iter().map(|(at, pk)| (pk, at)).collect();
    let mut wrong = Vec::new();
    for (pk, at) in keys.iter().filter(|(pk, _)| pk.starts_with("REP#")) {
        if at.parse::<chrono::DateTime<chrono::Utc>>().is_ok_and(|at| at <= now) {
            wrong.push(format!("{pk} was due at {at} and nobody looked at them"));
        }
    }
    for subject in subjects(commits) {
        let (pk, entries, wake_at, news) = match &subject {
            Subject::Lead(id) => {
                let (actor, cause) = (Actor::system("clock"), "check".to_owned());
                let command = Command { lead: id.clone(), actor, cause, input: Input::Wake };
                let done = store.execute(&command, None, now).await.expect("a lead is woken");
                wrong.extend(waits(store, &command, done.state.as_ref(), now).await);
                (format!("LEAD#{id}"), serde_json::json!(done.entries), done.wake_at, false)
            }
            Subject::Account(id) => {
                let done = wake_account(store, id, now).await;
                let news = done.state.is_some_and(|account| account.has_news_for_leads());
                (format!("ACCOUNT#{id}"), serde_json::json!(done.entries), done.wake_at, news)
            }
            Subject::Publication(id) => {
                wrong.extend(unapplied(store, id).await);
                continue;
            }
            Subject::Rep(_) => continue,
        };
        let stands = keys.get(&pk).and_then(|at| at.parse::<chrono::DateTime<chrono::Utc>>().ok());
        if entries != serde_json::json!([]) {
            wrong.push(format!("{subject} was forgotten: {entries}"));
        } else if news {
            wrong.push(format!("the leads of {subject} were not told"));
        } else if wake_at
            .is_some_and(|at| stands.is_none_or(|stands| stands > at + chrono::TimeDelta::milliseconds(1)))
        {
            wrong.push(format!("{subject} is due at {wake_at:?} and stands in the index at {stands:?}"));
        }
    }
    wrong
}

/// Nobody waits for a rep while one of the team has room.
async fn waits(
    store: &Store,
    wake: &Command,
    lead: Option<&Lead>,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<String> {
    lead.filter(|lead| lead.waits_for_rep())?;
    let offer = Command { input: Input::Offer, ..wake.clone() };
    let done = store.execute(&offer, None, now).await.expect("a lead is offered a place");
    let owner = done.state?.owner?;
    Some(format!("lead/{} waited for a rep although {owner} had room", wake.lead))
}

async fn wake_account(
    store: &Store,
    id: &AccountId,
    now: chrono::DateTime<chrono::Utc>,
) -> store::Committed<rules::account::Account> {
    let (actor, cause) = (Actor::system("clock"), "check".to_owned());
    let command = AccountCommand { account: id.clone(), actor, cause, input: AccountInput::Wake };
    store.execute_account(&command, None, now).await.expect("an account is woken")
}

async fn unapplied(store: &Store, id: &PublicationId) -> Option<String> {
    let publication = store.publication(id).await.expect("a publication")?;
    publication.applied.is_none().then(|| format!("{id} never came to its end"))
}
