//! The fenced blocks of the documentation.

use super::root;
use std::path::PathBuf;

/// A fenced block.
pub struct Block {
    /// The file and the line of the fence.
    pub place: String,
    /// The first word after the fence.
    pub language: String,
    /// What is between the fences.
    pub text: String,
}

/// Every block of README, CONTRIBUTING and the pages of `docs`.
pub fn all() -> Vec<Block> {
    let mut files = vec![PathBuf::from("README.md"), PathBuf::from("CONTRIBUTING.md")];
    let listed = std::fs::read_dir(root().join("docs")).expect("docs can be listed");
    let mut pages: Vec<_> = listed.map(|entry| entry.expect("an entry").file_name()).collect();
    pages.sort();
    files.extend(pages.iter().map(|name| PathBuf::from("docs").join(name)));
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    let mut blocks = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(root().join(&file)).expect("a page can be read");
        blocks.extend(of(&file.display().to_string(), &text));
    }
    blocks
}

fn of(file: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (n, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(language), None) => {
                let language = language.split_whitespace().next().unwrap_or_default().to_owned();
                open = Some(Block { place: format!("{file}:{}", n + 1), language, text: String::new() });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of {file} has no end");
    blocks
}
