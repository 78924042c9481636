//! Lists by the page: `limit` and `cursor` of a request, and the cursor of the next page.

use platform::http::Request;
use platform::problem::Problem;
use store::{Cursor, Page};

/// What is on a page when nobody says.
const PAGE_DEFAULT: u32 = 25;
/// What is on a page at the most.
const PAGE_MAX: u32 = 100;

/// What a sort key holds at the most; the database refuses to look for more, or for nothing.
const PLACE_BYTES_MAX: usize = 1024;

/// Which part of a list is asked for.
pub struct PageQuery {
    /// How much.
    pub limit: usize,
    /// After which place.
    pub after: Option<Cursor>,
}

/// The part of a list that a request asks for.
///
/// # Errors
/// 400 when `limit` or `cursor` is none.
pub fn page_query(request: &Request) -> Result<PageQuery, Problem> {
    let limit = usize::try_from(request.limit(PAGE_DEFAULT, PAGE_MAX)?).unwrap_or(usize::MAX);
    let after = request.cursor::<String>()?;
    if after.as_ref().is_some_and(|place| place.is_empty() || place.len() > PLACE_BYTES_MAX) {
        return Err(Problem::bad_request("the cursor is not one of this list; start again without it"));
    }
    let after = after.map(Cursor::new);
    Ok(PageQuery { limit, after })
}

/// The cursor of the page after this one, if there is one; it is good for the list of the request alone.
pub fn next<T>(request: &Request, page: &Page<T>) -> Option<String> {
    request.next_cursor(&page.next.as_ref()?.as_str())
}
