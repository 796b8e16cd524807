//! Where the next page is, as services say it.

use serde_json::Value;

use crate::connect::http::header::LINK;
use crate::connect::http::{Answer, Url};

/// Where the next page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is none.
    End,
    /// Here.
    At(Url),
    /// The answer says something that is no address.
    Unclear(String),
}

/// Places in an answer where services write the address of the next page.
const PLACES: &[&str] = &["/next", "/links/next", "/_links/next", "/paging/next", "/next_page_url"];

/// The next page by the `Link` header; `None` when there is no such header.
pub fn linked(answer: &Answer) -> Option<Next> {
    let mut headers = answer.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).peekable();
    headers.peek()?;
    let next = headers.flat_map(split).find_map(next_of);
    Some(next.map_or(Next::End, |target| join(&answer.url, target)))
}

/// The next page by what the answer itself says beside its rows.
pub fn written(answer: &Value, url: &Url) -> Next {
    let found = PLACES.iter().find_map(|place| answer.pointer(place).filter(|value| !value.is_null()));
    let found = found.map(|value| value.get("href").unwrap_or(value));
    match found {
        None | Some(Value::Bool(false)) => Next::End,
        Some(Value::String(text)) if text.trim().is_empty() => Next::End,
        Some(Value::String(text)) => join(url, text.trim()),
        Some(_) => Next::Unclear("the answer says in `next` that there is more, but not at which address".to_owned()),
    }
}

/// An address, a path or a query; a bare word could be a cursor as well, and is not guessed at.
fn join(url: &Url, target: &str) -> Next {
    let is_address = target.starts_with(['/', '?']) || target.contains("://");
    match url.join(target) {
        Ok(next) if is_address => {
            let mut next = next;
            next.set_fragment(None);
            Next::At(next)
        }
        _ => Next::Unclear("the answer says in `next` that there is more, but not at which address".to_owned()),
    }
}

/// The entries of a `Link` header: `<a>; rel=x, <b>; rel=y`. A comma inside the brackets parts nothing.
fn split(header: &str) -> Vec<&str> {
    let (mut entries, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, c) in header.char_indices() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            ',' if !inside => {
                entries.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    entries.push(&header[start..]);
    entries
}

fn next_of(entry: &str) -> Option<&str> {
    let (target, parameters) = entry.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        let words = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("rel")
            && words.split_whitespace().any(|word| word.eq_ignore_ascii_case("next"))
    });
    is_next.then_some(target.trim())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::connect::http::StatusCode;
    use crate::connect::http::header::HeaderMap;

    fn url() -> Url {
        "https://a.eu/rows?page=1".parse().expect("an address")
    }

    fn at(text: &str) -> Next {
        Next::At(text.parse().expect("an address"))
    }

    #[test]
    fn the_next_page_is_found_where_services_write_it() {
        assert_eq!(written(&json!({"next": "https://a.eu/rows?page=2"}), &url()), at("https://a.eu/rows?page=2"));
        assert_eq!(written(&json!({"next": "?page=2"}), &url()), at("https://a.eu/rows?page=2"));
        assert_eq!(written(&json!({"links": {"next": "/rows?page=2"}}), &url()), at("https://a.eu/rows?page=2"));
        assert_eq!(written(&json!({"_links": {"next": {"href": "/r/2"}}}), &url()), at("https://a.eu/r/2"));
        for end in [json!([]), json!({}), json!({"next": null}), json!({"next": ""}), json!({"next": false})] {
            assert_eq!(written(&end, &url()), Next::End, "{end}");
        }
        for cursor in [json!({"next": "eyJpZCI6NX0"}), json!({"next": 2}), json!({"next": {"cursor": "x"}})] {
            assert!(matches!(written(&cursor, &url()), Next::Unclear(_)), "{cursor} is no address");
        }
    }

    #[test]
    fn the_next_page_is_found_in_the_link_header() {
        let of = |value: &str| {
            let headers = HeaderMap::from_iter([(LINK, value.parse().expect("a header value"))]);
            linked(&Answer { status: StatusCode::OK, headers, body: Vec::new(), url: url(), duration: Duration::ZERO })
        };
        assert_eq!(of("<https://a.eu/r?a=1,2>; rel=\"next\", </r/9>; rel=last"), Some(at("https://a.eu/r?a=1,2")));
        assert_eq!(of("</r/0>; rel=prev, </r/2>; title=x; rel=\"last next\""), Some(at("https://a.eu/r/2")));
        assert_eq!(of("</r/0>; rel=prev"), Some(Next::End));
        assert_eq!(of("nonsense"), Some(Next::End));
    }
}
