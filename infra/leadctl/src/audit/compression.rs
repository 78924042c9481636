//! Exports as files: lines of JSON, or the same lines compressed with Zstandard (RFC 8878). `zstd -d` unpacks them, and
//! each commit is still one line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::path::Path;

/// Files with this ending are written compressed.
const ENDING: &str = "zst";
/// What a compressed file begins with.
const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Histories repeat themselves, so the fast level compresses nearly as well as the slow ones.
const LEVEL: i32 = 3;
const BUFFER_BYTES: usize = 1 << 20;

/// A file that is written.
pub(super) enum Output {
    Plain(File),
    Compressed(Box<zstd::Encoder<'static, File>>),
    Stdout(io::Stdout),
}

impl Output {
    /// Creates a file, compressed if its name ends in `.zst`.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        if path.extension().is_some_and(|ending| ending == ENDING) {
            return Ok(Self::Compressed(Box::new(zstd::Encoder::new(file, LEVEL)?)));
        }
        Ok(Self::Plain(file))
    }

    /// Writes what is left.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Compressed(encoder) => encoder.finish().map(drop),
            Self::Stdout(mut stdout) => stdout.flush(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Compressed(encoder) => encoder.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Compressed(encoder) => encoder.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

/// Reads lines, compressed or not: their first bytes say which, whatever the file is called.
pub(super) fn lines<'r>(mut input: impl Read + 'r) -> io::Result<Box<dyn BufRead + 'r>> {
    let mut head = Vec::with_capacity(MAGIC.len());
    input.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head)?;
    let is_compressed = head == MAGIC;
    let input = Cursor::new(head).chain(input);
    if is_compressed {
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, zstd::Decoder::new(input)?)));
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, input)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "{\"kind\":\"header\"}\n{\"kind\":\"end\"}\n";

    fn read(path: &Path) -> String {
        let mut text = String::new();
        lines(File::open(path).unwrap()).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_name_that_ends_in_zst_is_written_compressed_and_both_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for (name, is_compressed) in [("audit.jsonl", false), ("audit.jsonl.zst", true)] {
            let path = folder.path().join(name);
            let mut output = Output::create(&path).unwrap();
            output.write_all(LINES.as_bytes()).unwrap();
            output.finish().unwrap();
            let stored = std::fs::read(&path).unwrap();
            assert_eq!(stored.starts_with(&MAGIC), is_compressed, "{name}");
            assert_eq!(read(&path), LINES, "{name}");
            if is_compressed {
                // Another implementation of the format unpacks it.
                let mut unpacked = String::new();
                let decoder = ruzstd::decoding::StreamingDecoder::new(stored.as_slice());
                decoder.unwrap().read_to_string(&mut unpacked).unwrap();
                assert_eq!(unpacked, LINES);
            }
        }
    }

    #[test]
    fn what_is_shorter_than_a_magic_number_is_read_as_it_is() {
        for text in ["", "{", "{}\n"] {
            let mut read = String::new();
            lines(text.as_bytes()).unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
    }

    #[test]
    fn a_compressed_file_that_was_cut_is_an_error() {
        let whole = zstd::encode_all(LINES.as_bytes(), LEVEL).unwrap();
        let cut = whole.get(..whole.len() - 3).unwrap();
        assert!(lines(cut).unwrap().read_to_string(&mut String::new()).is_err());
    }
}
