//! A page of text, and how well it was read.

use serde::Serialize;
use serde_json::{Value, json};

/// Where the text of a page comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The document's own text.
    Layer,
    /// Read from a picture.
    Ocr,
    /// A Word document.
    Docx,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// From 1.
    pub number: usize,
    /// Where its text comes from.
    pub source: Source,
    /// Its text; may be empty.
    pub text: String,
    /// How sure the reader is, from 0 to 1; absent when there was nothing to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Degrees by which the picture was turned to the right to stand upright.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turned: Option<u16>,
    /// Degrees by which the picture leaned before it was put right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew: Option<f64>,
}

impl Page {
    /// A page whose text needed no reading.
    #[must_use]
    pub fn exact(number: usize, source: Source, text: String) -> Self {
        let confidence = (!text.is_empty()).then_some(1.0);
        Self { number, source, text, confidence, turned: None, skew: None }
    }

    /// Nothing was found on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// All text in page order, pages apart by an empty line.
#[must_use]
pub fn joined(pages: &[Page]) -> String {
    let texts: Vec<_> = pages.iter().map(|page| page.text.trim_end()).filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

/// How well the pages were read, as a whole.
#[must_use]
pub fn quality(pages: &[Page]) -> Value {
    let count = |source| pages.iter().filter(|page| page.source == source).count();
    let weigh = |page: &Page| page.confidence.map(|confidence| (confidence, page.text.chars().count() as f64));
    let (sum, weight) = pages.iter().filter_map(weigh).fold((0.0, 0.0), |(s, w), (c, n)| (s + c * n, w + n));
    let confidence = if weight > 0.0 { Value::from(rounded(sum / weight)) } else { Value::Null };
    json!({
        "confidence": confidence,
        "pages": pages.len(),
        "from_layer": count(Source::Layer),
        "from_ocr": count(Source::Ocr),
        "empty": pages.iter().filter(|page| page.is_empty()).count(),
        "characters": pages.iter().map(|page| page.text.chars().count()).sum::<usize>(),
    })
}

/// Three digits after the point: more would be noise.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
