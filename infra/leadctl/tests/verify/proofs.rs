//! A proof of one entry, written and checked on the command line.

use super::common::*;

#[test]
fn an_outsider_checks_an_entry_with_the_proof_and_the_key_alone() {
    let case = Case::new(4);
    let subject = longest(&case.lines);
    let (arguments, proof) = (case.arguments(&case.lines), case.path("proof.json"));
    let proof = proof.to_str().unwrap();
    let prove = |seq: &str| {
        let more = ["--subject", &subject, "--seq", seq, "--out", proof];
        let words = ["audit", "prove"].into_iter().chain(arguments.iter().map(String::as_str)).chain(more);
        leadctl(&words.collect::<Vec<_>>())
    };
    let key = case.path("key.pem");
    let check = || leadctl(&["audit", "check-proof", proof, "--key", key.to_str().unwrap()]);

    let made = prove("2");
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let checked = check();
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    let says = text(&checked.stdout);
    assert!(
        says.contains(r#""seq": 2"#)
            && says.contains(&format!("Proven: this entry was in commit 1 of {subject}")),
        "{says}"
    );
    // It reveals no other entry.
    let written = std::fs::read_to_string(proof).unwrap();
    assert_eq!(written.matches(r#""seq":"#).count(), 1, "{written}");

    std::fs::write(proof, written.replacen("\"seq\":2", "\"seq\":3", 1)).unwrap();
    let refused = check();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("the head of"), "{}", text(&refused.stderr));
    std::fs::write(proof, &written[..written.len() / 2]).unwrap();
    assert_eq!(check().status.code(), Some(1));
    std::fs::write(proof, &written).unwrap();
    std::fs::write(&key, signing_key(2).public_key().to_pem().unwrap()).unwrap();
    let refused = check();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("it was signed by the key"), "{}", text(&refused.stderr));
    std::fs::remove_file(proof).unwrap();
    assert_eq!(check().status.code(), Some(2));
    // No checkpoint is valid with that key, so nothing can be proven.
    assert_eq!(prove("2").status.code(), Some(1));
}

#[test]
fn a_missing_entry_cannot_be_proven() {
    let case = Case::new(4);
    let subject = longest(&case.lines);
    let arguments = case.arguments(&case.lines);
    let prove = |subject: &str, seq: &str| {
        let out = case.path("proof.json");
        let more = ["--subject", subject, "--seq", seq, "--out", out.to_str().unwrap()];
        let words = ["audit", "prove"].into_iter().chain(arguments.iter().map(String::as_str)).chain(more);
        let output = leadctl(&words.collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    let found = prove(&subject, "100000");
    assert!(found.contains("has no entry 100000"), "{found}");
    let found = prove("lead/L-none", "1");
    assert!(found.contains("lead/L-none is not in checkpoint"), "{found}");
}

#[test]
fn a_history_is_shown_with_its_hashes() {
    let case = Case::new(4);
    let subject = longest(&case.lines);
    case.arguments(&case.lines);
    let export = case.path("export.jsonl");
    let show = |subject: &str| leadctl(&["audit", "show", subject, "--from", export.to_str().unwrap()]);
    let shown = show(&subject);
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    let last = commit(&case.lines[*places(&case.lines, &subject).last().unwrap()]).unwrap();
    let shown = text(&shown.stdout);
    assert!(shown.ends_with(&format!("head {} after commit {}\n", last.head, last.commit)), "{shown}");
    assert!(shown.contains(&last.links().unwrap().entries.last().unwrap().to_string()), "{shown}");
    assert_eq!(show("lead/L-none").status.code(), Some(1));

    // The missing part may have had more of the history.
    case.arguments(&case.lines[..case.lines.len() - 1]);
    let cut = show(&subject);
    assert_eq!(cut.status.code(), Some(1));
    assert!(text(&cut.stderr).contains("the export was cut"), "{}", text(&cut.stderr));

    let mut lines = case.lines.clone();
    let first = places(&lines, &subject)[0];
    lines[first] = lines[first].replacen("evt-0-", "evt-9-", 1);
    case.arguments(&lines);
    let refused = show(&subject);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains(&format!("{subject} seq 1 (commit 1): ")),
        "{}",
        text(&refused.stderr)
    );
}
