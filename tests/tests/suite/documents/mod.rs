//! The policy and the directory as an administrator writes them: what is wrong, where, and what
//! would be right. Each mistake is asserted on as a whole text, since that is what a person reads.

mod directory;
mod places;
mod policy;

use ::policy::Policy;
use ::policy::directory::Directory;
use leadwatch_tests::seeded::{seeded, seeded_value};
use serde_json::Value;

fn told_of_policy(pointer: &str, value: Value) -> String {
    let document = with("default.yaml", pointer, value);
    match Policy::parse(&document) {
        Err(error) => error.to_string(),
        Ok(policy) => match policy.check_against(&directory_of(&seeded("directory.yaml"))) {
            Err(error) => error.to_string(),
            Ok(()) => String::new(),
        },
    }
}

fn told_of_directory(pointer: &str, value: Value) -> String {
    Directory::parse(&with("directory.yaml", pointer, value))
        .map_or_else(|e| e.to_string(), |_| String::new())
}

fn directory_of(yaml: &str) -> Directory {
    Directory::parse(yaml).unwrap_or_else(|error| panic!("the seeded directory is sound: {error}"))
}

/// The seeded document, with a value put at a JSON pointer; `null` takes it away.
fn with(name: &str, pointer: &str, value: Value) -> String {
    let mut document = seeded_value(name);
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a name");
    match document.pointer_mut(parent).expect("the place is there") {
        Value::Object(map) if value.is_null() => _ = map.remove(name),
        Value::Object(map) => _ = map.insert(name.to_owned(), value),
        Value::Array(items) if name == "-" => items.push(value),
        Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value,
        other => panic!("{other} has no places"),
    }
    document.to_string()
}

#[test]
fn the_seeded_documents_are_sound() {
    let policy = Policy::parse(&seeded("default.yaml")).expect("the default policy");
    policy.check_against(&directory_of(&seeded("directory.yaml"))).expect("the default policy fits");
    let again =
        Policy::parse(&serde_json::to_string(&policy).expect("a policy is JSON")).expect("it reads back");
    assert_eq!(again, policy);
}

/// A place, what is put there (`null` takes it away), and what a person is told.
type Mistake = (&'static str, Value, &'static [&'static str]);

fn check(mistakes: &[Mistake], told: impl Fn(&str, Value) -> String) {
    for (pointer, value, expected) in mistakes {
        let told = told(pointer, value.clone());
        let lines: Vec<&str> = told.lines().map(without_place).collect();
        assert_eq!(lines, *expected, "{pointer} = {value}");
    }
}

/// The line and column of a document that a test wrote say nothing.
fn without_place(line: &str) -> &str {
    line.rsplit_once(" (line ").map_or(line, |(text, _)| text)
}
