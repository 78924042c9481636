//! Sorts the commits of an export, however many they are, in bounded memory: runs on disk, and a
//! merge of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read as _, Seek as _, Write as _};

use anyhow::Context as _;
use rules::record::CommitRecord;

use super::file::{CommitLine, Contents, Reader};

/// A run is as large as this; memory holds one at a time.
const RUN_BYTES: usize = 64 << 20;

/// In which order commits are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were decided.
    Time,
    /// Subject by subject.
    Subject,
}

impl Order {
    /// A key whose bytes sort so.
    fn key(self, line: &CommitLine<'_>) -> Vec<u8> {
        let subject = line.subject.to_string();
        let mut key = Vec::with_capacity(subject.len() + 21);
        if self == Self::Time {
            let at = line.decided_at;
            // Seconds with the sign bit turned sort as they are before and after 1970.
            key.extend((at.timestamp().cast_unsigned() ^ (1 << 63)).to_be_bytes());
            key.extend(at.timestamp_subsec_nanos().to_be_bytes());
        }
        key.extend(subject.as_bytes());
        key.push(0);
        key.extend(line.commit.to_be_bytes());
        key
    }
}

type Keyed = (Vec<u8>, String);

/// Reads an export and sorts its commits.
///
/// # Errors
/// An export that is damaged; a disk that is full.
pub fn sorted(reader: Reader<impl BufRead>, order: Order) -> anyhow::Result<(Contents, Sorted)> {
    sorted_in_runs(reader, order, RUN_BYTES)
}

fn sorted_in_runs(
    reader: Reader<impl BufRead>,
    order: Order,
    run_bytes: usize,
) -> anyhow::Result<(Contents, Sorted)> {
    let mut runs = Vec::new();
    let mut held: Vec<Keyed> = Vec::new();
    let mut bytes = 0;
    let contents = reader.read(&mut |line| {
        let key = order.key(&line);
        bytes += key.len() + line.text.len();
        held.push((key, line.text.to_owned()));
        if bytes >= run_bytes {
            runs.push(write_run(&mut held)?);
            bytes = 0;
        }
        Ok(())
    })?;
    held.sort_unstable();
    let mut sorted = Sorted { runs, held: held.into_iter(), next: BinaryHeap::new() };
    for run in 0..=sorted.runs.len() {
        sorted.advance(run)?;
    }
    Ok((contents, sorted))
}

/// Sorts what is held and writes it to a file that nobody else sees, and that is gone with it.
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
    Ok(BufReader::new(
        write().context("cannot sort: the directory for temporary files (TMPDIR) takes no more")?,
    ))
}

/// Commits in order.
#[derive(Debug)]
pub struct Sorted {
    runs: Vec<BufReader<File>>,
    /// The last run never left memory.
    held: std::vec::IntoIter<Keyed>,
    next: BinaryHeap<Reverse<(Vec<u8>, String, usize)>>,
}

impl Sorted {
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
        let text = part()?.context("a temporary file was cut")?;
        Ok(Some((key, String::from_utf8(text)?)))
    }

    /// The next commit.
    fn next_line(&mut self) -> anyhow::Result<Option<String>> {
        let Some(first) = self.next.peek_mut() else { return Ok(None) };
        let Reverse((_, text, run)) = PeekMut::pop(first);
        self.advance(run)?;
        Ok(Some(text))
    }
}

impl Iterator for Sorted {
    type Item = anyhow::Result<CommitRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.next_line().transpose()?;
        Some(line.and_then(|text| {
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
    use crate::audit::generate;
    use rules::policy::Policy;

    #[test]
    fn runs_on_disk_come_to_the_same_order_as_memory() {
        let policy = Policy::parse(include_str!("../../../policies/default.yaml")).unwrap();
        let made = generate::write(Vec::new(), 20, 5, &policy).unwrap();
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
