//! A change of any byte is found.

use super::common::*;

/// A small record with one of each: a lead's first commits, a policy, a directory.
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
fn a_flipped_bit_is_found_anywhere() {
    let case = Case::new(2);
    let lines = small(&case);
    let whole: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    assert!(case.bytes_alone(&whole).unwrap().is_intact());
    assert!(whole.len() > 4_000);
    let mut rng = fastrand::Rng::with_seed(7);
    // Every third byte, since each takes a verification of its own.
    for place in (rng.usize(..3)..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << rng.u8(0..8);
        // An unknown version is an error; anything else is a finding.
        if let Ok(report) = case.bytes_alone(&bytes) {
            assert!(!report.is_intact(), "byte {place}");
        }
    }
}

/// Even with a new last line, the chain shows the change.
#[test]
fn the_chain_alone_shows_a_flipped_bit_in_a_commit() {
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
fn a_cut_is_found_anywhere() {
    let case = Case::new(2);
    let lines = small(&case);
    let whole: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let mut rng = fastrand::Rng::with_seed(9);
    for length in (0..100).map(|_| rng.usize(..whole.len())).chain([0, whole.len() - 1]) {
        let found = case.texts(&case.bytes_alone(&whole[..length]).unwrap());
        assert!(found.iter().any(|line| line.contains("cut")), "{length}: {found:#?}");
    }
}

#[test]
fn a_flipped_bit_in_a_checkpoint_or_its_changes_is_found() {
    let case = Case::new(2);
    let lines = small(&case);
    case.make_checkpoints(&lines, DEPLOYMENT, 1);
    let has_changes = |number: &u64| std::fs::metadata(case.changes(*number)).unwrap().len() > 0;
    let number = (1..=case.newest()).find(has_changes).unwrap();
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
