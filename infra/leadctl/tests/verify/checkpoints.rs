//! Findings that need checkpoints: with access to the tables, a person can write a valid chain.

use audit::signature::SigningKey;
use chrono::TimeDelta;

use super::common::*;

#[test]
fn a_record_is_intact_under_its_checkpoints() {
    let case = Case::new(12);
    let report = case.against(&case.lines);
    assert!(report.is_intact(), "{:?}", report.findings());
    assert!(
        !report.not_checked().iter().any(|what| what.contains("only checkpoints show them")),
        "{:?}",
        report.not_checked()
    );
}

#[test]
fn a_checkpoint_shows_a_rewritten_history() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let place = places(&case.lines, &subject)[0];
    let mut lines = case.lines.clone();
    lines[place] = lines[place].replace("evt-0-", "evt-9-");
    assert_ne!(lines[place], case.lines[place]);
    let lines = chained(&lines);
    assert_eq!(case.findings_alone(&lines), Vec::<String>::new());
    let found = case.findings(&lines);
    // The finding is at the first commit that a checkpoint has as a head.
    assert_first(&found, "export.jsonl:", "the history was rewritten: commit ");
    assert!(found[0].contains(&format!(": {subject} seq ")) && found.len() == 1, "{found:#?}");
}

#[test]
fn a_checkpoint_shows_a_cut_tail_and_a_missing_subject() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let last = places(&case.lines, &subject).len() as u64;
    let lines = cut(&case.lines, &subject, last);
    assert_eq!(case.findings_alone(&lines), Vec::<String>::new());
    let says = format!("the tail was cut: the last commit is {}, and checkpoint ", last - 1);
    assert_first(&case.findings(&lines), &format!("export.jsonl: {subject} seq "), &says);

    let lines = cut(&case.lines, &subject, 1);
    assert_eq!(case.findings_alone(&lines), Vec::<String>::new());
    let found = case.findings(&lines);
    assert_first(&found, &format!("export.jsonl: {subject} seq 1: "), "the history is missing: checkpoint ");
    assert_eq!(found.len(), 1);
}

#[test]
fn a_commit_that_was_added_later_with_an_early_time_is_found() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let places = places(&case.lines, &subject);
    // The checkpoints lack the last commit, which claims an early time.
    let last = places.len() as u64;
    case.make_checkpoints(&cut(&case.lines, &subject, last), DEPLOYMENT, 1);
    let found = case.findings(&case.lines);
    assert_first(
        &found,
        &format!("export.jsonl:{}: {subject} seq ", places[places.len() - 1] + 1),
        "does not have it",
    );
    // The same for a subject that no checkpoint has.
    case.make_checkpoints(&cut(&case.lines, &subject, 1), DEPLOYMENT, 1);
    let found = case.findings(&case.lines);
    assert_first(
        &found,
        &format!("export.jsonl:{}: {subject} seq 1 (commit 1)", places[0] + 1),
        "added later",
    );
}

#[test]
fn the_wrong_key_and_another_deployments_checkpoints_are_refused() {
    let case = Case::new(4);
    std::fs::write(case.path("key.pem"), signing_key(2).public_key().to_pem().unwrap()).unwrap();
    let found = case.findings(&case.lines);
    assert_first(&found, "checkpoints/0000000001.json: ", "it was signed by the key ");
    std::fs::write(case.path("key.pem"), signing_key(1).public_key().to_pem().unwrap()).unwrap();

    case.make_checkpoints(&case.lines, "another", 1);
    let found = case.findings(&case.lines);
    let says = format!("it is of the deployment `another`, and the export is of `{DEPLOYMENT}`");
    assert_first(&found, "checkpoints/0000000001.json: ", &says);
    assert!(case.against(&case.lines).not_checked()[0].contains("no checkpoint is valid"));
}

#[test]
fn a_series_that_was_rolled_back_is_found() {
    let case = Case::new(4);
    let newest = case.newest();
    let seen = case.path("seen.json");
    std::fs::copy(case.checkpoint(newest), &seen).unwrap();
    let with_seen = |case: &Case| {
        let mut arguments = case.arguments(&case.lines);
        arguments.extend(["--last-seen".to_owned(), seen.display().to_string()]);
        case.texts(&verified(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).unwrap())
    };
    assert_eq!(with_seen(&case), Vec::<String>::new());

    // The newest checkpoint is gone: the next one is too old, and the kept one shows the loss.
    std::fs::remove_file(case.checkpoint(newest)).unwrap();
    assert_first(&case.findings(&case.lines), "", "the newest checkpoint is number ");
    let found = with_seen(&case);
    assert_first(&found, "seen.json: ", &format!("the series ends with {}", newest - 1));

    // The whole series was made again over a changed record.
    let subject = longest(&case.lines);
    case.make_checkpoints(&cut(&case.lines, &subject, 2), DEPLOYMENT, 1);
    assert_first(&with_seen(&case), "seen.json: ", "another checkpoint has its number now");

    // All are gone.
    std::fs::remove_dir_all(case.path("checkpoints")).unwrap();
    std::fs::create_dir(case.path("checkpoints")).unwrap();
    assert_first(&case.findings(&case.lines), "checkpoints/: ", "there is no checkpoint");
    std::fs::remove_dir_all(case.path("checkpoints")).unwrap();
    assert!(verified(&case.arguments(&case.lines).iter().map(String::as_str).collect::<Vec<_>>()).is_err());
}

