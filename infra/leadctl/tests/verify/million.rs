//! How much `leadctl audit verify` takes: a million entries, against checkpoints.
//!
//! ```sh
//! cargo test -p leadctl --release --test leadctl -- --ignored --nocapture a_million_entries
//! ```

use super::common::*;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::Duration;

/// This many leads have more than a million entries.
const LEADS: u32 = 40_000;

/// A number from a line of a file about a running process.
fn number(file: &str, line: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|found| found.strip_prefix(line))?.split_whitespace().next()?.parse().ok()
}

/// The processor time of a process, user and system, in ticks of 10 ms.
fn ticks(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit(") ").next()?.split(' ').collect();
    Some(fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?)
}

#[test]
#[ignore = "it takes minutes: run by hand, for its figures"]
fn a_million_entries_are_verified_in_less_memory_than_they_are_long() {
    let case = Case::new(LEADS);
    let arguments = case.arguments(&case.lines);
    let bytes = std::fs::metadata(case.path("export.jsonl")).unwrap().len();
    let mut child = Command::new(env!("CARGO_BIN_EXE_leadctl"))
        .args(["audit", "verify", "--json"])
        .args(&arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let (mut peak_kb, mut spent) = (0, 0);
    while child.try_wait().unwrap().is_none() {
        peak_kb = number(&format!("/proc/{pid}/status"), "VmHWM:").unwrap_or(peak_kb);
        spent = ticks(pid).unwrap_or(spent);
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut report = String::new();
    child.stdout.take().unwrap().read_to_string(&mut report).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["intact"], true, "{report:#}");
    let (entries, subjects) = (report["entries"].as_u64().unwrap(), report["subjects"].as_u64().unwrap());
    println!(
        "{entries} entries in {} commits of {subjects} subjects, {} checkpoints, {} MB: {} s of processor time, \
         {} entries per second and core, at most {} MB of memory",
        report["commits"],
        case.newest(),
        bytes / 1_000_000,
        spent / 100,
        entries * 100 / spent.max(1),
        peak_kb / 1_000,
    );
    assert!(entries >= 1_000_000, "{entries}");
    assert!(peak_kb * 1_000 < bytes / 2, "{peak_kb} kB of memory for {bytes} bytes");
}
