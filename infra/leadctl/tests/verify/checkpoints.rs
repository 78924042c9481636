//! What only checkpoints tell: whoever can write the tables can write a chain that holds.

use audit::signature::SigningKey;
use chrono::TimeDelta;

use crate::common::*;

#[test]
fn a_record_is_intact_under_its_checkpoints() {
    let case = Case::new(12);
    let report = case.against(&case.lines);
    assert!(report.is_intact(), "{:?}", report.findings());
    assert!(
        !report.not_checked().iter().any(|what| what.contains("no checkpoints")),
        "{:?}",
        report.not_checked()
    );
}

#[test]
fn a_history_that_was_written_anew_is_told_by_the_checkpoint() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let place = places(&case.lines, &subject)[0];
    let mut lines = case.lines.clone();
    lines[place] = lines[place].replace("evt-0-", "evt-9-");
    assert_ne!(lines[place], case.lines[place]);
    let lines = chained(&lines);
    assert_eq!(case.wrong_alone(&lines), Vec::<String>::new());
    let told = case.wrong(&lines);
    // The first commit that a checkpoint ended with; from there back nothing is as it was.
    assert_told(&told, "export.jsonl:", "the history was written anew: commit ");
    assert!(told[0].contains(&format!(": {subject} seq ")) && told.len() == 1, "{told:#?}");
}

#[test]
fn a_cut_tail_and_a_missing_subject_are_told_by_the_checkpoint() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let last = places(&case.lines, &subject).len() as u64;
    let lines = cut(&case.lines, &subject, last);
    assert_eq!(case.wrong_alone(&lines), Vec::<String>::new());
    let says = format!("the tail was cut: the last commit is {}, and checkpoint ", last - 1);
    assert_told(&case.wrong(&lines), &format!("export.jsonl: {subject} seq "), &says);

    let lines = cut(&case.lines, &subject, 1);
    assert_eq!(case.wrong_alone(&lines), Vec::<String>::new());
    let told = case.wrong(&lines);
    assert_told(&told, &format!("export.jsonl: {subject} seq 1: "), "the history is missing: checkpoint ");
    assert_eq!(told.len(), 1);
}

#[test]
fn a_commit_that_was_put_in_later_under_an_early_date_is_told() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let places = places(&case.lines, &subject);
    // The last commit is left out of the checkpoints, and says that it is of the second day.
    let last = places.len() as u64;
    case.make_checkpoints(&cut(&case.lines, &subject, last), DEPLOYMENT, 1);
    let told = case.wrong(&case.lines);
    assert_told(
        &told,
        &format!("export.jsonl:{}: {subject} seq ", places[places.len() - 1] + 1),
        "does not know it",
    );
    // A subject that nobody knew likewise.
    case.make_checkpoints(&cut(&case.lines, &subject, 1), DEPLOYMENT, 1);
    let told = case.wrong(&case.lines);
    assert_told(
        &told,
        &format!("export.jsonl:{}: {subject} seq 1 (commit 1)", places[0] + 1),
        "put in later",
    );
}

#[test]
fn the_wrong_key_and_another_deployments_checkpoints_are_refused() {
    let case = Case::new(4);
    std::fs::write(case.path("key.pem"), signing_key(2).public_key().to_pem().unwrap()).unwrap();
    let told = case.wrong(&case.lines);
    assert_told(&told, "checkpoints/0000000001.json: ", "it was signed by the key ");
    std::fs::write(case.path("key.pem"), signing_key(1).public_key().to_pem().unwrap()).unwrap();

    case.make_checkpoints(&case.lines, "another", 1);
    let told = case.wrong(&case.lines);
    let says = format!("it is of the deployment `another`, and the export is of `{DEPLOYMENT}`");
    assert_told(&told, "checkpoints/0000000001.json: ", &says);
    assert!(case.against(&case.lines).not_checked()[0].contains("none of them counts"));
}

#[test]
fn a_series_that_was_rolled_back_is_told() {
    let case = Case::new(4);
    let newest = case.newest();
    let seen = case.path("seen.json");
    std::fs::copy(case.checkpoint(newest), &seen).unwrap();
    let with_seen = |case: &Case| {
        let mut arguments = case.arguments(&case.lines);
        arguments.extend(["--last-seen".to_owned(), seen.display().to_string()]);
        case.told(&verified(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).unwrap())
    };
    assert_eq!(with_seen(&case), Vec::<String>::new());

    // The newest is gone: it is too long ago, and somebody saw it.
    std::fs::remove_file(case.checkpoint(newest)).unwrap();
    assert_told(&case.wrong(&case.lines), "", "the newest checkpoint is number ");
    let told = with_seen(&case);
    assert_told(&told, "seen.json: ", &format!("the series ends with {}", newest - 1));

    // The whole series was made anew, over a record that was.
    let subject = longest(&case.lines);
    case.make_checkpoints(&cut(&case.lines, &subject, 2), DEPLOYMENT, 1);
    assert_told(&with_seen(&case), "seen.json: ", "another one has its number now");

    // All are gone.
    std::fs::remove_dir_all(case.path("checkpoints")).unwrap();
    std::fs::create_dir(case.path("checkpoints")).unwrap();
    assert_told(&case.wrong(&case.lines), "checkpoints/: ", "there is no checkpoint");
    std::fs::remove_dir_all(case.path("checkpoints")).unwrap();
    assert!(verified(&case.arguments(&case.lines).iter().map(String::as_str).collect::<Vec<_>>()).is_err());
}