#[test]
fn a_missing_or_renamed_checkpoint_is_found_and_a_late_beginning_is_reported() {
    let case = Case::new(4);
    let second = std::fs::read(case.checkpoint(2)).unwrap();
    std::fs::remove_file(case.checkpoint(2)).unwrap();
    assert_first(
        &case.findings(&case.lines),
        "checkpoints/0000000003.json: ",
        "does not follow 1: one is missing",
    );
    std::fs::copy(case.checkpoint(3), case.checkpoint(2)).unwrap();
    assert_first(&case.findings(&case.lines), "checkpoints/0000000002.json: ", "the file has checkpoint 3");

    std::fs::write(case.checkpoint(2), second).unwrap();
    std::fs::remove_file(case.checkpoint(1)).unwrap();
    let report = case.against(&case.lines);
    assert!(report.is_intact(), "{:?}", report.findings());
    let not_checked = report.not_checked().join("\n");
    assert!(not_checked.contains("the checkpoints before number 2"), "{not_checked}");
}

#[test]
fn a_changes_file_that_was_edited_cut_or_removed_is_found() {
    let case = Case::new(4);
    let file = case.changes(2);
    let name = file.strip_prefix(case.directory.path()).unwrap().display().to_string();
    let whole = std::fs::read_to_string(&file).unwrap();
    let edited = whole.replacen(r#"{"commit":"#, r#"{"commit":1"#, 1);
    std::fs::write(&file, edited).unwrap();
    assert_first(&case.findings(&case.lines), &name, "the file was changed");
    std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    assert_first(&case.findings(&case.lines), &name, "it was cut");
    let (first, rest) = whole.split_once('\n').unwrap();
    std::fs::write(&file, format!("{rest}{first}\n")).unwrap();
    assert_first(&case.findings(&case.lines), &name, "the file was changed");
    std::fs::remove_file(&file).unwrap();
    assert_first(&case.findings(&case.lines), &name, "the changes of checkpoint 2 are missing");
}

/// The signature is valid, but the checkpoint does not fit its changes.
#[test]
fn a_checkpoint_that_does_not_fit_its_changes_is_found() {
    let case = Case::new(4);
    let newest = case.newest();
    let mut checkpoint = case.envelope(newest).checkpoint;
    checkpoint.commits += 1;
    case.sign(checkpoint.clone(), 1);
    let at = format!("checkpoints/{newest:010}.json: ");
    assert_first(&case.findings(&case.lines), &at, "the number of commits");
    checkpoint.commits -= 1;
    checkpoint.root = audit::Hash::ZERO;
    case.sign(checkpoint.clone(), 1);
    assert_first(&case.findings(&case.lines), &at, "the root");
    checkpoint.at -= TimeDelta::days(10);
    case.sign(checkpoint, 1);
    assert_first(&case.findings(&case.lines), &at, "it was made at ");
}

#[test]
fn a_checkpoint_that_is_newer_than_the_export_is_no_evidence_of_a_cut() {
    let case = Case::new(12);
    let mut lines = case.lines.clone();
    // The export is of the twentieth day and has no later commits.
    lines[0] = lines[0].replace("2026-04-01T14:00:00Z", "2026-03-22T14:00:00Z");
    assert_ne!(lines[0], case.lines[0]);
    let day: chrono::DateTime<chrono::Utc> = "2026-03-22T14:00:00Z".parse().unwrap();
    lines.retain(|line| commit(line).is_none_or(|commit| commit.recorded_at <= day));
    let report = case.against(&ended(&lines));
    assert!(report.is_intact(), "{:?}", report.findings());
    assert!(report.not_checked().join("\n").contains("newer than the export"), "{:?}", report.not_checked());
}

#[test]
fn an_export_with_a_false_early_time_hides_nothing() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let last = places(&case.lines, &subject).len() as u64;
    // A time before the first checkpoint would make every checkpoint newer than the export.
    for from in [last, 1] {
        let mut lines = cut(&case.lines, &subject, from);
        lines[0] = lines[0].replace("2026-04-01T14:00:00Z", "2026-03-01T14:00:00Z");
        assert_ne!(lines[0], case.lines[0]);
        let lines = ended(&lines);
        for found in [case.findings(&lines), case.findings_alone(&lines)] {
            assert_first(
                &found,
                "export.jsonl:",
                "the export says that it was taken at 2026-03-01 14:00:00 UTC",
            );
            assert_eq!(found.len(), 1, "{found:#?}");
        }
    }
}

#[test]
fn a_time_at_the_end_of_the_range_is_a_finding_like_any_other() {
    let case = Case::new(4);
    let subject = longest(&case.lines);
    let place = places(&case.lines, &subject)[0];
    for at in ["+262142-12-31T23:59:59.999Z", "-262143-01-01T00:00:00Z"] {
        let mut lines = case.lines.clone();
        let mut changed = commit(&lines[place]).unwrap();
        changed.recorded_at = at.parse().unwrap();
        lines[place] = line_of(&changed);
        let found = case.findings(&chained(&lines));
        assert!(found.iter().any(|line| line.contains(&format!(": {subject} seq 1"))), "{found:#?}");
    }
}

/// The tests of the KMS signer cover the other kind of key.
#[test]
fn a_key_can_be_written_and_read() {
    let key = signing_key(1);
    let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
    assert_eq!(again.public_key(), key.public_key());
}
