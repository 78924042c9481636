//! What stands before a run begins: the tables, a policy, a directory.

use crate::bundle::Clients;
use crate::database::{AUDIT, KEYS, LEADS};
use chrono::{DateTime, Utc};
use leadwatch_tests::seeded::{lively_policy, tight_directory};
use leadwatch_tests::tables;
use policy::CheckedPolicy;
use policy::directory::Directory;
use rules::entry::Actor;
use rules::publication::Publishing;
use std::sync::LazyLock;

static POLICY: LazyLock<CheckedPolicy> =
    LazyLock::new(|| lively_policy(1).checked().expect("a sound policy"));
static DIRECTORY: LazyLock<Directory> = LazyLock::new(tight_directory);

/// Makes it so.
pub async fn seed(clients: &Clients, now: DateTime<Utc>) {
    tables::create(&clients.database(), LEADS, AUDIT, KEYS).await;
    let store = clients.service().store;
    let by = Actor::staff("ops");
    let publishing = Publishing { by: &by, publisher: None, why: "the first", cause: "seed", now };
    store.publish_directory(&DIRECTORY, &publishing, None, None).await.expect("a sound directory");
    store.publish_policy(&POLICY, &publishing, None, None).await.expect("a sound policy");
}
