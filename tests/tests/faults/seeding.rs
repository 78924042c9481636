//! What stands before a run begins: the tables, a policy, a directory.

use crate::bundle::Clients;
use crate::common;
use crate::database::{AUDIT, KEYS, LEADS};
use chrono::{DateTime, Utc};
use rules::directory::Directory;
use rules::entry::Actor;
use rules::policy::Policy;
use rules::publication::Publishing;
use std::sync::LazyLock;
use store::schema;

static POLICY: LazyLock<Policy> = LazyLock::new(|| common::lively_policy(1));
static DIRECTORY: LazyLock<Directory> = LazyLock::new(common::tight_directory);

/// Makes it so.
pub async fn seed(clients: &Clients, now: DateTime<Utc>) {
    let client = clients.database();
    let tables = [schema::leads_table(LEADS), schema::audit_table(AUDIT), schema::keys_table(KEYS)];
    for table in tables {
        let table = table.expect("a table");
        client
            .create_table()
            .set_table_name(table.table_name)
            .set_key_schema(table.key_schema)
            .set_attribute_definitions(table.attribute_definitions)
            .set_billing_mode(table.billing_mode)
            .set_global_secondary_indexes(table.global_secondary_indexes)
            .send()
            .await
            .expect("a table");
    }
    let store = clients.service().store;
    let by = Actor::staff("ops");
    let publishing = Publishing { by: &by, why: "the first", cause: "seed", now };
    let directory = DIRECTORY.document();
    store.publish_directory(directory, &publishing, None, None).await.expect("a sound directory");
    store.publish_policy(&POLICY, &publishing, None, None).await.expect("a sound policy");
}
