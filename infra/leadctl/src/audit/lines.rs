//! Reads the lines of a file that may be damaged: numbered, of bounded length, and hashed.

use std::io::{BufRead, Read as _};

use audit::Hash;
use sha2::{Digest as _, Sha256};

/// The longest line of an export: an item of a table has at most 400 KB.
const LINE_BYTES_MAX: usize = 8 << 20;

/// Why there is no next line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Io(#[from] std::io::Error),
    /// The file was cut.
    #[error("the file ends in the middle of a line: it was cut")]
    Cut,
    /// The line is not text.
    #[error("the line is not UTF-8: it was changed")]
    Text,
    /// The file has no lines.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes: leadctl did not write it")]
    Long,
}

/// Lines, one at a time.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    number: u64,
    /// The current line, with its line break.
    line: Vec<u8>,
    /// The hash of all lines before it.
    before: Sha256,
}

impl<R: BufRead> Lines<R> {
    /// Reads the lines of `input`.
    pub fn new(input: R) -> Self {
        Self { input, number: 0, line: Vec::new(), before: Sha256::new() }
    }

    /// The next line without its line break; `None` at the end of the file. After a damaged line, the next one can be
    /// read.
    ///
    /// # Errors
    /// When the line is damaged, or the file cannot be read.
    pub fn next(&mut self) -> Result<Option<&str>, LineError> {
        self.before.update(&self.line);
        self.line.clear();
        let mut limited = self.input.by_ref().take(LINE_BYTES_MAX as u64 + 1);
        if limited.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        match self.line.strip_suffix(b"\n") {
            Some(line) => std::str::from_utf8(line).map(Some).map_err(|_| LineError::Text),
            None if self.line.len() > LINE_BYTES_MAX => Err(LineError::Long),
            None => Err(LineError::Cut),
        }
    }

    /// The number of the current line, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The SHA-256 of every byte before the current line.
    pub fn hash_before(&self) -> Hash {
        Hash::new(self.before.clone().finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audit::sha256;

    #[test]
    fn a_damaged_line_is_an_error_and_the_next_one_is_read() {
        let bytes: &[u8] = b"one\n\xff\nthree\nfour";
        let mut lines = Lines::new(bytes);
        assert_eq!(lines.next().unwrap(), Some("one"));
        assert!(matches!(lines.next(), Err(LineError::Text)));
        assert_eq!(lines.next().unwrap(), Some("three"));
        assert_eq!((lines.number(), lines.hash_before()), (3, sha256([b"one\n\xff\n".as_slice()])));
        assert!(matches!(lines.next(), Err(LineError::Cut)));
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.hash_before(), sha256([bytes]));
    }

    #[test]
    fn a_line_that_never_ends_is_not_kept_in_memory() {
        let mut lines = Lines::new(std::io::BufReader::new(std::io::repeat(b'x')));
        assert!(matches!(lines.next(), Err(LineError::Long)));
    }
}
