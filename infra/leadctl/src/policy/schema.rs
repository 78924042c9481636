//! `leadctl policy schema`: what an editor has to know of policies and directories.

use crate::output::print_text;
use policy::schema;

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
pub fn run(arguments: &Arguments) {
    let schema = match arguments.of {
        Kind::Policy => schema::policy(),
        Kind::Directory => schema::directory(),
    };
    print_text(&format!("{schema:#}\n"));
}
