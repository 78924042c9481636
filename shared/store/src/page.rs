//! Pages of a list.

/// The longest page: what one request can read of the items behind an index.
pub const PAGE_MAX: usize = 100;

/// A position in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Takes the text of [`Cursor::as_str`].
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The position as text. It names an item, which is no secret to a reader of the list.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items; there may be fewer than requested, or none, before the end.
    pub items: Vec<T>,
    /// Where to continue; `None` at the end.
    pub next: Option<Cursor>,
}
