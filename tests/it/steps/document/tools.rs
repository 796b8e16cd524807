//! What happens when a tool is missing, and when its work is no longer wanted.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;
use workflow::domain::code;
use workflow::steps::document::ocr::Ocr;

use super::{Desk, fixtures, outcome, text};

/// A folder with only these programs in it.
fn machine_with(programs: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in programs {
        let real = ["/usr/local/bin", "/usr/bin", "/bin"].map(|dir| Path::new(dir).join(name));
        let real = real.iter().find(|path| path.exists()).expect("the real program is installed");
        symlink(real, folder.path().join(name)).expect("a link");
    }
    folder
}

const POPPLER: &[&str] = &["pdfinfo", "pdftotext", "pdfimages", "pdftoppm"];

#[tokio::test]
async fn without_tesseract_documents_with_text_are_still_read() {
    let machine = machine_with(POPPLER);
    let desk = Desk::with_search(machine.path().as_os_str());
    let done = desk.read("invoice.pdf").await.expect("has text of its own");
    assert!(text(&done).contains("471102"), "{}", text(&done));
    desk.read("tables.docx").await.expect("has text of its own");
    for scan in ["scan-de.png", "mixed.pdf"] {
        let fault = desk.read(scan).await.map(|done| done.outputs).expect_err("needs tesseract");
        assert_eq!(fault.code, code::WF2310);
        assert!(fault.remedy().contains("apt-get install tesseract-ocr"), "{}", fault.remedy());
    }
}

#[tokio::test]
async fn without_poppler_the_install_line_is_given() {
    let machine = machine_with(&[]);
    let desk = Desk::with_search(machine.path().as_os_str());
    let fault = desk.read("invoice.pdf").await.map(|done| done.outputs).expect_err("needs poppler");
    assert_eq!(fault.code, code::WF2310);
    assert!(fault.remedy().contains("apt-get install poppler-utils"), "{}", fault.remedy());
}

#[tokio::test]
async fn a_language_that_is_not_installed_is_named_with_its_package() {
    let desk = Desk::new();
    let config = json!({ "languages": ["eng", "tlh"] });
    let fault =
        desk.read_with(&fixtures().join("phototest.tif"), config).await.map(|d| d.outputs).expect_err("no Klingon");
    assert_eq!(fault.code, code::WF2310);
    assert!(fault.message.contains("`tlh`") && fault.remedy().contains("tesseract-ocr-tlh"), "{fault}");
}

/// A tesseract that says it has begun, and then never ends; neither does its child.
#[tokio::test]
async fn cancelling_ends_tesseract_at_once() {
    let machine = machine_with(&["sh", "cat", "sleep"]);
    let line = machine.path().join("line");
    assert!(std::process::Command::new("mkfifo").arg(&line).status().expect("mkfifo is there").success());
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --list-langs ] && {{ echo List; echo eng; exit 0; }}\n\
         exec 3>{}\ncat >/dev/null\nsleep 1000 &\necho reading >&3\nwait\n",
        line.display()
    );
    let program = machine.path().join("tesseract");
    std::fs::write(&program, script).expect("a file");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("permissions");

    let desk = Desk::with_search(machine.path().as_os_str());
    let attempt = desk.taken(&fixtures().join("phototest.tif"), json!({ "languages": ["eng"] })).await.expect("taken");
    let cancel = attempt.cancel.clone();
    // The pipe ends when tesseract and its child, which hold it open, are both dead.
    let watched = tokio::task::spawn_blocking(move || {
        use std::io::{BufRead, Read};
        let mut pipe = std::io::BufReader::new(std::fs::File::open(line).expect("the pipe is there"));
        let mut said = String::new();
        pipe.read_line(&mut said).expect("readable");
        cancel.cancel();
        pipe.read_to_string(&mut said).expect("readable");
        said
    });
    let ocr = Ocr::new(desk.contents.blobs.clone(), desk.tools.clone());
    let both = async { tokio::join!(outcome(&ocr, &attempt), watched) };
    let (ended, said) = tokio::time::timeout(std::time::Duration::from_secs(60), both).await.expect("ends at once");
    assert_eq!(ended.map(|done| done.outputs).expect_err("was cancelled").code, code::WF2304);
    assert_eq!(said.expect("joined"), "reading\n");
}
