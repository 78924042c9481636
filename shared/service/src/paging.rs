//! Pages of a list: `limit` and `cursor` of a request, and the cursor of the next page.

use platform::http::Request;
use platform::problem::Problem;
use store::{Cursor, Page};

/// Items on a page, unless the request sets a limit.
const PAGE_DEFAULT: u32 = 25;
/// Most items on a page.
const PAGE_MAX: u32 = 100;

/// The longest sort key. The database rejects a query for a longer or an empty one.
const PLACE_BYTES_MAX: usize = 1024;

/// The page that a request asks for.
pub struct PageQuery {
    /// Most items on the page.
    pub limit: usize,
    /// The position after which the page starts.
    pub after: Option<Cursor>,
}

/// Reads the page that a request asks for.
///
/// # Errors
/// 400 if `limit` or `cursor` is invalid.
pub fn page_query(request: &Request) -> Result<PageQuery, Problem> {
    let limit = usize::try_from(request.limit(PAGE_DEFAULT, PAGE_MAX)?).unwrap_or(usize::MAX);
    let after = request.cursor::<String>()?;
    if after.as_ref().is_some_and(|place| place.is_empty() || place.len() > PLACE_BYTES_MAX) {
        return Err(Problem::bad_request("the cursor belongs to another list; start again without it"));
    }
    let after = after.map(Cursor::new);
    Ok(PageQuery { limit, after })
}

/// The cursor of the next page, if there is one. It is valid only for the list of this request.
pub fn next<T>(request: &Request, page: &Page<T>) -> Option<String> {
    request.next_cursor(&page.next.as_ref()?.as_str())
}
