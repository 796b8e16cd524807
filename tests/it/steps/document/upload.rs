//! Taking files in: by id, by path beneath a folder, and every way that must not work.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use workflow::contract::blob::BlobStore;
use workflow::contract::step::{Done, StepHandler};
use workflow::domain::code;
use workflow::domain::fault::Fault;
use workflow::domain::id::FileId;
use workflow::domain::time::Timestamp;
use workflow::steps::document::upload::Upload;
use workflow::store::files::FileRecord;

use super::{Contents, Files, attempt, outcome};

/// A folder that workflows may read, with secrets beside it.
struct House {
    folder: tempfile::TempDir,
    contents: Contents,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("inbox/2026")).expect("a folder");
        std::fs::write(folder.path().join("secret.pdf"), b"%PDF-1.4 secret").expect("a file");
        std::fs::write(folder.path().join("inbox/2026/letter.pdf"), b"%PDF-1.4 letter").expect("a file");
        Self { folder, contents: Contents::new() }
    }

    fn inbox(&self) -> PathBuf {
        self.folder.path().join("inbox")
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Value {
        std::fs::write(self.inbox().join(name), bytes).expect("a file");
        json!({ "file_path": name })
    }

    async fn upload(&self, config: Value, inputs: Value) -> Result<Done, Fault> {
        let upload = Upload::new(Arc::new(Files::default()), self.contents.blobs.clone(), vec![self.inbox()]);
        outcome(&upload, &attempt(config, inputs, BTreeMap::new())).await
    }

    async fn refused(&self, config: Value, inputs: Value) -> Fault {
        let fault = self.upload(config, inputs).await.expect_err("must be refused");
        assert!(self.contents.is_empty(), "nothing may be kept of what is refused");
        fault
    }
}

#[tokio::test]
async fn a_file_beneath_the_folder_is_taken_with_its_digest() {
    let house = House::new();
    for path in [json!("2026/letter.pdf"), json!(house.inbox().join("2026/letter.pdf"))] {
        let done = house.upload(json!({}), json!({ "file_path": path })).await.expect("may be read");
        let document = &done.outputs["document"];
        assert_eq!(
            (&document["name"], &document["type"], &document["size"]),
            (&json!("letter.pdf"), &json!("pdf"), &json!(15))
        );
        let digest = document["sha256"].as_str().expect("a digest").parse().expect("64 hex digits");
        assert_eq!(house.contents.blobs.get(&digest).await.expect("is kept"), b"%PDF-1.4 letter");
    }
}

#[tokio::test]
async fn an_uploaded_file_is_taken_by_its_id() {
    let house = House::new();
    let blob = house.contents.blobs.put(b"%PDF-1.4 sent").await.expect("kept");
    let id = FileId::from_bits(7);
    let record = FileRecord {
        id,
        name: "../Rechnung.pdf".to_owned(),
        size: blob.size,
        digest: blob.digest,
        media_type: "text/plain".to_owned(),
        created_at: Timestamp::from_micros(0),
    };
    let upload = Upload::new(Arc::new(Files(vec![record])), house.contents.blobs.clone(), Vec::new());
    let inputs = json!({ "file_path": id.to_string() });
    let done = outcome(&upload, &attempt(json!({}), inputs, BTreeMap::new())).await.expect("is there");
    assert_eq!(done.outputs["document"]["name"], "Rechnung.pdf");
    assert_eq!(done.outputs["document"]["file_id"], id.to_string());
    let other = json!({ "file_path": FileId::from_bits(8).to_string() });
    let fault = outcome(&upload, &attempt(json!({}), other, BTreeMap::new())).await.expect_err("is not there");
    assert_eq!(fault.code, code::WF2102);
}

