//! Reading documents that can be read.

use std::path::Path;

use image::{GrayImage, Luma};
use serde_json::json;
use workflow::steps::document::ocr::Ocr;

use super::{Desk, fixtures, listener, outcome, shared, text};

fn phototest() -> GrayImage {
    image::open(fixtures().join("phototest.tif")).expect("a picture").into_luma8()
}

/// On a page with margins, so that turning it cuts nothing off.
fn on_paper(picture: &GrayImage) -> GrayImage {
    let (width, height) = (picture.width() + 300, picture.height() + 300);
    let mut paper = GrayImage::from_pixel(width, height, Luma([255]));
    image::imageops::overlay(&mut paper, picture, 150, 150);
    paper
}

/// Turned by any angle, the plainest way.
fn leaning(picture: &GrayImage, degrees: f32) -> GrayImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (cx, cy) = (picture.width() as f32 / 2.0, picture.height() as f32 / 2.0);
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (dx, dy) = (x as f32 - cx, y as f32 - cy);
        let (sx, sy) = (cx + dx * cos + dy * sin, cy - dx * sin + dy * cos);
        picture.get_pixel_checked(sx.max(0.0) as u32, sy.max(0.0) as u32).copied().unwrap_or(Luma([255]))
    })
}

#[tokio::test]
async fn a_german_scan_is_read_with_its_umlauts() {
    let done = Desk::new().read("scan-de.png").await.expect("can be read");
    for words in ["Künstlerische Gestaltung", "Heiße Luft", "überweisen", "Zuzügl. USt"] {
        assert!(text(&done).contains(words), "`{words}` in {}", text(&done));
    }
    assert_eq!(done.outputs["pages"][0]["source"], "ocr");
    assert!(done.outputs["quality"]["confidence"].as_f64().expect("a number") > 0.8);
    assert!(done.warnings.is_empty(), "{:?}", done.warnings);
}

#[tokio::test]
async fn a_page_with_text_of_its_own_is_not_read_as_a_picture() {
    let desk = Desk::new();
    let attempt = desk.taken(&fixtures().join("mixed.pdf"), json!({})).await.expect("is a PDF");
    let (progress, said) = listener();
    let attempt = workflow::contract::step::Attempt { progress, ..attempt };
    let done =
        outcome(&Ocr::new(desk.contents.blobs.clone(), desk.tools.clone()), &attempt).await.expect("can be read");
    let pages = done.outputs["pages"].as_array().expect("pages");
    let sources: Vec<_> = pages.iter().map(|page| (page["number"].as_u64(), page["source"].as_str())).collect();
    assert_eq!(sources, [(Some(1), Some("layer")), (Some(2), Some("ocr"))]);
    assert!(pages[0]["text"].as_str().expect("text").contains("Lieferantenstraße 20"));
    assert!(pages[1]["text"].as_str().expect("text").contains("Versicherungsbüro"), "{}", pages[1]["text"]);
    assert_eq!(*said.lock().expect("nobody panics here"), ["page 2 of 2"]);
}

#[tokio::test]
async fn a_leaning_page_reads_as_well_as_the_straight_one() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (straight, leans) = (folder.path().join("straight.png"), folder.path().join("leans.png"));
    let paper = on_paper(&phototest());
    paper.save(&straight).expect("saved");
    leaning(&paper, 7.0).save(&leans).expect("saved");
    let straight = desk.read_with(&straight, json!({})).await.expect("can be read");
    let put_right = desk.read_with(&leans, json!({})).await.expect("can be read");
    assert!(text(&straight).contains("quick brown dog jumped"), "{}", text(&straight));
    assert!(shared(text(&straight), text(&put_right)) > 0.95, "{}", text(&put_right));
    let skew = put_right.outputs["pages"][0]["skew"].as_f64().expect("it was put right");
    assert!((skew - 7.0).abs() < 0.5, "leans by 7 degrees, found {skew}");
}

#[tokio::test]
async fn a_turned_page_is_put_right() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().expect("a folder");
    let straight = desk.read("scan-de.png").await.expect("can be read");
    let picture = image::open(fixtures().join("scan-de.png")).expect("a picture").into_luma8();
    for (name, turned, back) in [
        ("left.png", image::imageops::rotate270(&picture), 90),
        ("over.png", image::imageops::rotate180(&picture), 180),
    ] {
        let path = folder.path().join(name);
        turned.save(&path).expect("saved");
        let done = desk.read_with(&path, json!({})).await.expect("can be read");
        assert_eq!(done.outputs["pages"][0]["turned"], back, "{name}");
        assert!(shared(text(&straight), text(&done)) > 0.85, "{name}: {}", text(&done));
    }
}

#[tokio::test]
async fn every_frame_of_a_tiff_is_read_in_order() {
    let done = Desk::new().read("multipage.tif").await.expect("can be read");
    let pages = done.outputs["pages"].as_array().expect("pages");
    assert_eq!(pages.iter().map(|page| page["number"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
    assert!(pages.iter().all(|page| page["text"].as_str().is_some_and(|text| text.len() > 200)), "{pages:?}");
    assert_ne!(pages[0]["text"], pages[1]["text"]);
}

#[tokio::test]
async fn a_word_document_gives_its_text() {
    let desk = Desk::new();
    let tables = desk.read("tables.docx").await.expect("can be read");
    assert_eq!(text(&tables), "Above\nTop left\tTop right\nBottom left\tBottom right\nBelow");
    let notes = desk.read("footnotes.docx").await.expect("can be read");
    assert!(text(&notes).starts_with("Ouch") && text(&notes).contains("tachyon"), "{}", text(&notes));
    let breaks = desk.read("page-breaks.docx").await.expect("can be read");
    assert!(text(&breaks).contains("no-break hyphen here:-and hard page-break here>>"), "{}", text(&breaks));
    assert_eq!(breaks.outputs["pages"][0]["source"], "docx");
}

#[tokio::test]
async fn a_page_without_text_is_a_warning_and_no_fault() {
    let done = Desk::new().read("nasty/no_contents.pdf").await.expect("an empty page is a page");
    assert_eq!(text(&done), "");
    assert_eq!(done.outputs["pages"][0]["text"], "");
    assert_eq!(done.warnings, ["no text was found in the document"]);
}

#[tokio::test]
async fn languages_come_as_a_list_or_as_one_text() {
    let desk = Desk::new();
    let file = fixtures().join("phototest.tif");
    let list = desk.read_with(&file, json!({ "languages": ["eng"] })).await.expect("can be read");
    let one = desk.read_with(&file, json!({ "languages": "en" })).await.expect("can be read");
    assert_eq!(text(&list), text(&one));
    assert!(Path::new("/usr/share/tesseract-ocr").exists());
}
