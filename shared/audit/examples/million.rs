//! Measures checkpoint runs over many subjects, without the network: the first run, a run with 1 % of the
//! subjects changed, and reading back the cached leaves.
//!
//! ```sh
//! cargo run --release -p audit --example million -- 1000000
//! ```
#![allow(clippy::unwrap_used, reason = "a measurement fails by panicking")]

use audit::leaves::{Leaf, Leaves, Survey, changes_text};
use audit::sha256;
use std::time::Instant;

fn main() {
    let subjects: u64 = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let head = |n: u64, commit: u64| Leaf {
        commit,
        head: sha256([n.to_be_bytes().as_slice(), &commit.to_be_bytes()]),
        subject: format!("lead/L-{n:08}").into(),
    };
    let run = |what: &str, leaves: &mut Leaves, moved: fn(u64) -> u64| {
        let begun = Instant::now();
        let mut survey = Survey::of(leaves);
        // By shard, then by name, like the index.
        for shard in 0..8 {
            (0..subjects).filter(|n| n % 8 == shard).for_each(|n| survey.see(head(n, moved(n))).unwrap());
        }
        let changes = survey.finish().unwrap();
        let changed = changes.len();
        let (text, _) = changes_text(&changes);
        leaves.apply(changes).unwrap();
        let (seconds, bytes) = (begun.elapsed().as_secs_f64(), text.len());
        println!(
            "{what}: {changed} of {subjects} changed, {seconds:.2} s, changes file {bytes} bytes, root {}",
            leaves.root()
        );
    };
    let mut leaves = Leaves::default();
    run("first", &mut leaves, |_| 3);
    let memory = memory_kib("VmRSS");
    run("next", &mut leaves, |n| if n % 100 == 0 { 4 } else { 3 });
    run("idle", &mut leaves, |n| if n % 100 == 0 { 4 } else { 3 });
    let begun = Instant::now();
    let (kept, _) = changes_text(leaves.to_changes());
    println!("leaves written: {:.2} s, {} bytes", begun.elapsed().as_secs_f64(), kept.len());
    let root = leaves.root();
    drop(leaves);
    let begun = Instant::now();
    let restored = Leaves::restore(&kept).unwrap();
    println!("leaves read: {:.2} s, root {}", begun.elapsed().as_secs_f64(), restored.root());
    assert_eq!(restored.root(), root);
    println!("memory: {memory} KiB after the first, {} KiB at the most", memory_kib("VmHWM"));
}

fn memory_kib(name: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or("?").to_owned()
}
