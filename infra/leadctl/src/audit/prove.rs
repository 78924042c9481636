//! `leadctl audit prove` and `check-proof`: prove that one entry is in the audit, and reveal nothing else of it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use audit::ChainedCommit;
use audit::checkpoint::Envelope;
use audit::leaves::Leaves;
use audit::proof::{Proof, ProofBuilder};
use policy::ids::Subject;

use super::compression::lines;
use super::verify::{Export, Findings, History, key, read_export, read_series};
use crate::entries::line;
use crate::output::{print, say};

/// Options of `leadctl audit prove`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The export with the entry
    #[arg(long, value_name = "FILE")]
    export: PathBuf,
    /// The directory of checkpoints, as `audit checkpoints` writes it
    #[arg(long, value_name = "DIR")]
    checkpoints: PathBuf,
    /// The public key of the checkpoints (PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The subject, such as lead/L-1
    #[arg(long)]
    subject: Subject,
    /// The number of the entry, from 1
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seq: u64,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Options of `leadctl audit check-proof`.
#[derive(Debug, clap::Args)]
pub struct CheckArguments {
    /// The proof, as `audit prove` writes it
    proof: PathBuf,
    /// The public key of the checkpoints (PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Writes a proof. Returns false if the entry cannot be proven.
///
/// # Errors
/// When a file cannot be read or written.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { subject, seq, .. } = arguments;
    match prove(arguments)? {
        Ok(proof) => {
            std::fs::write(&arguments.out, proof.text()?)
                .with_context(|| format!("cannot write {}", arguments.out.display()))?;
            let number = proof.checkpoint.checkpoint.number;
            say(&format!(
                "Wrote the proof of {subject} seq {seq} to {}; checkpoint {number} covers it.",
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
    let export =
        read_export(lines(file).with_context(|| format!("cannot read {name}"))?, &name, &mut findings)?;
    let header = export.as_ref().map(|export| export.header.deployment.clone());
    let series = read_series(&arguments.checkpoints, &key, header.as_deref(), &mut findings)?;
    let (Some(export), Some(series)) = (export, series) else { return Ok(Err(findings.first_text())) };
    let Some(leaves) = &series.leaves else {
        return Ok(Err(
            "a proof needs all checkpoints from the first; fetch them with `leadctl audit checkpoints`"
                .to_owned(),
        ));
    };
    build(arguments, export, &series.last, leaves)
}

/// Follows the subject's history up to the head in the checkpoint.
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
            "{name} is not in checkpoint {number}: it is newer, or there is no such subject"
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
            let problem = found.problem;
            return Ok(Err(format!("{}:{}: {name}: {problem}", arguments.export.display(), next.line)));
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
        return Ok(Err(format!("{name} has no entry {seq}: the last one in the export is {}", history.seq)));
    };
    Ok(proof.finish(checkpoint.clone(), leaves).map_err(|error| format!("{:#}", anyhow::Error::new(error))))
}

/// Checks a proof and prints what it proves. Returns false if it proves nothing.
///
/// # Errors
/// When a file cannot be read.
pub fn check(arguments: &CheckArguments) -> anyhow::Result<bool> {
    let key = key(&arguments.key)?;
    match checked(&arguments.proof, |proof| proof.check(&key))? {
        Ok(proof) => {
            let (checkpoint, commit) = (&proof.checkpoint.checkpoint, &proof.commit);
            print(&line(&proof.entry));
            print(&serde_json::to_string_pretty(&proof.entry)?);
            print(&format!(
                "Proven: this entry was in commit {} of {}, decided at {}, when checkpoint {} of `{}` was signed at {} with the key {}.",
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
        return Ok(Err("the proof is not UTF-8: it was changed".to_owned()));
    };
    // Editors and transfers add a line break at the end; the proof is the same.
    Ok(Proof::read(text.trim_end_matches('\n'))
        .map_err(|error| format!("{:#}", anyhow::Error::new(error)))
        .and_then(|proof| match check(&proof) {
            Ok(()) => Ok(proof),
            Err(error) => Err(format!("{:#}", anyhow::Error::new(error))),
        }))
}