#[test]
fn a_checkpoint_that_is_missing_or_moved_is_told_and_a_later_beginning_is_said() {
    let case = Case::new(4);
    let second = std::fs::read(case.checkpoint(2)).unwrap();
    std::fs::remove_file(case.checkpoint(2)).unwrap();
    assert_told(
        &case.wrong(&case.lines),
        "checkpoints/0000000003.json: ",
        "does not follow 1: one is missing",
    );
    std::fs::copy(case.checkpoint(3), case.checkpoint(2)).unwrap();
    assert_told(&case.wrong(&case.lines), "checkpoints/0000000002.json: ", "it is checkpoint 3");

    std::fs::write(case.checkpoint(2), second).unwrap();
    std::fs::remove_file(case.checkpoint(1)).unwrap();
    let report = case.against(&case.lines);
    assert!(report.is_intact(), "{:?}", report.findings());
    let not_checked = report.not_checked().join("\n");
    assert!(not_checked.contains("the checkpoints before number 2"), "{not_checked}");
}

#[test]
fn a_changes_file_that_was_edited_cut_or_taken_away_is_told() {
    let case = Case::new(4);
    let file = case.changes(2);
    let name = file.strip_prefix(case.directory.path()).unwrap().display().to_string();
    let whole = std::fs::read_to_string(&file).unwrap();
    let edited = whole.replacen(r#"{"commit":"#, r#"{"commit":1"#, 1);
    std::fs::write(&file, edited).unwrap();
    assert_told(&case.wrong(&case.lines), &name, "the file was changed");
    std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    assert_told(&case.wrong(&case.lines), &name, "it was cut");
    let (first, rest) = whole.split_once('\n').unwrap();
    std::fs::write(&file, format!("{rest}{first}\n")).unwrap();
    assert_told(&case.wrong(&case.lines), &name, "the file was changed");
    std::fs::remove_file(&file).unwrap();
    assert_told(&case.wrong(&case.lines), &name, "the changes of checkpoint 2 are missing");
}

/// The key is good, and what it signed is not what the changes come to.
#[test]
fn a_checkpoint_over_other_leaves_than_its_changes_is_told() {
    let case = Case::new(4);
    let newest = case.newest();
    let mut checkpoint = case.envelope(newest).checkpoint;
    checkpoint.commits += 1;
    case.sign(checkpoint.clone(), 1);
    let at = format!("checkpoints/{newest:010}.json: ");
    assert_told(&case.wrong(&case.lines), &at, "the number of commits");
    checkpoint.commits -= 1;
    checkpoint.root = audit::Hash::ZERO;
    case.sign(checkpoint.clone(), 1);
    assert_told(&case.wrong(&case.lines), &at, "the root");
    checkpoint.at -= TimeDelta::days(10);
    case.sign(checkpoint, 1);
    assert_told(&case.wrong(&case.lines), &at, "it was made at ");
}

#[test]
fn a_checkpoint_that_is_newer_than_the_export_is_no_evidence_of_a_cut() {
    let case = Case::new(12);
    let mut lines = case.lines.clone();
    // Taken on the twentieth day: what came later is not in it.
    lines[0] = lines[0].replace("2026-04-01T14:00:00Z", "2026-03-22T14:00:00Z");
    assert_ne!(lines[0], case.lines[0]);
    let day: chrono::DateTime<chrono::Utc> = "2026-03-22T14:00:00Z".parse().unwrap();
    lines.retain(|line| commit(line).is_none_or(|commit| commit.recorded_at <= day));
    let report = case.against(&ended(&lines));
    assert!(report.is_intact(), "{:?}", report.findings());
    assert!(report.not_checked().join("\n").contains("newer than the export"), "{:?}", report.not_checked());
}

#[test]
fn an_export_that_says_it_was_taken_earlier_than_it_was_excuses_nothing() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let last = places(&case.lines, &subject).len() as u64;
    // Before any checkpoint was made: each of them would be newer than the export.
    for from in [last, 1] {
        let mut lines = cut(&case.lines, &subject, from);
        lines[0] = lines[0].replace("2026-04-01T14:00:00Z", "2026-03-01T14:00:00Z");
        assert_ne!(lines[0], case.lines[0]);
        let lines = ended(&lines);
        for told in [case.wrong(&lines), case.wrong_alone(&lines)] {
            assert_told(&told, "export.jsonl:", "the export says it was taken at 2026-03-01 14:00:00 UTC");
            assert_eq!(told.len(), 1, "{told:#?}");
        }
    }
}

#[test]
fn an_instant_at_the_end_of_time_is_wrong_like_any_other() {
    let case = Case::new(4);
    let subject = longest(&case.lines);
    let place = places(&case.lines, &subject)[0];
    for at in ["+262142-12-31T23:59:59.999Z", "-262143-01-01T00:00:00Z"] {
        let mut lines = case.lines.clone();
        let mut changed = commit(&lines[place]).unwrap();
        changed.recorded_at = at.parse().unwrap();
        lines[place] = line_of(&changed);
        let told = case.wrong(&chained(&lines));
        assert!(told.iter().any(|line| line.contains(&format!(": {subject} seq 1"))), "{told:#?}");
    }
}

/// Both kinds of keys: what KMS signs with is tested where it signs.
#[test]
fn the_key_of_the_tests_is_one_that_can_be_written_and_read() {
    let key = signing_key(1);
    let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
    assert_eq!(again.public_key(), key.public_key());
}