#[tokio::test]
async fn no_file_is_a_clear_fault() {
    let house = House::new();
    for inputs in [json!({}), json!({ "file_path": null }), json!({ "file_path": " " }), json!({ "file_path": 7 })] {
        let fault = house.refused(json!({}), inputs).await;
        assert_eq!(fault.code, code::WF2101);
        assert!(fault.remedy().contains("file"), "{}", fault.remedy());
    }
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let house = House::new();
    let inbox = house.inbox();
    symlink(house.folder.path(), inbox.join("up")).expect("a link");
    symlink(house.folder.path().join("secret.pdf"), inbox.join("link.pdf")).expect("a link");
    symlink("/proc/self/root/etc/passwd", inbox.join("magic")).expect("a link");
    for path in [
        "../secret.pdf".to_owned(),
        "2026/../../secret.pdf".to_owned(),
        format!("{}/../secret.pdf", inbox.display()),
        house.folder.path().join("secret.pdf").display().to_string(),
        "/etc/passwd".to_owned(),
        "up/secret.pdf".to_owned(),
        "link.pdf".to_owned(),
        "magic".to_owned(),
    ] {
        let fault = house.refused(json!({}), json!({ "file_path": path })).await;
        assert_eq!(fault.code, code::WF2105, "{path}: {fault}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_not_waited_for() {
    let house = House::new();
    let pipe = house.inbox().join("pipe.pdf");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().expect("mkfifo is there").success());
    for path in ["pipe.pdf", "2026", "nothing.pdf", "2026/letter.pdf/x", "a\0b"] {
        let fault = house.refused(json!({}), json!({ "file_path": path })).await;
        assert!([code::WF2102, code::WF2113].contains(&fault.code), "{path:?}: {fault}");
    }
}

#[tokio::test]
async fn size_and_type_are_checked_by_content() {
    let house = House::new();
    let big = house.put("big.pdf", &[b"%PDF-1.4".as_slice(), &[0; 3000]].concat());
    let fault = house.refused(json!({ "max_size": "2KB", "allowed_types": ["pdf"] }), big).await;
    assert_eq!(fault.code, code::WF2103);
    for part in ["3008", "2048", "pdf"] {
        assert!(fault.message.contains(part), "{}", fault.message);
    }
    let page = house.put("invoice.pdf", b"<!DOCTYPE html><p>please log in");
    let fault = house.refused(json!({ "allowed_types": ["pdf", "jpeg"] }), page).await;
    assert_eq!(fault.code, code::WF2103);
    for part in ["html", "the name says pdf", "pdf, jpg", "10485760"] {
        assert!(fault.message.contains(part), "{}", fault.message);
    }
    assert_eq!(house.refused(json!({}), house.put("nothing.pdf", b"")).await.code, code::WF2104);
}

#[tokio::test]
async fn a_wrong_name_is_a_warning_when_the_content_is_welcome() {
    let house = House::new();
    let inputs = house.put("scan.jpg", b"%PDF-1.4");
    let done = house.upload(json!({ "allowed_types": ["pdf"] }), inputs).await.expect("the content is a PDF");
    assert_eq!(done.outputs["document"]["type"], "pdf");
    assert!(done.warnings[0].contains("says jpg"), "{:?}", done.warnings);
}

#[tokio::test]
async fn a_config_that_does_not_fit_names_its_key() {
    let house = House::new();
    for (config, key) in [
        (json!({ "allowed_types": ["pfd"] }), "config.allowed_types[0]"),
        (json!({ "max_size": "huge" }), "config.max_size"),
        (json!({ "maxsize": 1 }), "maxsize"),
    ] {
        let fault = house.refused(config, json!({})).await;
        assert_eq!(fault.code, code::WF2001);
        assert!(fault.message.contains(key), "{}", fault.message);
    }
}

#[test]
fn the_config_of_the_shipped_template_fits() {
    let upload = Upload::new(Arc::new(Files::default()), Contents::new().blobs, Vec::new());
    let schema = upload.declare().config;
    for key in ["max_size", "allowed_types"] {
        assert!(schema["properties"][key].is_object(), "{schema}");
    }
}
