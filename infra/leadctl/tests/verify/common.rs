//! A small record with checkpoints, and the changes of a person who can write both.

use audit::checkpoint::{Checkpoint, Envelope};
use audit::leaves::{Leaf, Leaves, Survey, changes_text};
use audit::signature::SigningKey;
use audit::{ChainedCommit, Hash, sha256};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser;
use leadctl::audit::verify;
use leadctl::audit::verify::Report;
use policy::Policy;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn leadctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leadctl")).args(arguments).current_dir(root()).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The lines of a made-up record of so many leads.
pub fn lines(leads: u32) -> Vec<String> {
    let policy = std::fs::read_to_string(root().join("infra/policies/default.yaml")).unwrap();
    let made = generate_record::write(Vec::new(), leads, 3, &Policy::parse(&policy).unwrap()).unwrap();
    text(&made).lines().map(str::to_owned).collect()
}

/// The commit on a line.
pub fn commit(line: &str) -> Option<ChainedCommit> {
    line.starts_with(r#"{"kind":"commit","#).then(|| serde_json::from_str(line).unwrap())
}

pub fn line_of(commit: &ChainedCommit) -> String {
    let text = serde_json::to_string(commit).unwrap();
    format!(r#"{{"kind":"commit",{}"#, &text[1..])
}

/// The places of a subject's commits.
pub fn places(lines: &[String], subject: &str) -> Vec<usize> {
    let of = |line: &String| commit(line).is_some_and(|commit| commit.subject.to_string() == subject);
    (0..lines.len()).filter(|&n| of(&lines[n])).collect()
}

/// The lead with the most commits.
pub fn longest(lines: &[String]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for commit in lines.iter().filter_map(|line| commit(line)) {
        *counts.entry(commit.subject.to_string()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).unwrap().0
}

pub fn first_seq(line: &str) -> u64 {
    let entries: Vec<Value> = serde_json::from_str(commit(line).unwrap().entries.get()).unwrap();
    entries[0]["seq"].as_u64().unwrap()
}

/// The lines with a new last line: the right counts and the right hash.
pub fn ended(lines: &[String]) -> Vec<String> {
    let (_, before) = lines.split_last().unwrap();
    let text: String = before.iter().map(|line| format!("{line}\n")).collect();
    let count =
        |kind: &str| before.iter().filter(|l| l.starts_with(&format!(r#"{{"kind":"{kind}","#))).count();
    let last = format!(
        r#"{{"kind":"end","policies":{},"directories":{},"commits":{},"sha256":"{}"}}"#,
        count("policy"),
        count("directory"),
        count("commit"),
        sha256([text.as_bytes()])
    );
    before.iter().cloned().chain([last]).collect()
}

/// The lines with new links and seals: a valid chain.
pub fn chained(lines: &[String]) -> Vec<String> {
    let mut heads: BTreeMap<String, Hash> = BTreeMap::new();
    let link = |line: &String| {
        let Some(mut commit) = commit(line) else { return line.clone() };
        let head = heads.entry(commit.subject.to_string()).or_insert(Hash::ZERO);
        commit.prev = *head;
        commit.head = commit.links().unwrap().head;
        *head = commit.head;
        line_of(&commit)
    };
    ended(&lines.iter().map(link).collect::<Vec<_>>())
}

/// The lines without the commits of a subject from `from` on.
pub fn cut(lines: &[String], subject: &str, from: u64) -> Vec<String> {
    let goes = |line: &&String| {
        commit(line).is_some_and(|commit| commit.subject.to_string() == subject && commit.commit >= from)
    };
    ended(&lines.iter().filter(|line| !goes(line)).cloned().collect::<Vec<_>>())
}

/// A directory with a record and its checkpoints.
pub struct Case {
    pub lines: Vec<String>,
    pub directory: tempfile::TempDir,
}

pub const DEPLOYMENT: &str = "made up from seed 3";

pub fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

impl Case {
    /// A record with a checkpoint every third day.
    pub fn new(leads: u32) -> Self {
        let case = Self { lines: lines(leads), directory: tempfile::tempdir().unwrap() };
        case.make_checkpoints(&case.lines, DEPLOYMENT, 1);
        std::fs::write(case.path("key.pem"), signing_key(1).public_key().to_pem().unwrap()).unwrap();
        case
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn checkpoint(&self, number: u64) -> PathBuf {
        self.path(&audit::checkpoint::path(number))
    }

    pub fn envelope(&self, number: u64) -> Envelope {
        Envelope::read(&std::fs::read_to_string(self.checkpoint(number)).unwrap()).unwrap()
    }

    pub fn changes(&self, number: u64) -> PathBuf {
        self.path(&self.envelope(number).checkpoint.changes_path())
    }

    pub fn sign(&self, checkpoint: Checkpoint, seed: u8) {
        let signature = signing_key(seed).sign(&checkpoint.text().unwrap()).unwrap();
        let file = self.checkpoint(checkpoint.number);
        std::fs::write(file, Envelope { checkpoint, signature }.text().unwrap()).unwrap();
    }

    /// Makes the series of checkpoints that a deployment would have made.
    pub fn make_checkpoints(&self, lines: &[String], deployment: &str, seed: u8) {
        for inside in ["checkpoints", "changes"] {
            _ = std::fs::remove_dir_all(self.path(inside));
            std::fs::create_dir(self.path(inside)).unwrap();
        }
        let commits: Vec<ChainedCommit> = lines.iter().filter_map(|line| commit(line)).collect();
        let (mut leaves, mut last) = (Leaves::default(), None);
        for days in (0..=30).step_by(3) {
            let at: DateTime<Utc> = generate_record::begin() + TimeDelta::days(days);
            let mut heads: BTreeMap<String, Leaf> = BTreeMap::new();
            for commit in commits.iter().filter(|commit| commit.recorded_at <= at) {
                let subject = commit.subject.to_string();
                let leaf =
                    Leaf { commit: commit.commit, head: commit.head, subject: subject.as_str().into() };
                heads.insert(subject, leaf);
            }
            let mut survey = Survey::of(&leaves);
            heads.into_values().for_each(|leaf| survey.see(leaf).unwrap());
            let changes = survey.finish().unwrap();
            let (text, hash) = changes_text(&changes);
            leaves.apply(changes).unwrap();
            let checkpoint = Checkpoint::after(last.as_ref(), deployment, at, &leaves, hash).unwrap();
            std::fs::write(self.path(&checkpoint.changes_path()), text).unwrap();
            self.sign(checkpoint.clone(), seed);
            last = Some(checkpoint);
        }
    }

    /// The number of the newest checkpoint.
    pub fn newest(&self) -> u64 {
        std::fs::read_dir(self.path("checkpoints")).unwrap().count() as u64
    }

    /// Verifies these lines without checkpoints.
    pub fn alone(&self, lines: &[String]) -> Report {
        self.bytes_alone(lines.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes()).unwrap()
    }

    /// Verifies a file without checkpoints.
    pub fn bytes_alone(&self, bytes: &[u8]) -> anyhow::Result<Report> {
        let export = self.path("export.jsonl");
        std::fs::write(&export, bytes).unwrap();
        verified(&["--export", export.to_str().unwrap()])
    }

    /// The arguments to verify these lines with, checkpoints included.
    pub fn arguments(&self, lines: &[String]) -> Vec<String> {
        let export = self.path("export.jsonl");
        std::fs::write(&export, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let key = self.path("key.pem");
        let all = [("--export", &*export), ("--checkpoints", self.directory.path()), ("--key", &*key)];
        all.into_iter().flat_map(|(name, path)| [name.to_owned(), path.display().to_string()]).collect()
    }

    /// Verifies these lines, against the checkpoints.
    pub fn against(&self, lines: &[String]) -> Report {
        let arguments = self.arguments(lines);
        verified(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
    }

    /// The findings in these lines without checkpoints.
    pub fn findings_alone(&self, lines: &[String]) -> Vec<String> {
        self.texts(&self.alone(lines))
    }

    /// The findings in these lines against the checkpoints.
    pub fn findings(&self, lines: &[String]) -> Vec<String> {
        self.texts(&self.against(lines))
    }

    /// The findings of a report, without the name of the directory.
    pub fn texts(&self, report: &Report) -> Vec<String> {
        let directory = format!("{}/", self.directory.path().display());
        report.findings().iter().map(|finding| finding.to_string().replace(&directory, "")).collect()
    }
}

#[derive(Parser)]
struct Verify {
    #[command(flatten)]
    arguments: verify::Arguments,
}

/// Verifies inside this process.
pub fn verified(arguments: &[&str]) -> anyhow::Result<Report> {
    let words = ["verify"].iter().chain(arguments);
    verify::verify(&Verify::try_parse_from(words).unwrap().arguments)
}

/// Checks how the first finding begins, and a text in it.
#[track_caller]
pub fn assert_first(findings: &[String], begins: &str, says: &str) {
    let is_so = |first: &String| first.starts_with(begins) && first.contains(says);
    assert!(findings.first().is_some_and(is_so), "expected {begins}…{says}, not {findings:#?}");
}
