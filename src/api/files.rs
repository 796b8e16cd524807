//! Files: taken in as a stream, never as a whole in memory; given back as attachments, never as pages.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;
use tokio_util::io::{ReaderStream, StreamReader};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::wire::FileView;
use crate::domain::code;
use crate::domain::id::FileId;
use crate::http::json::{self, Json};
use crate::http::problem::Problem;
use crate::service::FileRecord;
use crate::service::triggers::FileCame;

/// How long the next piece of a file may take.
const PIECE: Duration = Duration::from_secs(30);
/// Of a file that is too large, this much is read before it is refused.
const DRAINED: usize = 64 << 20;
/// Files of one request at the most.
const MOST: usize = 20;
/// The one field that is read.
const FIELD: &str = "file";
const LONGEST_NAME: usize = 200;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(upload)).routes(routes!(download)).layer(DefaultBodyLimit::disable())
}

/// A form with one or more files.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used; the form is read piece by piece")]
struct Form {
    /// The file; may stand several times.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Whether to tell triggers.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
struct UploadQuery {
    /// Triggers of type `file` hear of the files.
    trigger: bool,
}

/// Takes in files
///
/// As `multipart/form-data`, each in a field `file`. One file answers with its description, several with
/// `{"files": [...]}`. The `file_id` is what inputs name.
#[utoipa::path(post, path = "/api/files", tag = "files", params(UploadQuery), request_body(content = Form, content_type = "multipart/form-data"),
    responses((status = 200, body = FileView), (status = 413, description = "larger than `upload_limit`"), (status = 415), (status = 422, description = "no field `file`"), (status = 507, description = "the disk has no room for anything new")))]
async fn upload(
    State(api): State<Api>,
    Query(query): Query<UploadQuery>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Json, Problem> {
    let mut form = form.map_err(|_| {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::WF5102, "the body is no form with files")
            .fix("send `multipart/form-data` with a field `file`: curl -F file=@letter.pdf")
    })?;
    let mut files = Vec::new();
    loop {
        let next = tokio::time::timeout(PIECE, form.next_field()).await.map_err(|_| too_slow())?;
        let Some(field) = next.map_err(|error| broken(&error))? else { break };
        check_field(&field, files.len())?;
        let file = take_in(&api, field).await?;
        if query.trigger {
            let came = FileCame { by: "api".to_owned(), ..FileCame::default() };
            api.service.file_came(&file, &came).await?;
        }
        files.push(FileView::from(file));
    }
    match files.len() {
        0 => Err(no_file("the form has no field `file`")),
        1 => Ok(json::answer(&files[0])),
        _ => Ok(json::answer(&json!({ "files": files }))),
    }
}

fn check_field(field: &Field<'_>, before: usize) -> Result<(), Problem> {
    match field.name() {
        Some(FIELD) if before < MOST => Ok(()),
        Some(FIELD) => Err(Problem::unfit(FIELD, format!("a form has at most {MOST} files"))),
        other => {
            let name = crate::http::problem::shown(other.unwrap_or_default());
            Err(no_file(&format!("the form has a field `{name}`")))
        }
    }
}

fn no_file(message: &str) -> Problem {
    Problem::unfit(FIELD, message).fix("name the field `file`: curl -F file=@letter.pdf")
}

/// Why a file stopped coming.
const GOES_ON: u8 = 0;
const TOO_LARGE: u8 = 1;
const TOO_SLOW: u8 = 2;
const BROKEN: u8 = 3;

async fn take_in(api: &Api, field: Field<'_>) -> Result<FileRecord, Problem> {
    let name = plain_name(field.file_name().unwrap_or_default());
    let why = Arc::new(AtomicU8::new(GOES_ON));
    let pieces = bounded(field, api.upload_limit, Arc::clone(&why));
    let mut source = StreamReader::new(Box::pin(pieces));
    let taken = api.service.take_in_stream(&name, &mut source).await;
    match why.load(Ordering::Relaxed) {
        TOO_LARGE => {
            let message = format!("`{name}` is larger than {} bytes", api.upload_limit);
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, code::WF5104, message)
                .fix("send a smaller file, or raise `upload_limit`"))
        }
        TOO_SLOW => Err(too_slow()),
        BROKEN => Err(Problem::new(StatusCode::BAD_REQUEST, code::WF5101, "the form broke off or cannot be read")),
        _ => Ok(taken?),
    }
}

