//! Sorts any number of commits in bounded memory: sorted runs on disk, and a merge.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read as _, Seek as _, Write as _};

use anyhow::Context as _;
use rules::record::CommitRecord;

use super::format::{CommitLine, Contents, Reader};

/// The size of a run. Memory holds one at a time.
const RUN_BYTES: usize = 64 << 20;
/// The memory that a text takes besides its bytes.
const HELD_BYTES: usize = 64;

/// The order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By the time of the decision.
    Time,
    /// Subject by subject.
    Subject,
}

impl Order {
    /// A key whose bytes sort in this order.
    fn key(self, line: &CommitLine<'_>) -> Vec<u8> {
        let mut key = Vec::new();
        if self == Self::Time {
            let at = line.decided_at;
            // With the sign bit flipped, seconds before 1970 sort before later ones.
            key.extend((at.timestamp().cast_unsigned() ^ (1 << 63)).to_be_bytes());
            key.extend(at.timestamp_subsec_nanos().to_be_bytes());
        }
        key.extend(place_key(&line.subject.to_string(), line.commit));
        key
    }
}

/// A key that sorts by subject, then by commit.
pub(super) fn place_key(subject: &str, commit: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(subject.len() + 17);
    key.extend(subject.as_bytes());
    key.push(0);
    key.extend(commit.to_be_bytes());
    key
}

type Keyed = (Vec<u8>, String);

/// Takes texts in any order.
#[derive(Debug)]
pub(super) struct Sorter {
    runs: Vec<BufReader<File>>,
    held: Vec<Keyed>,
    held_bytes: usize,
    run_bytes: usize,
}

impl Default for Sorter {
    fn default() -> Self {
        Self::in_runs(RUN_BYTES)
    }
}

impl Sorter {
    fn in_runs(run_bytes: usize) -> Self {
        Self { runs: Vec::new(), held: Vec::new(), held_bytes: 0, run_bytes }
    }

    /// Takes a text.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn push(&mut self, key: Vec<u8>, text: String) -> anyhow::Result<()> {
        self.held_bytes += key.len() + text.len() + HELD_BYTES;
        self.held.push((key, text));
        if self.held_bytes >= self.run_bytes {
            self.runs.push(write_run(&mut self.held)?);
            self.held_bytes = 0;
        }
        Ok(())
    }

    /// Returns all texts in order.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn finish(mut self) -> anyhow::Result<Merged> {
        self.held.sort_unstable();
        let mut merged = Merged { runs: self.runs, held: self.held.into_iter(), next: BinaryHeap::new() };
        for run in 0..=merged.runs.len() {
            merged.advance(run)?;
        }
        Ok(merged)
    }
}

/// Sorts the held texts and writes them to an unnamed temporary file, which disappears with its handle.
fn write_run(held: &mut Vec<Keyed>) -> anyhow::Result<BufReader<File>> {
    held.sort_unstable();
    let mut write = || -> std::io::Result<File> {
        let mut out = BufWriter::new(tempfile::tempfile()?);
        for (key, text) in held.drain(..) {
            for part in [key.as_slice(), text.as_bytes()] {
                out.write_all(&(part.len() as u64).to_be_bytes())?;
                out.write_all(part)?;
            }
        }
        let mut file = out.into_inner()?;
        file.rewind()?;
        Ok(file)
    };
    Ok(BufReader::new(write().context(
        "cannot sort: cannot write temporary files; free some space, or name another directory in `TMPDIR`",
    )?))
}

/// Texts in order.
#[derive(Debug)]
pub(super) struct Merged {
    runs: Vec<BufReader<File>>,
    /// The last run stays in memory.
    held: std::vec::IntoIter<Keyed>,
    next: BinaryHeap<Reverse<(Vec<u8>, String, usize)>>,
}

impl Merged {
    fn advance(&mut self, run: usize) -> anyhow::Result<()> {
        if let Some((key, text)) = self.read(run)? {
            self.next.push(Reverse((key, text, run)));
        }
        Ok(())
    }

    fn read(&mut self, run: usize) -> anyhow::Result<Option<Keyed>> {
        let Some(file) = self.runs.get_mut(run) else { return Ok(self.held.next()) };
        let mut part = || -> anyhow::Result<Option<Vec<u8>>> {
            if file.fill_buf()?.is_empty() {
                return Ok(None);
            }
            let mut length = [0; 8];
            file.read_exact(&mut length)?;
            let mut part = vec![0; usize::try_from(u64::from_be_bytes(length))?];
            file.read_exact(&mut part)?;
            Ok(Some(part))
        };
        let Some(key) = part()? else { return Ok(None) };
        let text = part()?.context("a temporary file was truncated")?;
        Ok(Some((key, String::from_utf8(text)?)))
    }

    /// The next text, with its key.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn next(&mut self) -> anyhow::Result<Option<Keyed>> {
        let Some(first) = self.next.peek_mut() else { return Ok(None) };
        let Reverse((key, text, run)) = PeekMut::pop(first);
        self.advance(run)?;
        Ok(Some((key, text)))
    }
}

/// Reads an export and sorts its commits.
///
/// # Errors
/// When the export is damaged, or the disk is full.
pub fn sorted(reader: Reader<impl BufRead>, order: Order) -> anyhow::Result<(Contents, Sorted)> {
    sorted_in_runs(reader, order, RUN_BYTES)
}

fn sorted_in_runs(
    reader: Reader<impl BufRead>,
    order: Order,
    run_bytes: usize,
) -> anyhow::Result<(Contents, Sorted)> {
    let mut sorter = Sorter::in_runs(run_bytes);
    let contents = reader.read(&mut |line| sorter.push(order.key(&line), line.text.to_owned()))?;
    Ok((contents, Sorted(sorter.finish()?)))
}

/// Commits in order.
#[derive(Debug)]
pub struct Sorted(Merged);

impl Iterator for Sorted {
    type Item = anyhow::Result<CommitRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.0.next().transpose()?;
        Some(line.and_then(|(_, text)| {
            serde_json::from_str(&text).with_context(|| {
                let shown: String = text.chars().take(80).collect();
                format!("a commit of the export cannot be read: {shown}…")
            })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::Policy;

    #[test]
    fn runs_on_disk_sort_as_memory_does() {
        let policy = Policy::parse(include_str!("../../../policies/default.yaml")).unwrap();
        let made = generate_record::write(Vec::new(), 20, 5, &policy).unwrap();
        let order = |by: Order, run_bytes: usize| -> Vec<String> {
            let (_, sorted) = sorted_in_runs(Reader::new(made.as_slice(), "made up"), by, run_bytes).unwrap();
            sorted
                .map(|record| {
                    record.map(|r| format!("{} {} {}", r.recorded_at, r.subject, r.commit)).unwrap()
                })
                .collect()
        };
        for by in [Order::Time, Order::Subject] {
            let (memory, runs) = (order(by, usize::MAX), order(by, 4_000));
            assert!(memory.len() > 100);
            assert_eq!(memory, runs);
        }
        assert!(order(Order::Time, 4_000).is_sorted_by_key(|line| line[..23].to_owned()));
    }
}
