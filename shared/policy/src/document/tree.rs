//! A YAML document as a tree whose every node knows its line and column, so that whatever is wrong
//! at a path can be pointed at.

use super::problem::{DocumentError, DocumentProblem, Position};
use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span};
use serde_json::Value;
use std::collections::BTreeMap;

/// How deep a document nests at most; policies and directories need less than ten.
const DEPTH_MAX: usize = 64;
/// How many nodes it has at most, aliases counted as what they stand for.
const NODES_MAX: usize = 200_000;

/// A node of a document.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub place: Position,
    pub content: Content,
    /// Which stand-in this is, where what was written could not be read; see `repair`.
    pub stand_in: Option<usize>,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A text, and whether it is written without quotes.
    Scalar { text: String, plain: bool },
    /// A list. What could not be read is gone, and the others keep their places.
    List(Vec<Option<Node>>),
    /// A block of names and values.
    Map(Vec<Entry>),
}

/// A name and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub name: String,
    pub place: Position,
    pub value: Node,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
}

/// A path as it is written: `workflows.sla-breach.steps[1].at`.
pub(super) fn spelled(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Index(n) => text.push_str(&format!("[{n}]")),
            Step::Name(name) if text.is_empty() => text.push_str(name),
            Step::Name(name) => text.push_str(&format!(".{name}")),
        }
    }
    if text.is_empty() { "document".to_owned() } else { text }
}

impl Node {
    /// The node at a path.
    pub fn at(&mut self, path: &[Step]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, step| match (&mut node.content, step) {
            (Content::List(items), Step::Index(n)) => items.get_mut(*n)?.as_mut(),
            (Content::Map(entries), Step::Name(name)) => {
                entries.iter_mut().find(|entry| entry.name == *name).map(|entry| &mut entry.value)
            }
            _ => None,
        })
    }

    /// Whether it is a block with this name in it.
    pub fn has(&self, name: &str) -> bool {
        matches!(&self.content, Content::Map(entries) if entries.iter().any(|entry| entry.name == name))
    }

    /// Takes a name out of a block.
    pub fn take(&mut self, name: &str) -> Option<Self> {
        let Content::Map(entries) = &mut self.content else { return None };
        let place = entries.iter().position(|entry| entry.name == name)?;
        Some(entries.remove(place).value)
    }

    /// What is written without quotes.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    /// Where the name stands that a path ends in.
    pub fn name_at(&mut self, path: &[Step]) -> Option<Position> {
        let (Step::Name(name), parent) = path.split_last()? else { return None };
        match &self.at(parent)?.content {
            Content::Map(entries) => {
                entries.iter().find(|entry| entry.name == *name).map(|entry| entry.place)
            }
            _ => None,
        }
    }

    /// Where a written path leads, or as far as the document goes along it. A name is pointed at
    /// where it stands, what has no name where it begins.
    pub fn locate(&self, path: &str) -> Position {
        let (mut node, mut place, mut rest) = (self, self.place, path);
        loop {
            let found = match &node.content {
                Content::Scalar { .. } => None,
                Content::List(items) => rest.strip_prefix('[').and_then(|rest| {
                    let (index, rest) = rest.split_once(']')?;
                    let item = items.get(index.parse::<usize>().ok()?)?.as_ref()?;
                    Some((item, item.place, rest))
                }),
                // A name may hold a dot; the longest that is there is meant.
                Content::Map(entries) => entries
                    .iter()
                    .filter_map(|entry| {
                        let rest = rest.strip_prefix(entry.name.as_str())?;
                        let ends = rest.is_empty() || rest.starts_with(['.', '[']);
                        ends.then_some((entry, rest))
                    })
                    .max_by_key(|(entry, _)| entry.name.len())
                    .map(|(entry, rest)| {
                        let is_scalar = matches!(entry.value.content, Content::Scalar { .. });
                        let place = if is_scalar { entry.value.place } else { entry.place };
                        (&entry.value, place, rest)
                    }),
            };
            match found {
                None => return place,
                Some((next, at, after)) => {
                    (node, place, rest) = (next, at, after.strip_prefix('.').unwrap_or(after));
                }
            }
        }
    }

    /// Whether nothing was written there.
    pub fn is_empty(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, plain: true } if text.is_empty())
    }

    /// What stands there, for a message that does not show it.
    pub fn shown(&self) -> String {
        match &self.content {
            Content::Scalar { text, .. } if text.is_empty() => "nothing".to_owned(),
            Content::Scalar { text, .. } => format!("`{}`", text.chars().take(80).collect::<String>()),
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a block".to_owned(),
        }
    }

    fn count(&self) -> usize {
        match &self.content {
            Content::Scalar { .. } => 1,
            Content::List(items) => items.iter().flatten().map(Self::count).sum::<usize>() + 1,
            Content::Map(entries) => entries.iter().map(|entry| entry.value.count()).sum::<usize>() + 1,
        }
    }
}

/// Reads a text as one YAML document; keys that are written twice are all told.
pub(super) fn read(yaml: &str) -> Result<(Node, Vec<DocumentProblem>), DocumentError> {
    let mut builder = Builder::default();
    let options = Options::default();
    for next in Parser::new_from_str_with_options(yaml, options) {
        let (event, span) = next.map_err(|error| DocumentError(vec![unreadable(&error)]))?;
        builder.event(event, span).map_err(|problem| DocumentError(vec![problem]))?;
    }
    let empty = || problem("document", Position { line: 1, column: 1 }, "is empty");
    let root = builder.root.ok_or_else(|| DocumentError(vec![empty()]))?;
    Ok((root, builder.problems))
}

