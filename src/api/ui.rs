//! The page, embedded in the binary: `web/build/` as it was when the binary was built. Without it, one small page that
//! says how to build it, so that a build needs no Node.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::Embed;
use sha2::{Digest as _, Sha256};

use crate::domain::code;
use crate::http::porch::policy;
use crate::http::problem::{Problem, shown};

#[derive(Embed)]
#[folder = "web/build/"]
#[allow_missing = true]
struct Built;

/// The page of pages: every address that is no file shows it, and it finds its way.
const INDEX: &str = "index.html";
/// Files beneath it bear the hash of their content in their name.
const HASHED: &str = "_app/immutable/";
/// Smaller than this, packing does not pay.
const WORTH_PACKING: usize = 1_024;

const NOT_BUILT: &str = include_str!("not_built.html");

/// A file of the page, ready to be sent.
struct Asset {
    kind: &'static str,
    plain: Bytes,
    packed: Option<Bytes>,
    tag: String,
    /// The content security policy, where the file is a page with scripts of its own.
    policy: Option<String>,
}

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    let mut assets: HashMap<String, Asset> = Built::iter()
        .filter(|path| !path.ends_with(".gz") && !path.ends_with(".br"))
        .filter_map(|path| Some((path.to_string(), Asset::new(&path, Built::get(&path)?.data.into_owned()))))
        .collect();
    assets.entry(INDEX.to_owned()).or_insert_with(|| Asset::new(INDEX, NOT_BUILT.as_bytes().to_vec()));
    assets
});

impl Asset {
    fn new(path: &str, plain: Vec<u8>) -> Self {
        let digest = Sha256::digest(&plain);
        let kind = kind(path);
        let is_text = kind.starts_with("text/")
            || ["json", "javascript", "svg", "wasm", "manifest"].iter().any(|word| kind.contains(word));
        let packed = if is_text && plain.len() >= WORTH_PACKING { pack(&plain) } else { None };
        let policy = kind.starts_with("text/html").then(|| policy(&inline_scripts(&String::from_utf8_lossy(&plain))));
        Self { kind, plain: plain.into(), packed, tag: format!("\"{}\"", STANDARD.encode(&digest[..12])), policy }
    }
}

fn pack(plain: &[u8]) -> Option<Bytes> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(plain).ok()?;
    let packed = packer.finish().ok()?;
    (packed.len() < plain.len()).then(|| packed.into())
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

/// The digests of the scripts that stand in a page itself, as its content security policy names them.
fn inline_scripts(page: &str) -> String {
    let mut sources = String::new();
    for part in page.split("<script").skip(1) {
        let Some((attributes, rest)) = part.split_once('>') else { continue };
        let Some((script, _)) = rest.split_once("</script>") else { continue };
        if !attributes.contains("src=") {
            // Writing to a String cannot fail.
            let _ = write!(sources, " 'sha256-{}'", STANDARD.encode(Sha256::digest(script)));
        }
    }
    sources
}

/// Whatever no route takes: a file of the page, the page itself, or nothing.
pub async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let path = uri.path().trim_start_matches('/');
    let nowhere = || {
        let message = format!("there is no address `{}`", shown(uri.path()));
        Problem::new(StatusCode::NOT_FOUND, code::WF5114, message)
    };
    if path == "api" || path.starts_with("api/") {
        return Err(nowhere());
    }
    if method != Method::GET && method != Method::HEAD {
        return Err(wrong_method().await);
    }
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let asset = match ASSETS.get(path) {
        Some(asset) => asset,
        None if is_file => return Err(nowhere()),
        None => ASSETS.get(INDEX).ok_or_else(nowhere)?,
    };
    Ok(answer(asset, path.starts_with(HASHED), &headers))
}

/// The address exists, but not for this method.
pub async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, code::WF5115, "the address does not take this method")
}

fn answer(asset: &'static Asset, for_ever: bool, asked: &HeaderMap) -> Response {
    let value = HeaderValue::from_static;
    let caching = if for_ever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = asked.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.tag);
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { Response::new(Body::empty()) };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, value(caching));
    headers.insert(header::VARY, value("accept-encoding"));
    headers.extend(HeaderValue::from_str(&asset.tag).map(|tag| (header::ETAG, tag)));
    if let Some(policy) = asset.policy.as_deref().and_then(|policy| HeaderValue::from_str(policy).ok()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if is_known {
        return response;
    }
    headers.insert(header::CONTENT_TYPE, value(asset.kind));
    let takes_gzip = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|takes| takes.to_str().ok())
        .is_some_and(|takes| takes.contains("gzip"));
    let content = match &asset.packed {
        Some(packed) if takes_gzip => {
            headers.insert(header::CONTENT_ENCODING, value("gzip"));
            packed
        }
        _ => &asset.plain,
    };
    *response.body_mut() = Body::from(content.clone());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_stands_in_the_page_is_named_by_its_digest() {
        let page = "<script src=\"a.js\"></script><script>\n1\n</script>";
        let named = inline_scripts(page);
        assert_eq!(named, format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest("\n1\n"))));
        assert!(policy(&named).contains("script-src 'self' 'sha256-"));
        assert_eq!(inline_scripts(NOT_BUILT), "");
    }
}
