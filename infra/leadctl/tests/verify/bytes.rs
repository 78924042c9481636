//! Every byte counts.

use crate::common::*;

/// Small, and of everything: a lead's first commits, a policy, a directory.
fn small(case: &Case) -> Vec<String> {
    let subject = longest(&case.lines);
    // One revision of each is enough.
    let subjects = [subject.as_str(), "policy/1", "directory/1"];
    let kept = |line: &&String| {
        commit(line).is_none_or(|c| subjects.contains(&c.subject.to_string().as_str()) && c.commit <= 2)
    };
    let mut lines: Vec<String> = case.lines.iter().filter(kept).cloned().collect();
    lines.retain(|line| !line.contains(r#""revision":2,"#));
    ended(&lines)
}

#[test]
fn a_flipped_bit_is_seen_wherever_it_is() {
    let case = Case::new(2);
    let lines = small(&case);
    let whole: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    assert!(case.bytes_alone(&whole).unwrap().is_intact());
    assert!(whole.len() > 4_000);
    let mut rng = fastrand::Rng::with_seed(7);
    // Every third byte: each takes a verification of its own.
    for place in (rng.usize(..3)..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << rng.u8(0..8);
        // A version that is not known is refused; of anything else it is told what is wrong.
        if let Ok(report) = case.bytes_alone(&bytes) {
            assert!(!report.is_intact(), "byte {place}");
        }
    }
}

/// Of whoever writes the last line anew: what is in the chain is still seen.
#[test]
fn a_flipped_bit_in_a_commit_is_seen_by_the_chain_alone() {
    let case = Case::new(2);
    let lines = small(&case);
    let mut rng = fastrand::Rng::with_seed(8);
    if let Some(n) = lines.iter().position(|line| commit(line).is_some_and(|commit| commit.commit == 2)) {
        for place in 0..lines[n].len() {
            let mut changed = lines[n].clone().into_bytes();
            changed[place] ^= 1 << rng.u8(0..7);
            let Ok(changed) = String::from_utf8(changed) else { continue };
            if changed.contains('\n') {
                continue;
            }
            let mut lines = lines.clone();
            lines[n] = changed;
            let report = case.alone(&ended(&lines));
            assert!(!report.is_intact(), "line {}, byte {place}: {}", n + 1, lines[n]);
        }
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_told_so() {
    let case = Case::new(2);
    let lines = small(&case);
    let whole: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let mut rng = fastrand::Rng::with_seed(9);
    for length in (0..100).map(|_| rng.usize(..whole.len())).chain([0, whole.len() - 1]) {
        let told = case.told(&case.bytes_alone(&whole[..length]).unwrap());
        assert!(told.iter().any(|line| line.contains("cut")), "{length}: {told:#?}");
    }
}

#[test]
fn a_flipped_bit_in_a_checkpoint_or_its_changes_is_seen() {
    let case = Case::new(2);
    let lines = small(&case);
    case.make_checkpoints(&lines, DEPLOYMENT, 1);
    let says_something = |number: &u64| std::fs::metadata(case.changes(*number)).unwrap().len() > 0;
    let number = (1..=case.newest()).find(says_something).unwrap();
    let mut rng = fastrand::Rng::with_seed(10);
    for file in [case.checkpoint(number), case.changes(number)] {
        let whole = std::fs::read(&file).unwrap();
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << rng.u8(0..8);
            std::fs::write(&file, &bytes).unwrap();
            assert!(!case.against(&lines).is_intact(), "{} byte {place}", file.display());
        }
        std::fs::write(&file, &whole).unwrap();
        assert!(case.against(&lines).is_intact());
    }
}
