//! The origin of the page that makes a browser send a request. A page can neither set nor remove `Origin` and `Sec-Fetch-Site`:
//! they are forbidden request-headers of the Fetch standard. Programs send neither.

use http::HeaderMap;
use http::header::ORIGIN;

/// Whether `is_accepted` is true of every `Origin`; `None` without this header.
pub(crate) fn accepted(headers: &HeaderMap, is_accepted: impl Fn(&str) -> bool) -> Option<bool> {
    let mut origins = headers.get_all(ORIGIN).iter().peekable();
    origins.peek()?;
    Some(origins.all(|origin| origin.to_str().is_ok_and(&is_accepted)))
}

/// Whether `Sec-Fetch-Site` names a page of another origin. With `none` a user typed the address or opened a bookmark.
pub(crate) fn is_cross_origin(headers: &HeaderMap) -> bool {
    headers.get_all("sec-fetch-site").iter().any(|site| site != "same-origin" && site != "none")
}
