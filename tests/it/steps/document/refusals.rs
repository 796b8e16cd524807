//! Documents that were made to hurt: each ends soon, in its own clear way, and is not tried again.

use std::time::Duration;

use serde_json::json;
use workflow::domain::code;
use workflow::domain::fault::{Again, Fault};

use super::{Desk, fixtures};

/// Far more than a refusal takes, on a busy machine too.
const SOON: Duration = Duration::from_secs(60);

async fn refused(file: &str) -> Fault {
    let desk = Desk::new();
    let read = tokio::time::timeout(SOON, desk.read(file)).await;
    let fault = read.expect("a refusal comes soon").map(|done| done.outputs).expect_err(file);
    assert_eq!(fault.again, Again::Permanent, "{file}: another attempt would meet the same");
    assert!(!fault.remedy().is_empty());
    fault
}

#[tokio::test]
async fn each_nasty_document_has_its_own_code() {
    for (file, code) in [
        ("nasty/encrypted_user_password.pdf", code::WF2107),
        ("nasty/truncated.pdf", code::WF2108),
        ("nasty/header_only.pdf", code::WF2108),
        ("nasty/page_tree_loop.pdf", code::WF2108),
        ("nasty/zero_pages.pdf", code::WF2109),
        ("nasty/hugemono_35000px.pdf", code::WF2106),
        ("nasty/png_bomb_60000px.png", code::WF2106),
        ("nasty/zip_bomb_200MB.docx", code::WF2111),
        ("nasty/billion_laughs.docx", code::WF2112),
        ("nasty/zero_bytes.pdf", code::WF2104),
    ] {
        assert_eq!(refused(file).await.code, code, "{file}");
    }
}

#[tokio::test]
async fn names_inside_an_archive_lead_nowhere() {
    let done = Desk::new().read("nasty/path_traversal.docx").await.expect("its text can be read");
    assert_eq!(super::text(&done), "hello");
}

#[tokio::test]
async fn a_layer_that_is_no_writing_is_not_believed() {
    let done = Desk::new().read("nasty/type3_without_unicode_map.pdf").await.expect("the page can be drawn");
    assert_eq!(done.outputs["pages"][0]["source"], "ocr");
}

#[tokio::test]
async fn a_picture_under_a_false_name_is_read_as_what_it_is() {
    let done = Desk::new().read("nasty/pdf_is_png.pdf").await.expect("a picture without text");
    assert_eq!(super::text(&done), "");
}

#[tokio::test]
async fn a_picture_cut_short_is_damaged() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().expect("a folder");
    let whole = std::fs::read(fixtures().join("phototest.tif")).expect("the fixture");
    for (name, bytes) in [
        ("head.tif", &whole[..8]),
        ("junk.png", &b"\x89PNG\r\n\x1a\n junk"[..]),
        ("junk.jpg", &b"\xff\xd8\xff junk"[..]),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        let fault = desk.read_with(&path, json!({})).await.expect_err(name);
        assert_eq!(fault.code, code::WF2108, "{name}: {fault}");
    }
}

#[tokio::test]
async fn more_pages_than_allowed_are_refused() {
    let desk = Desk::new();
    let fault = desk.read_with(&fixtures().join("mixed.pdf"), json!({ "max_pages": 1 })).await.expect_err("2 pages");
    assert_eq!(fault.code, code::WF2114);
    assert!(fault.message.contains("2 pages") && fault.message.contains("at most 1"), "{fault}");
}

#[tokio::test]
async fn what_holds_no_text_is_named() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("page.html");
    std::fs::write(&path, "<html>hello").expect("a file");
    let fault = desk.read_with(&path, json!({})).await.expect_err("the upload refuses it");
    assert_eq!(fault.code, code::WF2103);
}
