//! Checkpoints over a small deployment, the changes they detect, and proofs of entries.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use audit::canonical;
use audit::checkpoint::{Checkpoint, CheckpointError, Envelope, SeriesError, number_at};
use audit::leaves::{Change, ChangesError, Leaf, LeafError, Leaves, Survey, changes_text, read_changes};
use audit::proof::{Proof, ProofBuilder, ProofError};
use audit::signature::{PublicKey, SigningKey};
use audit::{ChainedCommit, Hash, sha256};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

fn leaf(subject: &str, commit: u64) -> Leaf {
    forked(subject, commit, 0)
}

fn forked(subject: &str, commit: u64, fork: u8) -> Leaf {
    Leaf {
        commit,
        head: sha256([subject.as_bytes(), &commit.to_be_bytes(), &[fork]]),
        subject: subject.into(),
    }
}

fn hour(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(n)
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

fn signed(checkpoint: Checkpoint) -> Envelope {
    let signature = key().sign(&checkpoint.text().unwrap()).unwrap();
    Envelope { checkpoint, signature }
}

fn survey(leaves: &Leaves, heads: impl IntoIterator<Item = Leaf>) -> Result<Vec<Change>, LeafError> {
    let mut survey = Survey::of(leaves);
    heads.into_iter().try_for_each(|leaf| survey.see(leaf))?;
    survey.finish()
}

/// Leaves of one checkpoint over these heads.
fn leaves(heads: &[Leaf]) -> Leaves {
    let mut leaves = Leaves::default();
    let changes = survey(&leaves, heads.iter().cloned()).unwrap();
    leaves.apply(changes).unwrap();
    leaves
}

#[test]
fn new_subjects_follow_all_others_in_order_and_keep_their_places() {
    let mut leaves = leaves(&[leaf("lead/L-5", 1), leaf("lead/L-3", 2)]);
    let changes = survey(
        &leaves,
        [leaf("lead/L-4", 1), leaf("lead/L-3", 3), leaf("account/A", 1), leaf("lead/L-5", 1)],
    );
    let changes = changes.unwrap();
    let lines: Vec<(usize, &str)> = changes.iter().map(|change| (change.leaf, &*change.subject)).collect();
    assert_eq!(lines, [(0, "lead/L-3"), (2, "account/A"), (3, "lead/L-4")]);
    leaves.apply(changes).unwrap();
    let places: Vec<&str> = leaves.iter().map(|leaf| &*leaf.subject).collect();
    assert_eq!(places, ["lead/L-3", "lead/L-5", "account/A", "lead/L-4"]);
    assert_eq!((leaves.commits(), leaves.find("lead/L-3").unwrap().1.commit), (6, 3));
}

#[test]
fn a_history_that_went_back_forked_or_is_missing_is_named() {
    let leaves = leaves(&[leaf("lead/L-1", 3), leaf("lead/L-2", 1)]);
    let back = survey(&leaves, [leaf("lead/L-1", 2), leaf("lead/L-2", 1)]);
    assert_eq!(back, Err(LeafError::WentBack { subject: "lead/L-1".into(), before: 3, now: 2 }));
    let fork = survey(&leaves, [leaf("lead/L-1", 3), forked("lead/L-2", 1, 1)]);
    assert!(matches!(fork, Err(LeafError::Forked { subject, commit: 1, .. }) if &*subject == "lead/L-2"));
    let gone = survey(&leaves, [leaf("lead/L-2", 4)]);
    assert_eq!(gone, Err(LeafError::Missing { subject: "lead/L-1".into(), commit: 3 }));
    let empty = survey(&leaves, [leaf("lead/L-9", 0)]);
    assert_eq!(empty, Err(LeafError::Empty { subject: "lead/L-9".into() }));
}

#[test]
fn impossible_changes_are_refused_with_their_line() {
    let change = |leaf: usize, subject: &str, commit| {
        let Leaf { commit, head, subject } = self::leaf(subject, commit);
        Change { commit, head, leaf, subject }
    };
    let stands = leaves(&[leaf("lead/L-1", 3), leaf("lead/L-2", 1)]);
    for (changes, line, expected) in [
        (vec![change(0, "lead/L-1", 4), change(1, "lead/L-3", 2)], 2, "place 1 belongs to `lead/L-2`"),
        (vec![change(0, "lead/L-1", 2)], 1, "went back"),
        (vec![change(2, "lead/L-1", 4)], 1, "has place 0"),
        (vec![change(3, "lead/L-9", 1)], 1, "there are 2 leaves"),
        (vec![change(1, "lead/L-2", 2), change(0, "lead/L-1", 4)], 2, "out of order"),
        (vec![change(2, "lead/L-9", 1), change(3, "lead/L-8", 1)], 2, "out of order"),
        (vec![change(2, "lead/L-9", 0)], 1, "no commit"),
    ] {
        let error = stands.clone().apply(changes).unwrap_err();
        assert!(matches!(error, ChangesError::Leaf { line: at, .. } if at == line), "{error:?}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(expected), "{cause}");
    }
}

#[test]
fn the_text_of_changes_is_canonical_and_is_read_back() {
    let leaves = leaves(&[leaf("lead/L-1", 3), leaf("account/A:1", 1)]);
    let changes: Vec<Change> = leaves.to_changes().collect();
    let (text, hash) = changes_text(&changes);
    assert_eq!(hash, sha256([text.as_bytes()]));
    assert_eq!(read_changes(&text).unwrap(), changes);
    for (line, leaf) in text.lines().zip(leaves.iter()) {
        canonical::read(line).unwrap();
        let as_leaf = canonical::to_text(leaf).unwrap();
        assert_eq!(leaf.hash(), audit::tree::leaf_hash(as_leaf.as_bytes()));
    }
    let cut = &text[..text.len() - 1];
    assert!(matches!(read_changes(cut), Err(ChangesError::Cut { line: 2 })));
    for damaged in [
        text.replacen("\"leaf\"", " \"leaf\"", 1),
        text.replacen("\"commit\":1", "\"commit\":1.0", 1),
        "\n".to_owned(),
    ] {
        assert!(matches!(read_changes(&damaged), Err(ChangesError::Line { line: 1, .. })), "{damaged}");
    }
}

/// Three checkpoints: two leads, then one more commit, then nothing.
fn series() -> Vec<Envelope> {
    let mut known = Leaves::default();
    let mut series: Vec<Envelope> = Vec::new();
    let rounds = [[leaf("lead/L-1", 1), leaf("lead/L-2", 1)], [leaf("lead/L-1", 2), leaf("lead/L-2", 1)]];
    for (n, heads) in [0, 1, 1].into_iter().enumerate() {
        let changes = survey(&known, rounds[heads].iter().cloned()).unwrap();
        let hash = changes_text(&changes).1;
        known.apply(changes).unwrap();
        let previous = series.last().map(|envelope| &envelope.checkpoint);
        let next = Checkpoint::after(previous, "leadwatch", hour(n as i64), &known, hash).unwrap();
        next.follows(previous).unwrap();
        next.covers(&known).unwrap();
        series.push(signed(next));
    }
    series
}

#[test]
fn an_idle_hour_has_its_own_checkpoint() {
    let [_, second, third] = &series()[..] else { panic!() };
    let (second, third) = (&second.checkpoint, &third.checkpoint);
    assert_eq!((second.root, second.commits), (third.root, 3));
    assert_eq!((third.number, third.previous), (3, second.hash().unwrap()));
    assert_eq!(third.changes, sha256([]));
}

#[test]
fn the_signature_covers_every_byte_of_a_checkpoint() {
    let text = series()[2].text().unwrap();
    let key = key().public_key();
    Envelope::read(&text).unwrap().verify(&key).unwrap();
    for at in 0..text.len() {
        for flip in [1_u8, 2, 0x20] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let counts = Envelope::read(&changed).is_ok_and(|envelope| envelope.verify(&key).is_ok());
            assert!(!counts, "byte {at} ^ {flip}: {changed}");
        }
        assert!(Envelope::read(&text[..at]).is_err());
    }
}

#[test]
fn a_checkpoint_that_does_not_follow_says_why() {
    let [first, second, third] = &series()[..] else { panic!() };
    let why = |checkpoint: &Checkpoint, previous| match checkpoint.follows(previous) {
        Err(CheckpointError::Series { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let (first, second, third) = (&first.checkpoint, &second.checkpoint, &third.checkpoint);
    assert_eq!(why(third, Some(first)), SeriesError::Number);
    assert_eq!(why(second, None), SeriesError::Number);
    let other = Checkpoint { commits: 2, ..second.clone() };
    assert_eq!(why(third, Some(&other)), SeriesError::Previous);
    let early = Checkpoint { at: hour(-1), ..third.clone() };
    assert!(matches!(why(&early, Some(second)), SeriesError::Time { .. }));
    let elsewhere = Checkpoint { deployment: "other".to_owned(), ..third.clone() };
    assert!(matches!(why(&elsewhere, Some(second)), SeriesError::Deployment { .. }));
    let less = Checkpoint { subjects: 1, ..third.clone() };
    assert_eq!(why(&less, Some(second)), SeriesError::Shrunk);
    let anew = Checkpoint { previous: second.hash().unwrap(), ..first.clone() };
    assert_eq!(why(&anew, None), SeriesError::Previous);
}

#[test]
fn an_unknown_version_is_refused() {
    let later = signed(Checkpoint { v: 2, ..series()[0].checkpoint.clone() });
    let read = Envelope::read(&later.text().unwrap());
    assert!(matches!(read, Err(CheckpointError::Version { number: 1, found: 2 })), "{read:?}");
}

#[test]
fn paths_have_one_spelling() {
    assert_eq!(number_at("checkpoints/0000000012.json"), Some(12));
    for other in [
        "checkpoints/12.json",
        "checkpoints/0000000012.jsonl",
        "changes/0000000012.json",
        "checkpoints/+000000012.json",
    ] {
        assert_eq!(number_at(other), None, "{other}");
    }
}

fn commit(number: u64, prev: Hash, entries: &[String]) -> ChainedCommit {
    let mut commit = ChainedCommit {
        subject: "lead/L-1".parse().unwrap(),
        commit: number,
        cause: "evt".to_owned(),
        at: hour(1),
        recorded_at: hour(2),
        attempt: "0a".to_owned(),
        prev,
        head: prev,
        recorded: Some(RawValue::from_string("{\"secret\":1}".to_owned()).unwrap()),
        entries: RawValue::from_string(format!("[{}]", entries.join(","))).unwrap(),
    };
    commit.head = commit.links().unwrap().head;
    commit
}

/// A history of so many commits, with one to three entries each.
fn history(commits: u64) -> Vec<ChainedCommit> {
    let (mut history, mut seq, mut prev) = (Vec::new(), 0, Hash::ZERO);
    for number in 1..=commits {
        let entry = || {
            seq += 1;
            format!("{{\"seq\":{seq},\"type\":\"of commit {number}\"}}")
        };
        let entries: Vec<String> = std::iter::repeat_with(entry).take(1 + number as usize % 3).collect();
        let next = commit(number, prev, &entries);
        prev = next.head;
        history.push(next);
    }
    history
}

fn prove(commits: u64, seq: u64) -> Proof {
    let mut builder = None::<ProofBuilder>;
    let history = history(commits);
    for commit in &history {
        match &mut builder {
            Some(builder) => builder.follow(commit).unwrap(),
            None => builder = ProofBuilder::new(commit, seq).ok(),
        }
    }
    let own = Leaf { commit: commits, head: history.last().unwrap().head, subject: "lead/L-1".into() };
    let others = (2..9).map(|n| leaf(&format!("lead/L-{n}"), n));
    let leaves = leaves(&others.chain([own]).collect::<Vec<_>>());
    let checkpoint = Checkpoint::after(None, "leadwatch", hour(3), &leaves, Hash::ZERO).unwrap();
    builder.unwrap().finish(signed(checkpoint), &leaves).unwrap()
}

#[test]
fn each_entry_has_its_own_proof() {
    for seq in 1..=10 {
        let text = prove(5, seq).text().unwrap();
        let proof = Proof::read(&text).unwrap();
        proof.check(&key().public_key()).unwrap();
        assert_eq!(proof.entry["seq"], seq);
        // Nothing of what came after, nor of what was recorded.
        assert_eq!(text.matches("\"type\"").count(), 1, "{text}");
        assert!(!text.contains("secret"));
    }
}

#[test]
fn no_byte_of_a_proof_can_be_changed() {
    let text = prove(4, 3).text().unwrap();
    let key = key().public_key();
    for at in 0..text.len() {
        for flip in [1_u8, 4] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let proven = Proof::read(&changed).is_ok_and(|proof| proof.check(&key).is_ok());
            assert!(!proven, "byte {at} ^ {flip}: {changed}");
        }
    }
}

#[test]
fn a_proof_says_what_is_wrong_with_it() {
    let proof = prove(4, 3);
    let key = key().public_key();
    let entry = Proof { entry: serde_json::json!({"seq": 3, "type": "another"}), ..proof.clone() };
    assert!(matches!(entry.check(&key), Err(ProofError::Chain { .. })));
    let mut commit = proof.clone();
    commit.commit.cause = "another".to_owned();
    assert!(matches!(commit.check(&key), Err(ProofError::Chain { .. })));
    let elsewhere = Proof { place: proof.place + 1, ..proof.clone() };
    assert!(matches!(elsewhere.check(&key), Err(ProofError::Tree { .. })));
    let mut nobodys = proof.clone();
    nobodys.leaf.subject = "lead/L-2".into();
    assert!(matches!(nobodys.check(&key), Err(ProofError::Place { .. })));
    let mut number = proof.clone();
    number.commit.commit += 1;
    assert!(matches!(number.check(&key), Err(ProofError::Place { .. })));
    let other = SigningKey::from_seed(&[8; 32]).unwrap().public_key();
    assert!(matches!(proof.check(&other), Err(ProofError::Checkpoint(CheckpointError::Signature { .. }))));
    let later = Proof { v: 2, ..proof };
    assert!(matches!(Proof::read(&later.text().unwrap()), Err(ProofError::Version(2))));
}

#[test]
fn a_checkpoint_proves_only_what_it_covers() {
    let of = |number| ProofBuilder::new(&commit(number, Hash::ZERO, &["{\"seq\":4}".to_owned()]), 4).unwrap();
    let known = leaves(&[leaf("lead/L-1", 3), leaf("lead/L-2", 1)]);
    let checkpoint = || signed(Checkpoint::after(None, "leadwatch", hour(3), &known, Hash::ZERO).unwrap());
    let later = of(4).finish(checkpoint(), &known);
    assert!(matches!(later, Err(ProofError::NotCovered { covered: 3, commit: 4, .. })), "{later:?}");
    let early = of(2).finish(checkpoint(), &known);
    assert!(matches!(early, Err(ProofError::Place { commit: 2, last: 3, .. })), "{early:?}");
    let unknown = of(4).finish(checkpoint(), &leaves(&[leaf("lead/L-2", 1)]));
    assert!(matches!(unknown, Err(ProofError::NotCovered { covered: 0, .. })), "{unknown:?}");
    let none = ProofBuilder::new(&commit(4, Hash::ZERO, &["{\"seq\":4}".to_owned()]), 5);
    assert!(matches!(none, Err(ProofError::NoEntry(5))));
}

#[test]
fn the_public_key_alone_is_enough() {
    let pem = key().public_key().to_pem().unwrap();
    let key = PublicKey::from_pem(&pem).unwrap();
    prove(2, 1).check(&key).unwrap();
    series()[0].verify(&key).unwrap();
}

/// A case that fails is kept beside those of the crate's other properties, and tried first.
fn config() -> ProptestConfig {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/checkpoints.txt");
    let kept = FileFailurePersistence::Direct(kept);
    ProptestConfig { failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Histories that only grow: the changes of every round give the leaves that all heads at once
    /// would give at the same places, whether they were applied one by one or restored at a stroke.
    #[test]
    fn changes_add_up_to_all_heads(rounds in prop::collection::vec(prop::collection::vec((0_u8..30, 1_u64..3), 0..10), 1..8)) {
        let mut heads: BTreeMap<String, u64> = BTreeMap::new();
        let mut leaves = Leaves::default();
        for round in rounds {
            for (subject, more) in round {
                *heads.entry(format!("lead/L-{subject}")).or_default() += more;
            }
            let changes = survey(&leaves, heads.iter().map(|(subject, commit)| leaf(subject, *commit))).unwrap();
            leaves.apply(read_changes(&changes_text(&changes).0).unwrap()).unwrap();
            prop_assert_eq!(leaves.commits(), heads.values().sum::<u64>());
            for (subject, commit) in &heads {
                prop_assert_eq!(leaves.find(subject).unwrap().1, &leaf(subject, *commit));
            }
            let restored = Leaves::restore(&changes_text(leaves.to_changes()).0).unwrap();
            prop_assert_eq!(restored.root(), leaves.root());
            prop_assert!(survey(&restored, leaves.iter().cloned()).unwrap().is_empty());
        }
    }
}
