//! The tables in a database of a test, as the deployment's template has them.

use aws_sdk_dynamodb::Client;
use store::schema;

/// Creates the three of them.
pub async fn create(client: &Client, leads: &str, audit: &str, keys: &str) {
    for table in [schema::leads_table(leads), schema::audit_table(audit), schema::keys_table(keys)] {
        table.expect("a table").send_with(client).await.expect("the table is created");
    }
}