/// The pieces of a field, ended by the first one too many or too late.
fn bounded(field: Field<'_>, limit: u64, why: Arc<AtomicU8>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold((field, 0_u64), move |(mut field, before)| {
        let why = Arc::clone(&why);
        async move {
            let stop = |reason: u8| {
                why.store(reason, Ordering::Relaxed);
                Err(io::Error::from(io::ErrorKind::Interrupted))
            };
            let piece = match tokio::time::timeout(PIECE, field.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => return None,
                Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                    return Some((stop(TOO_LARGE), (field, before)));
                }
                Ok(Err(_)) => return Some((stop(BROKEN), (field, before))),
                Err(_) => return Some((stop(TOO_SLOW), (field, before))),
            };
            let so_far = before + piece.len() as u64;
            if so_far <= limit {
                return Some((Ok(piece), (field, so_far)));
            }
            drain(&mut field).await;
            Some((stop(TOO_LARGE), (field, so_far)))
        }
    })
    .scan(false, |ended, piece| {
        let go_on = !*ended;
        *ended = piece.is_err();
        std::future::ready(go_on.then_some(piece))
    })
}

/// Reads on a little: who is still sending when the connection closes may never read why.
async fn drain(field: &mut Field<'_>) {
    let mut left = DRAINED;
    while let (1.., Ok(Ok(Some(piece)))) = (left, tokio::time::timeout(PIECE, field.chunk()).await) {
        left = left.saturating_sub(piece.len());
    }
}

fn too_slow() -> Problem {
    let message = format!("no further piece of the form came within {} s", PIECE.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, code::WF5106, message)
}

fn broken(error: &MultipartError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code::WF5101, "the form cannot be read")
        .cause(crate::http::problem::shown(&error.body_text()))
        .fix("send `multipart/form-data` with a field `file`: curl -F file=@letter.pdf")
}

/// A file's name without folders and without characters that nobody sees: it is shown, never opened.
fn plain_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen = last.chars().filter(|c| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    });
    let name: String = seen.take(LONGEST_NAME).collect();
    if name.trim().is_empty() { "upload".to_owned() } else { name }
}

/// Gives a file back
///
/// As an attachment with its own name.
#[utoipa::path(get, path = "/api/files/{file}", tag = "files", params(("file" = String, Path, description = "file id")),
    responses((status = 200, description = "the content", content_type = "application/octet-stream"), (status = 304), (status = 404)))]
async fn download(State(api): State<Api>, Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let id: FileId = file.parse().map_err(|_| Problem::absent("file", &file, None))?;
    let file = api.service.file(id).await?;
    let tag = format!("\"{}\"", file.digest);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let content = api.service.open_file(&file).await?;
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(content, 64 * 1024)));
    let headers = response.headers_mut();
    let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(&file.media_type).unwrap_or(HeaderValue::from_static("application/octet-stream")),
    );
    headers.insert(header::CONTENT_DISPOSITION, text(&disposition(&file.name)));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.size));
    headers.insert(header::ETAG, text(&tag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    // Whatever is in it, and whatever a browser makes of it, it runs nothing.
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    Ok(response)
}

/// The name twice: plainly for old readers, in full for all others (RFC 6266).
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || b"._- ".contains(&(c as u8)) && c.is_ascii() { c } else { '_' })
        .collect();
    let full = name.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", full.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_and_never_leads_anywhere() {
        for (given, kept) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\letters\\a.pdf", "a.pdf"),
            ("", "upload"),
            ("..", ".."),
            ("a\r\nb\u{202e}.pdf", "ab.pdf"),
        ] {
            assert_eq!(plain_name(given), kept);
        }
        assert_eq!(disposition("Bön\"1.pdf"), "attachment; filename=\"B_n_1.pdf\"; filename*=UTF-8''B%C3%B6n%221.pdf");
    }
}