/// Takes a tree from JSON. Strings count as quoted, as they are in a text.
pub(super) fn of_json(json: &Value) -> Result<Node, DocumentError> {
    let start = Position { line: 1, column: 1 };
    let too_large = |said: String| DocumentError(vec![problem("document", start, said)]);
    let root = json_node(json, &mut 0, 1).ok_or_else(|| too_large(too_deep()))?;
    if root.count() > NODES_MAX { Err(too_large(too_many())) } else { Ok(root) }
}

/// `None` if the value nests too deep. A column counts the values before, so that problems keep their order.
fn json_node(json: &Value, before: &mut usize, depth: usize) -> Option<Node> {
    if depth > DEPTH_MAX {
        return None;
    }
    *before += 1;
    let place = Position { line: 1, column: *before };
    let mut inner = |value: &Value| json_node(value, before, depth + 1);
    let content = match json {
        Value::Null => Content::Scalar { text: "null".to_owned(), plain: true },
        Value::Bool(value) => Content::Scalar { text: value.to_string(), plain: true },
        Value::Number(number) => Content::Scalar { text: number.to_string(), plain: true },
        Value::String(text) => Content::Scalar { text: text.clone(), plain: false },
        Value::Array(items) => {
            Content::List(items.iter().map(|item| inner(item).map(Some)).collect::<Option<_>>()?)
        }
        Value::Object(members) => {
            let entry = |(name, value): (&String, &Value)| {
                let value = inner(value)?;
                Some(Entry { name: name.clone(), place: value.place, value })
            };
            Content::Map(members.iter().map(entry).collect::<Option<_>>()?)
        }
    };
    Some(Node { place, content, stand_in: None })
}

fn too_deep() -> String {
    format!("is nested more than {DEPTH_MAX} levels deep; flatten it")
}

fn too_many() -> String {
    format!("has more than {NODES_MAX} values; split or shorten it")
}

fn problem(path: &str, place: Position, problem: impl Into<String>) -> DocumentProblem {
    DocumentProblem { path: path.to_owned(), problem: problem.into(), place: Some(place) }
}

fn unreadable(error: &ScanError) -> DocumentProblem {
    let place = Position { line: error.marker().line(), column: error.marker().col() + 1 };
    problem("document", place, format!("is not YAML: {}", error.info()))
}

/// A list or block that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The name that waits for its value.
    name: Option<(String, Position)>,
}

/// Builds the tree from what the parser reports. It is a loop with a stack of its own, so that no
/// document can exhaust the stack of the thread.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    documents: usize,
    problems: Vec<DocumentProblem>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), DocumentProblem> {
        let place = Position { line: span.start.line(), column: span.start.col() + 1 };
        let node = |content| Node { place, content, stand_in: None };
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(problem(
                        "document",
                        place,
                        "the file has more than one YAML document; keep one",
                    ));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                self.add(node(Content::Scalar { text: text.into_owned(), plain }), anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(node(Content::List(Vec::new())), anchor),
            Event::MappingStart(_, anchor, _) => self.begin(node(Content::Map(Vec::new())), anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.add(open.node, open.anchor),
                None => Ok(()),
            },
            Event::Alias(id) => match self.anchors.get(&id).cloned() {
                Some(node) => self.add(Node { place, ..node }, 0),
                None => Err(problem(
                    &self.path(),
                    place,
                    "is an alias that refers to itself; write the value out",
                )),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Result<(), DocumentProblem> {
        if self.open.len() >= DEPTH_MAX {
            return Err(problem(&self.path(), node.place, too_deep()));
        }
        self.open.push(Open { node, anchor, name: None });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), DocumentProblem> {
        self.nodes += node.count();
        if self.nodes > NODES_MAX {
            return Err(problem("document", node.place, too_many()));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let path = self.path();
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.node.content, open.name.take()) {
            (Content::List(items), _) => items.push(Some(node)),
            (Content::Map(entries), Some((name, place))) => {
                if entries.iter().any(|entry| entry.name == name) {
                    self.problems.push(problem(&path, place, "appears twice; keep one"));
                } else {
                    entries.push(Entry { name, place, value: node });
                }
            }
            (Content::Map(_), None) => match node.content {
                Content::Scalar { text, plain: true } if text == "<<" => {
                    let said = "merges another block with `<<`; write the fields out";
                    return Err(problem(&path, node.place, said));
                }
                Content::Scalar { text, .. } => open.name = Some((text, node.place)),
                _ => {
                    return Err(problem(&path, node.place, "uses a list or a block as a name; write a text"));
                }
            },
            (Content::Scalar { .. }, _) => {}
        }
        Ok(())
    }

    fn path(&self) -> String {
        let steps = self.open.iter().filter_map(|open| match (&open.node.content, &open.name) {
            (Content::List(items), _) => Some(Step::Index(items.len())),
            (_, Some((name, _))) => Some(Step::Name(name.clone())),
            _ => None,
        });
        spelled(&steps.collect::<Vec<_>>())
    }
}
