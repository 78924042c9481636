//! A command of an example: the real parser understands it, and what it names is there.

use super::{root, routes};
use clap::Parser as _;
use leadctl::arguments::Arguments;
use serde_json::Value;
use std::process::Command;
use std::sync::LazyLock;

/// Programs of others: whether they understand a command is not tried, because CI does not install them.
const OTHERS: [&str; 3] = ["aws", "pip", "sam"];

/// Checks one command.
pub fn check(words: &[String]) -> Result<(), String> {
    for word in words.iter().filter(|word| word.starts_with("infra/") || word.starts_with("benches/")) {
        if !root().join(word).exists() {
            return Err(format!("there is no `{word}`"));
        }
    }
    let is_variable = |word: &&String| word.split_once('=').is_some_and(|(name, _)| !name.starts_with('-'));
    let words: Vec<&str> = words.iter().skip_while(is_variable).map(String::as_str).collect();
    match words.as_slice() {
        [] => Ok(()),
        ["cargo", "leadctl", ..] => {
            Arguments::try_parse_from(&words[1..]).map(drop).map_err(|error| error.to_string())
        }
        ["cargo", "test", options @ ..] => tests(options),
        ["cargo", "build", ..] => Ok(()),
        // A workspace of its own: without its manifest nothing is measured.
        ["cargo", "bench", "--manifest-path", "benches/Cargo.toml", ..] => Ok(()),
        ["cargo", "generate-record", ..] => Ok(()),
        ["cargo", "insta", ..] => Ok(()),
        ["curl", options @ ..] => request(options),
        [".ci/run"] => Ok(()),
        [program, ..] if OTHERS.contains(program) => Ok(()),
        [program, ..] => Err(format!("no test knows `{program}`: add it, or write the block as `text`")),
    }
}

/// The packages and test binaries that a call of `cargo test` names are there.
fn tests(options: &[&str]) -> Result<(), String> {
    let mut packages = Vec::new();
    let options: Vec<&str> = options.iter().take_while(|word| **word != "--").copied().collect();
    for pair in options.windows(2) {
        if pair[0] == "-p" {
            packages.push(pair[1]);
            package(pair[1]).ok_or_else(|| format!("there is no package `{}`", pair[1]))?;
        }
    }
    for pair in options.windows(2).filter(|pair| pair[0] == "--test") {
        let all = WORKSPACE["packages"].as_array().into_iter().flatten();
        let mut named =
            all.filter(|of| packages.is_empty() || packages.iter().any(|name| of["name"] == **name));
        let is_test = |target: &Value| target["name"] == pair[1] && target["kind"][0] == "test";
        if !named.any(|of| of["targets"].as_array().into_iter().flatten().any(is_test)) {
            return Err(format!("there is no test binary `{}`", pair[1]));
        }
    }
    Ok(())
}

fn package(name: &str) -> Option<&'static Value> {
    WORKSPACE["packages"].as_array()?.iter().find(|package| package["name"] == name)
}

static WORKSPACE: LazyLock<Value> = LazyLock::new(|| {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&output.stdout).expect("cargo's metadata")
});

/// The API has a route for a call of curl.
fn request(options: &[&str]) -> Result<(), String> {
    let method = options.windows(2).find(|pair| pair[0] == "-X").map_or("GET", |pair| pair[1]);
    let path =
        options.iter().find_map(|word| word.strip_prefix("$api")).ok_or("the address is not `$api/…`")?;
    routes::of(method, &format!("/v1{path}")).map(drop)
}
