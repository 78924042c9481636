//! Findings from the chain alone.

use super::common::*;
use std::process::Command;

#[test]
fn an_unchanged_record_is_intact_and_the_report_lists_what_it_could_not_check() {
    let case = Case::new(12);
    let report = case.alone(&case.lines);
    assert!(report.is_intact(), "{:?}", report.findings());
    assert!(report.not_checked().iter().any(|what| what.contains("only checkpoints show them")));
    assert!(case.alone(&ended(&case.lines)).is_intact());
    assert_eq!(chained(&case.lines), case.lines);
}

#[test]
fn a_verdict_that_cannot_be_printed_is_an_error() {
    let case = Case::new(2);
    let arguments = case.arguments(&case.lines);
    for json in [None, Some("--json")] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadctl"));
        command.args(["audit", "verify"]).args(&arguments).args(json);
        let output = command.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains("standard output could not be written"), "{said}");
    }
}

#[test]
fn an_entry_that_was_changed_deleted_swapped_or_added_is_found() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let place = places(&case.lines, &subject)
        .into_iter()
        .find(|&n| case.lines[n].matches(r#""seq":"#).count() >= 3)
        .expect("a commit of three entries");
    let seq = first_seq(&case.lines[place]);
    let at = format!("export.jsonl:{}: {subject} seq {seq} (commit ", place + 1);
    let entries: Vec<serde_json::Value> =
        serde_json::from_str(commit(&case.lines[place]).unwrap().entries.get()).unwrap();
    let with = |entries: Vec<serde_json::Value>| {
        let mut commit = commit(&case.lines[place]).unwrap();
        let text = audit::canonical::to_text(&entries).unwrap();
        commit.entries = serde_json::value::RawValue::from_string(text).unwrap();
        let mut lines = case.lines.clone();
        lines[place] = line_of(&commit);
        ended(&lines)
    };

    let mut changed = entries.clone();
    changed[0]["actor"]["id"] = "another".into();
    assert_first(&case.findings_alone(&with(changed)), &at, "an entry or the commit was changed");
    // The second entry names another place than its own, and the finding is there.
    let second = at.replace(&format!("seq {seq} "), &format!("seq {} ", seq + 1));
    let mut deleted = entries.clone();
    deleted.remove(1);
    assert_first(&case.findings_alone(&with(deleted.clone())), &second, "an entry or the commit was changed");
    let mut swapped = entries.clone();
    swapped.swap(1, 2);
    assert_first(&case.findings_alone(&with(swapped)), &second, "an entry or the commit was changed");
    let mut put_in = entries.clone();
    put_in.insert(1, entries[0].clone());
    assert_first(&case.findings_alone(&with(put_in.clone())), &second, "an entry or the commit was changed");

    // With a new chain, the entries still make no history.
    let found = case.findings_alone(&chained(&with(deleted)));
    assert_first(&found, &second, &format!("entry {} is where entry {} belongs", seq + 2, seq + 1));
    let found = case.findings_alone(&chained(&with(put_in)));
    assert_first(&found, &second, &format!("entry {seq} is where entry {} belongs", seq + 1));
    let found = case.findings_alone(&chained(&with(Vec::new())));
    assert_first(&found, &at, "the commit has no entries");
}

#[test]
fn the_seal_covers_all_members_of_a_commit() {
    let case = Case::new(12);
    let place = places(&case.lines, &longest(&case.lines))[1];
    for (name, other) in
        [("cause", r#""another""#), ("attempt", r#""another""#), ("recorded_at", r#""2026-03-05T00:00:00Z""#)]
    {
        let mut line: serde_json::Value = serde_json::from_str(&case.lines[place]).unwrap();
        let before = serde_json::to_string(&line[name]).unwrap();
        line[name] = serde_json::from_str(other).unwrap();
        let mut lines = case.lines.clone();
        lines[place] =
            case.lines[place].replacen(&format!(r#""{name}":{before}"#), &format!(r#""{name}":{other}"#), 1);
        assert_ne!(lines[place], case.lines[place]);
        let found = case.findings_alone(&ended(&lines));
        assert_first(&found, &format!("export.jsonl:{}: ", place + 1), "an entry or the commit was changed");
    }
    let mut lines = case.lines.clone();
    lines[place] = lines[place].replacen(r#""recorded":{"actor":"#, r#""recorded":{"Actor":"#, 1);
    let found = case.findings_alone(&ended(&lines));
    assert_first(&found, &format!("export.jsonl:{}: ", place + 1), "an entry or the commit was changed");
}

#[test]
fn a_commit_that_was_deleted_swapped_repeated_or_added_is_found() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let places = places(&case.lines, &subject);
    let (second, third) = (places[1], places[2]);
    let seq = first_seq(&case.lines[second]);

    let mut lines = case.lines.clone();
    lines.remove(second);
    let found = case.findings_alone(&ended(&lines));
    let at = format!("export.jsonl:{third}: {subject} seq {seq} (commit 3): ");
    assert_first(&found, &at, "commit 2 is missing: commit 3 follows commit 1");

    let mut lines = case.lines.clone();
    lines.swap(second, third);
    let found = case.findings_alone(&ended(&lines));
    assert_first(&found, &format!("export.jsonl:{}: {subject} seq ", second + 1), "lines were swapped");

    let mut lines = case.lines.clone();
    lines.insert(third, case.lines[second].clone());
    let found = case.findings_alone(&ended(&lines));
    assert_first(&found, &format!("export.jsonl:{}: {subject} seq ", third + 1), "the history forks");

    // Another commit with the same number.
    let mut fork = commit(&case.lines[second]).unwrap();
    fork.attempt = "another".to_owned();
    fork.head = fork.links().unwrap().head;
    let mut lines = case.lines.clone();
    lines.insert(third, line_of(&fork));
    let found = case.findings_alone(&ended(&lines));
    assert_first(&found, &format!("export.jsonl:{}: {subject} seq ", third + 1), "there are two commits 2");
    // It replaces the original: the next commit does not follow it.
    let mut lines = case.lines.clone();
    lines[second] = line_of(&fork);
    let found = case.findings_alone(&ended(&lines));
    assert_first(&found, &format!("export.jsonl:{}: {subject} seq ", third + 1), "the commit names ");

    // A commit of another subject.
    let mut lines = case.lines.clone();
    lines[second] = lines[second].replacen(&subject, "lead/L-other", 1);
    let found = case.findings_alone(&ended(&lines));
    assert!(
        found.iter().any(|line| line.contains("lead/L-other") && line.contains("is missing")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|line| line.contains(&subject) && line.contains("commit 2 is missing")),
        "{found:#?}"
    );
}

#[test]
fn entries_with_a_new_chain_that_make_no_history_are_found() {
    let case = Case::new(12);
    let subject = longest(&case.lines);
    let first = places(&case.lines, &subject)[0];
    let mut lines = case.lines.clone();
    lines[first] = lines[first].replacen(r#""type":"lead.created""#, r#""type":"lead.opened""#, 1);
    let found = case.findings_alone(&chained(&lines));
    assert_first(
        &found,
        &format!("export.jsonl:{}: {subject} seq 1 (commit 1): ", first + 1),
        "cannot be read",
    );
    let (mut lines, named) = (case.lines.clone(), r#""policy_revision":1,"seq":1"#);
    let first = lines.iter().position(|line| line.contains(named)).unwrap();
    lines[first] = lines[first].replacen(named, r#""policy_revision":9,"seq":1"#, 1);
    let found = case.findings_alone(&chained(&lines));
    assert_first(&found, "export.jsonl: policy revision 3 is missing", "entries name it");
}

#[test]
fn a_revision_with_a_huge_number_is_one_finding() {
    let case = Case::new(12);
    let mut lines = case.lines.clone();
    let named = r#""policy_revision":1,"seq":1"#;
    let first = lines.iter().position(|line| line.contains(named)).unwrap();
    lines[first] = lines[first].replacen(named, r#""policy_revision":4294967295,"seq":1"#, 1);
    let found = case.findings_alone(&chained(&lines));
    assert_first(&found, "export.jsonl: policy revision 3 is missing", "entries name it");
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn a_damaged_line_with_personal_data_is_not_quoted() {
    let case = Case::new(4);
    for line in [
        r#"{"kind":"opened","subject":"lead/L-1","commit":1,"texts":"Kim Example"}"#,
        r#"{"kind":"opened","subject":"Kim Example","commit":1,"texts":{}}"#,
        r#"{"kind":"opened","subject":"lead/L-1","commit":"Kim Example","texts":{}}"#,
    ] {
        let mut lines = case.lines.clone();
        lines.insert(1, line.to_owned());
        let found = case.findings_alone(&ended(&lines));
        assert_first(&found, "export.jsonl:2: ", "the line with opened texts is not valid");
        assert!(!found.join("\n").contains("Kim"), "{found:#?}");
    }
}

#[test]
fn a_published_document_must_match_its_history() {
    let case = Case::new(12);
    let place = |kind: &str, revision: &str| {
        let is = |line: &String| line.starts_with(kind) && line.contains(revision);
        case.lines.iter().position(is).unwrap()
    };
    let policy = place(r#"{"kind":"policy","#, r#""revision":1,"#);
    let directory = place(r#"{"kind":"directory","#, r#""revision":2,"#);
    let changed = |place: usize, from: &str, to: &str| {
        let mut lines = case.lines.clone();
        lines[place] = lines[place].replacen(from, to, 1);
        assert_ne!(lines[place], case.lines[place], "{from}");
        case.findings_alone(&ended(&lines))
    };
    let at = format!("export.jsonl:{}: policy/1: ", policy + 1);
    let found = changed(policy, r#""score":85"#, r#""score":95"#);
    assert_first(&found, &at, "the text of this revision is not the published one");
    // The same content in another form is another text.
    let found = changed(policy, r#"{"kind":"policy","policy":{"#, r#"{"kind":"policy","policy":{ "#);
    assert_first(&found, &at, "the text of this revision is not the published one");
    let at = format!("export.jsonl:{}: directory/2: ", directory + 1);
    let found = changed(directory, r#""capacity":150"#, r#""capacity":151"#);
    assert_first(&found, &at, "the text of this revision is not the published one");
    let found = changed(directory, r#""published_at":"2026"#, r#""published_at":"2025"#);
    assert_first(&found, &at, "this revision says that it was published at 2025");
    // A revision that was never published.
    let mut lines = case.lines.clone();
    let third = lines[directory].replacen(r#""revision":2,"#, r#""revision":3,"#, 1);
    lines.insert(directory + 1, third);
    let found = case.findings_alone(&ended(&lines));
    assert_first(&found, &format!("export.jsonl:{}: directory/3: ", directory + 2), "was never published");
}

#[test]
fn another_form_of_the_same_content_is_found() {
    let case = Case::new(12);
    let place = places(&case.lines, &longest(&case.lines))[0];
    for (from, to) in [
        (r#","commit":1,"#, r#", "commit":1,"#),
        (r#","commit":1,"#, r#","commit":1,"commit":1,"#),
        (r#""cause":""#, r#""cause":"\u0065"#),
        (r#"Z","recorded_at":"#, r#".000Z","recorded_at":"#),
        (r#""attempt":"#, r#""approved":true,"attempt":"#),
    ] {
        let mut lines = case.lines.clone();
        lines[place] = lines[place].replacen(from, to, 1);
        assert_ne!(lines[place], case.lines[place], "{from}");
        let found = case.findings_alone(&ended(&lines));
        assert!(found[0].starts_with(&format!("export.jsonl:{}: ", place + 1)), "{from}: {found:#?}");
    }
    // A duplicate key, with a valid chain.
    let mut commit = commit(&case.lines[place]).unwrap();
    let twice = commit.entries.get().replacen(r#""seq":1,"#, r#""seq":1,"seq":1,"#, 1);
    commit.entries = serde_json::value::RawValue::from_string(twice).unwrap();
    let mut lines = case.lines.clone();
    lines[place] = line_of(&commit);
    let found = case.findings_alone(&chained(&lines));
    assert!(found[0].contains("the commit's list of entries is not in canonical form"), "{found:#?}");
}

#[test]
fn the_last_line_shows_that_an_export_was_cut() {
    let case = Case::new(12);
    let mut lines = case.lines.clone();
    lines.pop();
    assert_first(
        &case.findings_alone(&lines),
        &format!("export.jsonl:{}: ", lines.len()),
        "the export was cut",
    );
    let mut lines = case.lines.clone();
    lines.remove(lines.len() - 2);
    let found = case.findings_alone(&lines);
    assert!(
        found.iter().any(|line| line.contains("the last line counts 2 policies, 2 directories")),
        "{found:#?}"
    );
    let mut lines = case.lines.clone();
    lines.push(lines[0].clone());
    assert_first(&case.findings_alone(&lines), &format!("export.jsonl:{}: ", lines.len()), "lines follow");
    let found = case.texts(&case.bytes_alone(b"").unwrap());
    assert_first(&found, "export.jsonl:1: ", "the export was cut");
}

#[test]
fn the_exit_status_tells_changed_records_from_failures() {
    let case = Case::new(12);
    let run = |lines: &[String], more: &[&str]| {
        let mut arguments = vec!["audit".to_owned(), "verify".to_owned()];
        arguments.extend(case.arguments(lines));
        arguments.extend(more.iter().map(|word| (*word).to_owned()));
        leadctl(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let output = run(&case.lines, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).starts_with("intact: "), "{}", text(&output.stdout));

    let place = places(&case.lines, &longest(&case.lines))[0];
    let mut lines = case.lines.clone();
    lines[place] = lines[place].replace("paid_social", "inbound_web").replace("Kim", "Tim");
    std::fs::write(case.path("changed.jsonl"), format!("{}\n", lines.join("\n"))).unwrap();
    let changed = case.path("changed.jsonl");
    let output = leadctl(&["audit", "verify", "--export", changed.to_str().unwrap()]);
    let shown = text(&output.stdout).replace(changed.to_str().unwrap(), "changed.jsonl");
    insta::assert_snapshot!("changed_record", without_hashes(&shown));
    let output = run(&lines, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["intact"], &report["findings"][0]["kind"]), (&false.into(), &"seal".into()));
    assert_eq!(report["findings"][0]["line"], place + 1);

    let no_file = leadctl(&["audit", "verify", "--export", "/no/such/file"]);
    assert_eq!(no_file.status.code(), Some(2));
    assert!(text(&no_file.stderr).contains("cannot read /no/such/file"));
    let directory = leadctl(&["audit", "verify", "--export", "/"]);
    assert_eq!(directory.status.code(), Some(2));
    let mut lines = case.lines.clone();
    lines[0] = lines[0].replace(r#""format_version":2"#, r#""format_version":9"#);
    assert_eq!(run(&lines, &[]).status.code(), Some(2));
    assert_eq!(run(&case.lines, &["--last-seen", "/no/such/file"]).status.code(), Some(2));
    std::fs::write(case.path("key.pem"), "no key").unwrap();
    let output = run(&case.lines, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("key.pem is not a public key"), "{}", text(&output.stderr));
    let no_key = case.path("export.jsonl");
    let arguments = ["audit", "verify", "--export", no_key.to_str().unwrap(), "--checkpoints", "."];
    assert_eq!(leadctl(&arguments).status.code(), Some(2));
}

/// The hashes are others whenever the made-up record is another.
fn without_hashes(report: &str) -> String {
    let is_hash = |word: &str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = report.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(|word| {
            let hash = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_hash(hash) { word.replace(hash, "HASH") } else { word.to_owned() }
        })
        .collect()
}
