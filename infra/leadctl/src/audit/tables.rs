//! The live tables of a deployment: in AWS, or on the local stack.

use std::path::PathBuf;

use aws_config::BehaviorVersion;
use store::Store;

use crate::seed;
use crate::state::{DIRECTORY, State};

/// The options that name the tables.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Tables {
    /// The leads table of a deployment in AWS [default: the local stack]
    #[arg(long, value_name = "NAME", env = "LEADS_TABLE", requires = "audit_table")]
    pub(super) leads_table: Option<String>,
    /// The audit table of that deployment; credentials and region come from the environment
    #[arg(long, value_name = "NAME", env = "AUDIT_TABLE", requires = "leads_table")]
    audit_table: Option<String>,
    /// The name of that deployment, as its checkpoints have it: the name of the stack
    #[arg(long, value_name = "NAME", env = "DEPLOYMENT", requires = "leads_table")]
    deployment: Option<String>,
}

/// The open tables of a deployment.
pub struct Live {
    /// The store over the tables.
    pub store: Store,
    /// The deployment's name.
    pub deployment: String,
    /// The leads table.
    pub leads_table: String,
    /// The audit table.
    pub audit_table: String,
}

/// Opens the tables that the options name.
///
/// # Errors
/// When no stack runs, or its state cannot be read.
pub(super) async fn open(
    root: impl Fn() -> anyhow::Result<PathBuf>,
    tables: &Tables,
) -> anyhow::Result<Live> {
    if let (Some(leads), Some(audit)) = (&tables.leads_table, &tables.audit_table) {
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let client = aws_sdk_dynamodb::Client::new(&sdk);
        let region = sdk.region().map(ToString::to_string).unwrap_or_default();
        return Ok(Live {
            store: Store::new(client, leads, audit),
            deployment: tables
                .deployment
                .clone()
                .unwrap_or_else(|| format!("aws {region}").trim_end().to_owned()),
            leads_table: leads.clone(),
            audit_table: audit.clone(),
        });
    }
    let state = State::load(&root()?.join(DIRECTORY))?;
    Ok(Live {
        store: seed::local_store(&state).await?,
        deployment: state.stack_name.clone(),
        leads_table: state.output("LeadsTableName")?.to_owned(),
        audit_table: state.output("AuditTableName")?.to_owned(),
    })
}
