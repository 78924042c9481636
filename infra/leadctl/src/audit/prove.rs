//! `leadctl audit prove` and `verify-proof`: that one entry is in the record, shown to somebody who
//! is shown nothing else of it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use audit::ChainedCommit;
use audit::checkpoint::Envelope;
use audit::leaves::Leaves;
use audit::proof::{Proof, ProofBuilder};
use policy::ids::Subject;

use super::verify::{Export, Findings, History, key, read_export, read_series};
use crate::history::line;
use crate::output::{print, say};

/// What `prove` is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The export that the entry is in
    #[arg(long, value_name = "FILE")]
    export: PathBuf,
    /// The checkpoints: a directory with `checkpoints/` and `changes/`
    #[arg(long, value_name = "DIR")]
    checkpoints: PathBuf,
    /// The public key of who signs them (PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Whose history, as in `lead/L-1`
    #[arg(long)]
    subject: Subject,
    /// Which entry, from 1
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seq: u64,
    /// Where to write the proof
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What `verify-proof` is given.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The proof
    proof: PathBuf,
    /// The public key of who signs checkpoints (PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Writes a proof; whether there is one.
///
/// # Errors
/// A file that cannot be read or written.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { subject, seq, .. } = arguments;
    match prove(arguments)? {
        Ok(proof) => {
            std::fs::write(&arguments.out, proof.text()?)
                .with_context(|| format!("cannot write {}", arguments.out.display()))?;
            let number = proof.checkpoint.checkpoint.number;
            say(&format!(
                "{subject} seq {seq} is proven by checkpoint {number}: {}",
                arguments.out.display()
            ));
            Ok(true)
        }
        Err(why) => {
            say(&why);
            Ok(false)
        }
    }
}

fn prove(arguments: &Arguments) -> anyhow::Result<Result<Proof, String>> {
    let name = arguments.export.display().to_string();
    let key = key(&arguments.key)?;
    let file = File::open(&arguments.export).with_context(|| format!("cannot read {name}"))?;
    let mut findings = Findings::default();
    let export = read_export(BufReader::with_capacity(1 << 20, file), &name, &mut findings)?;
    let header = export.as_ref().map(|export| export.header.deployment.clone());
    let series = read_series(&arguments.checkpoints, &key, header.as_deref(), &mut findings)?;
    let (Some(export), Some(series)) = (export, series) else { return Ok(Err(findings.told())) };
    let Some(leaves) = &series.leaves else {
        return Ok(Err("a proof needs all checkpoints, from the first".to_owned()));
    };
    build(arguments, export, &series.last, leaves)
}

/// Follows the history of the subject up to the head that the checkpoint has.
fn build(
    arguments: &Arguments,
    export: Export,
    checkpoint: &Envelope,
    leaves: &Leaves,
) -> anyhow::Result<Result<Proof, String>> {
    let (name, seq) = (arguments.subject.to_string(), arguments.seq);
    let Some((_, leaf)) = leaves.find(&name) else {
        let number = checkpoint.checkpoint.number;
        return Ok(Err(format!(
            "{name} is not in checkpoint {number}: it came later, or there is no such subject"
        )));
    };
    let mut history = History::of(arguments.subject.clone());
    let mut proof: Option<ProofBuilder> = None;
    let mut commits = export.commits;
    while let Some(next) = commits.next()? {
        if next.subject != name {
            continue;
        }
        if let Err(found) = history.take(&next.text, next.line) {
            let wrong = found.wrong;
            return Ok(Err(format!("{}:{}: {name}: {wrong}", arguments.export.display(), next.line)));
        }
        let commit: ChainedCommit = serde_json::from_str(&next.text)?;
        match &mut proof {
            Some(proof) if commit.commit <= leaf.commit => proof.follow(&commit)?,
            Some(_) => break,
            None if history.seq >= seq => {
                proof = Some(ProofBuilder::new(&commit, seq)?);
            }
            None => {}
        }
    }
    let Some(proof) = proof else {
        return Ok(Err(format!("{name} has no entry {seq}: its last in the export is {}", history.seq)));
    };
    Ok(proof.finish(checkpoint.clone(), leaves).map_err(|error| format!("{:#}", anyhow::Error::new(error))))
}

/// Checks a proof and prints what it proves; whether it does.
///
/// # Errors
/// A file that cannot be read.
pub fn check(arguments: &Check) -> anyhow::Result<bool> {
    let key = key(&arguments.key)?;
    match checked(&arguments.proof, |proof| proof.check(&key))? {
        Ok(proof) => {
            let (checkpoint, commit) = (&proof.checkpoint.checkpoint, &proof.commit);
            print(&line(&proof.entry));
            print(&serde_json::to_string_pretty(&proof.entry)?);
            print(&format!(
                "proven: this entry was in commit {} of {}, decided at {}, when checkpoint {} of `{}` was signed at {} by the key {}",
                commit.commit,
                commit.subject,
                commit.recorded_at.to_rfc3339(),
                checkpoint.number,
                checkpoint.deployment,
                checkpoint.at.to_rfc3339(),
                key.id()
            ));
            Ok(true)
        }
        Err(why) => {
            say(&format!("{}: {why}", arguments.proof.display()));
            Ok(false)
        }
    }
}

fn checked<E: std::error::Error + Send + Sync + 'static>(
    file: &Path,
    check: impl Fn(&Proof) -> Result<(), E>,
) -> anyhow::Result<Result<Proof, String>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Err("it is not UTF-8: it was changed".to_owned()));
    };
    // A file that an editor or a transfer put an end of line to is the same proof.
    Ok(Proof::read(text.trim_end_matches('\n'))
        .map_err(|error| format!("{:#}", anyhow::Error::new(error)))
        .and_then(|proof| match check(&proof) {
            Ok(()) => Ok(proof),
            Err(error) => Err(format!("{:#}", anyhow::Error::new(error))),
        }))
}
