//! `leadctl policy schema`: what an editor has to know of policies and directories.

use rules::schema;

/// What `schema` is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Of which document
    #[arg(value_enum, default_value = "policy")]
    of: Kind,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    Policy,
    Directory,
}

/// Runs it: a JSON Schema on standard output.
///
/// # Errors
/// Standard output that cannot be written to.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let schema = match arguments.of {
        Kind::Policy => schema::policy(),
        Kind::Directory => schema::directory(),
    };
    super::answer(&format!("{schema:#}\n"))?;
    Ok(true)
}
