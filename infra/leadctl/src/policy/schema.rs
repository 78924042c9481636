//! `leadctl policy schema`: the JSON Schemas of policies and directories, for editors.

use crate::output::print_text;
use policy::schema;

/// Options of `leadctl policy schema`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The kind of document
    #[arg(value_enum, default_value = "policy")]
    of: Kind,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    Policy,
    Directory,
}

/// Prints a JSON Schema.
pub fn run(arguments: &Arguments) {
    let schema = match arguments.of {
        Kind::Policy => schema::policy(),
        Kind::Directory => schema::directory(),
    };
    print_text(&format!("{schema:#}\n"));
}
