//! The command line: every command with its options.

use clap::{Parser, Subcommand};

/// Command-line tool for Leadwatch
#[derive(Parser)]
#[command(
    name = "leadctl",
    version,
    propagate_version = true,
    after_help = "Exit status: 0 done, or the answer is yes; 1 the answer is no; 2 the command could not run."
)]
pub struct Arguments {
    #[command(subcommand)]
    /// The command
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Run everything on this machine, until Ctrl-C
    Up(crate::up::Arguments),
    /// Stop what `up` started, from another terminal
    Down,
    /// Play the whole story against the running stack, in about a minute
    Demo(crate::demo::Arguments),
    /// Post events to the running stack, signed as a CRM signs them
    Send(crate::send::Arguments),
    /// Print a token to call the API as a member of the local staff
    Token(crate::token::Arguments),
    /// Explain why each workflow fired, waits, or is paused, now or at any time
    Explain(crate::explain::Arguments),
    /// Play an events file in virtual time and print the audit entries as JSON lines
    Simulate(crate::simulate::Arguments),
    /// Check, compare, describe, replay and publish policies
    #[command(subcommand)]
    Policy(crate::policy::Command),
    /// Fetch and publish directories
    #[command(subcommand)]
    Directory(Directory),
    /// Export, verify and prove the audit
    #[command(subcommand)]
    Audit(Audit),
}

/// The commands about directories.
#[derive(Subcommand)]
pub enum Directory {
    /// Write the document in force to a file, with its revision
    Pull(crate::publish::pull::Arguments),
    /// Show what publishing does, ask, and put the document in force; or roll back
    Publish(crate::publish::Arguments),
}

/// The commands about the audit.
#[derive(Subcommand)]
pub enum Audit {
    /// Write the complete audit and every revision, one JSON object per line
    Export(crate::audit::export::Arguments),
    /// Fetch the deployment's checkpoints and public key
    Checkpoints(crate::audit::checkpoints::Arguments),
    /// Check offline that an export is complete and unchanged
    Verify(crate::audit::verify::Arguments),
    /// Write a proof of one entry for someone who sees nothing else
    Prove(crate::audit::prove::Arguments),
    /// Check a proof with the public key alone
    CheckProof(crate::audit::prove::CheckArguments),
    /// Print the history of one lead, account, rep or publication, each entry with its hash
    Show(crate::audit::show::Arguments),
    /// Make a checkpoint of the live tables now, signed with a key of your own
    Checkpoint(crate::audit::checkpoint::Arguments),
    /// Record that you examined a tampering report, so that checkpoints resume
    Acknowledge(crate::audit::acknowledge::Arguments),
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
