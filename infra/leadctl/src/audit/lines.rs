//! The lines of a file that may be damaged: numbered, of bounded length, and hashed as they go by.

use std::io::{BufRead, Read as _};

use audit::Hash;
use sha2::{Digest as _, Sha256};

/// No line of an export is longer: an item of a table has at most 400 KB.
const LINE_BYTES_MAX: usize = 8 << 20;

/// Why there is no next line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The file cannot be read on.
    #[error("it cannot be read")]
    Io(#[from] std::io::Error),
    /// The file was cut.
    #[error("the file ends in the middle of a line: it was cut")]
    Cut,
    /// It is no line of text.
    #[error("the line is not UTF-8: it was changed")]
    Text,
    /// It is no file of lines.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes: nothing that leadctl writes is")]
    Long,
}

/// Lines, one at a time.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    number: u64,
    /// The current line, with its end.
    line: Vec<u8>,
    /// Of all lines before it.
    before: Sha256,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `input`.
    pub fn new(input: R) -> Self {
        Self { input, number: 0, line: Vec::new(), before: Sha256::new() }
    }

    /// The next line without its end; `None` at the end of the file. What is damaged is told, and
    /// the line after it can be read.
    ///
    /// # Errors
    /// A line that is none; a file that cannot be read.
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
    fn what_is_no_line_is_told_and_the_next_one_is_read() {
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
    fn memory_does_not_hold_a_line_that_never_ends() {
        let mut lines = Lines::new(std::io::BufReader::new(std::io::repeat(b'x')));
        assert!(matches!(lines.next(), Err(LineError::Long)));
    }
}
