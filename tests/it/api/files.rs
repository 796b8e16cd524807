//! Files: in as a stream, out as an attachment.

use reqwest::Method;
use serde_json::json;

use crate::support::binary::fixture;
use crate::support::service::{Served, answer, form, read};

#[tokio::test]
async fn a_file_comes_in_is_named_as_an_input_and_comes_out_again() {
    let served = Served::start();
    let content = std::fs::read(fixture("documents/invoice.pdf")).expect("a fixture");
    let taken = served.upload("../Rechnung \u{202e}1.pdf", &content).await;
    assert_eq!(taken.status, 200, "{}", taken.json);
    assert_eq!((&taken.json["name"], &taken.json["size"]), (&json!("Rechnung 1.pdf"), &json!(content.len())));
    assert_eq!(taken.json["type"], "application/pdf");
    assert_eq!(taken.json["sha256"].as_str().map(str::len), Some(64));
    let id = taken.json["file_id"].as_str().expect("an id");

    let out = served.request(Method::GET, &format!("/api/files/{id}")).send().await.expect("an answer");
    let headers = out.headers().clone();
    let disposition = headers["content-disposition"].to_str().expect("text");
    assert!(disposition.starts_with("attachment; filename=\"Rechnung 1.pdf\""), "{disposition}");
    assert!(headers["content-security-policy"].to_str().expect("text").contains("sandbox"));
    assert_eq!(out.bytes().await.expect("a body"), content);

    let execution = served.execute("document_processing", &json!({ "file_path": id })).await;
    let view = served.finished(&execution).await;
    assert_eq!(view["steps"][0]["status"], "completed", "{view}");
}

#[tokio::test]
async fn several_files_come_in_at_once() {
    let served = Served::start();
    let (kind, body) = form(&[("file", "a.txt", b"one"), ("file", "b.txt", b"two")]);
    let taken = answer(served.request(Method::POST, "/api/files").header("content-type", kind).body(body)).await;
    let names: Vec<_> =
        taken.json["files"].as_array().expect("files").iter().map(|file| file["name"].clone()).collect();
    assert_eq!(names, ["a.txt", "b.txt"]);
}

#[tokio::test]
async fn a_form_without_the_field_is_told_its_name() {
    let served = Served::start();
    let send = |kind: String, body: Vec<u8>| {
        answer(served.request(Method::POST, "/api/files").header("content-type", kind).body(body))
    };
    for fields in [&[("document", "a.txt", b"x" as &[u8])] as &[_], &[]] {
        let (kind, body) = form(fields);
        let refused = send(kind, body).await;
        assert_eq!((refused.status, &refused.json["where"]), (422, &json!("file")), "{}", refused.json);
        assert!(refused.json["fix"].as_str().expect("text").contains("-F file=@"));
    }
    // Handles exist only as ids that the service made: JSON with files in it is no upload.
    let json = send("application/json".to_owned(), br#"{"files": {"file": {"path": "/etc/passwd"}}}"#.to_vec()).await;
    assert_eq!((json.status, &json.json["code"]), (415, &json!("WF5102")));
    let (kind, mut body) = form(&[("file", "a.txt", b"x")]);
    body.truncate(body.len() - 20);
    let broken = send(kind, body).await;
    assert_eq!((broken.status, &broken.json["code"]), (400, &json!("WF5101")), "{}", broken.json);
}

#[tokio::test]
async fn a_file_above_the_limit_is_refused_and_nothing_of_it_stays() {
    let served = Served::with(&["upload_limit=1KB"]);
    let refused = served.upload("large.bin", &[7; 5_000]).await;
    assert_eq!((refused.status, &refused.json["code"]), (413, &json!("WF5104")), "{}", refused.json);
    let incoming = served.home.path().join("workflows/files/incoming");
    assert_eq!(std::fs::read_dir(incoming).map_or(0, Iterator::count), 0);
    assert_eq!(served.upload("small.bin", &[7; 1_000]).await.status, 200);
}

#[tokio::test]
async fn three_hundred_megabytes_pass_through_little_memory() {
    const PIECE: usize = 1 << 20;
    const PIECES: usize = 300;
    let served = Served::start();
    served.upload("warm.bin", b"x").await;
    let (before, _) = served.memory();
    let (kind, around) = form(&[("file", "large.bin", b"")]);
    let cut = around.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let (head, tail) = (around[..cut].to_vec(), around[cut..].to_vec());
    let middle = (0..PIECES).map(|number| vec![u8::try_from(number % 251).expect("small"); PIECE]);
    let pieces = std::iter::once(head).chain(middle).chain([tail]).map(Ok::<_, std::io::Error>);
    let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    let request = served.request(Method::POST, "/api/files").header("content-type", kind).body(body);
    let taken = answer(request).await;
    assert_eq!((taken.status, &taken.json["size"]), (200, &json!(PIECE * PIECES)), "{}", taken.json);
    let (_, most) = served.memory();
    assert!(most < before + 64 * 1_024, "{before} KiB before, {most} KiB at the most");
    let gone = read(served.request(Method::DELETE, "/api/files").send().await.expect("an answer")).await;
    assert_eq!(gone.status, 405);
}
