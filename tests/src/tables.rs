//! The tables in a database of a test, as the deployment's template has them.

use aws_sdk_dynamodb::Client;
use store::schema;

/// Creates the three of them.
pub async fn create(client: &Client, leads: &str, audit: &str, keys: &str) {
    for table in [schema::leads_table(leads), schema::audit_table(audit), schema::keys_table(keys)] {
        let table = table.expect("a table");
        client
            .create_table()
            .set_table_name(table.table_name)
            .set_key_schema(table.key_schema)
            .set_attribute_definitions(table.attribute_definitions)
            .set_billing_mode(table.billing_mode)
            .set_global_secondary_indexes(table.global_secondary_indexes)
            .set_stream_specification(table.stream_specification)
            .send()
            .await
            .expect("the table is created");
    }
}
