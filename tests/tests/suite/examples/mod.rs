//! The examples in README, CONTRIBUTING and `docs` are right: documents are checked, events and answers are parsed,
//! requests have a route, and commands are understood. What cannot be tried is in a block of `text`.

mod blocks;
mod commands;
mod documents;
mod routes;
mod shell;

use blocks::Block;
use contracts::{api, event};
use rules::outcome::Outcome;
use serde_json::Value;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Fails with the place of every example that is wrong.
fn all_right(language: &str, at_least: usize, check: impl Fn(&Block) -> Result<(), String>) {
    let blocks = blocks::all();
    let mut tried = 0;
    let mut wrong = Vec::new();
    for block in blocks.iter().filter(|block| block.language == language) {
        tried += 1;
        if let Err(why) = check(block) {
            wrong.push(format!("{}: {why}\n{}", block.place, block.text));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried >= at_least, "only {tried} examples of `{language}` were found");
}

#[test]
fn every_block_says_what_it_is() {
    for block in blocks::all() {
        let known = ["http", "json", "sh", "text", "yaml"];
        assert!(known.contains(&block.language.as_str()), "{}: `{}`", block.place, block.language);
    }
}

#[test]
fn documents_are_sound() {
    all_right("yaml", 7, |block| documents::check(&block.text));
}

#[test]
fn events_and_answers_are_understood() {
    all_right("json", 8, |block| {
        let value: Value = serde_json::from_str(&block.text).map_err(|error| error.to_string())?;
        if value.get("outcome").is_some() {
            return serde_json::from_value::<Outcome>(value).map(drop).map_err(|error| error.to_string());
        }
        let read = event::read(&value).map_err(|error| format!("{error:?}"))?;
        let warnings = read.warnings;
        if warnings.is_empty() { Ok(()) } else { Err(format!("{warnings:?}")) }
    });
}

#[test]
fn requests_have_a_route_and_a_body_that_it_understands() {
    all_right("http", 2, |block| {
        let (head, body) = block
            .text
            .split_once("\n{")
            .map_or((block.text.as_str(), None), |(head, body)| (head, Some(format!("{{{body}"))));
        let (method, rest) = head.split_once(' ').ok_or("no method")?;
        let path = rest.lines().next().unwrap_or(rest);
        let route = routes::of(method, path)?;
        let Some(body) = body else { return Ok(()) };
        let body: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        match route.as_str() {
            "POST /v1/leads/{id}/erasure" => {
                api::erasure(&body).map(drop).map_err(|found| format!("{found:?}"))
            }
            _ => Err(format!("no test knows the body of `{route}`: add it")),
        }
    });
}

#[test]
fn commands_are_understood() {
    all_right("sh", 40, |block| {
        shell::commands(&block.text)?.iter().try_for_each(|command| commands::check(command))
    });
}
