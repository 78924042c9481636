//! Pages of a list.

/// No page is longer: what one request can read of the items behind an index.
pub const PAGE_MAX: usize = 100;

/// A place in a list, to go on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Wraps a place as [`Cursor::as_str`] gave it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The place as text. It names an item, and is no secret to whoever may read the list.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The part; it can be shorter than was asked for, even empty, before the end.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
}
