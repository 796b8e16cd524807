//! `ocr`: turns a document into text, page by page.
//!
//! A page that has text of its own gives that; only the others are read as pictures, by tesseract in child
//! processes, side by side on all cores. Word documents have text and need no reading. A missing tesseract
//! stops only pages that need it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::docx;
use super::languages::Languages;
use super::layer;
use super::page::{self, Page, Source};
use super::pdf::{Listed, Pdf};
use super::picture::Picture;
use super::reader::{Care, Found, Reader};
use super::tesseract::Tesseract;
use super::value::{Document, blob_fault};
use crate::connect::process::Toolbox;
use crate::contract::blob::BlobStore;
use crate::contract::media::Kind;
use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};

/// A drawn or embedded page read worse than this is tried the other way too.
const POOR: f64 = 0.5;

/// The program that reads pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// tesseract 4 or 5.
    #[default]
    Tesseract,
}

/// The config of an `ocr` step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OcrConfig {
    /// The program that reads pictures.
    pub engine: Engine,
    /// Languages of the text, as tesseract names them.
    pub languages: Languages,
    /// Resolution at which PDF pages are drawn for reading.
    #[schemars(range(min = 72, max = 600))]
    pub dpi: u32,
    /// Documents with more pages are refused.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_pages: usize,
    /// Straighten pages that lean.
    pub deskew: bool,
    /// Turn pages that lie on their side.
    pub orientation: bool,
}

impl Default for OcrConfig {
    fn default() -> Self {
        Self {
            engine: Engine::Tesseract,
            languages: Languages::default(),
            dpi: 300,
            max_pages: 200,
            deskew: true,
            orientation: true,
        }
    }
}

/// The `ocr` step.
pub struct Ocr {
    blobs: Arc<dyn BlobStore>,
    tools: Toolbox,
}

impl Ocr {
    /// An `ocr` step that reads documents from `blobs` with these programs.
    #[must_use]
    pub fn new(blobs: Arc<dyn BlobStore>, tools: Toolbox) -> Self {
        Self { blobs, tools }
    }

    async fn read(&self, attempt: &Attempt) -> StepResult {
        let config: OcrConfig = attempt.config()?;
        let document = Document::from_port(attempt.port("document"))?;
        let path = self.blobs.local_path(&document.sha256).await.map_err(|error| blob_fault(&error))?;
        let path = std::path::absolute(&path).unwrap_or(path); // programs do not run in our folder
        let kind = sniffed(path.clone()).await?;
        let work = Work { tools: &self.tools, attempt, config, path };
        let mut done = Done::default();
        let pages = match kind {
            Kind::Pdf => work.pdf().await?,
            Kind::Docx => vec![work.docx(&mut done).await?],
            Kind::Jpg | Kind::Png | Kind::Tiff => work.pictures(kind, &mut done).await?,
            other => {
                let message = format!("`{}` is {other}, which holds no text that this step can read", document.name);
                return Err(Fault::permanent(code::WF2110, message));
            }
        };
        warn_of_empty(&pages, &mut done);
        let outputs = json!({
            "text": page::joined(&pages),
            "quality": page::quality(&pages),
            "pages": pages,
        });
        done.outputs = Done::with(outputs).outputs;
        done.into()
    }
}

impl StepHandler for Ocr {
    fn declare(&self) -> StepType {
        StepType {
            name: "ocr",
            summary: "reads the text of a document: its own text first, pictures of text with tesseract",
            config: schemars::schema_for!(OcrConfig).to_value(),
            consumes: vec![Port::needs("document", PortType::Document)],
            produces: vec![Port::gives("text", PortType::Text), Port::gives("pages", PortType::Pages)],
            outputs: &["text", "pages", "quality"],
            // A function of the content, but a long one: its intent is worth a commit of its own.
            effect: EffectClass::Idempotent,
            cacheable: true,
            undo: Undo::Nothing,
            overridable: &["languages"],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(self.read(attempt))
    }
}

/// One document being read.
struct Work<'a> {
    tools: &'a Toolbox,
    attempt: &'a Attempt,
    config: OcrConfig,
    path: PathBuf,
}

impl Work<'_> {
    async fn docx(&self, done: &mut Done) -> Result<Page, Fault> {
        let path = self.path.clone();
        let docx = blocking(move || docx::read(BufReader::new(open(&path)?))).await?;
        if docx.has_active_content {
            done.warnings.push("the document holds macros or embedded objects; they were ignored".to_owned());
        }
        Ok(Page::exact(1, Source::Docx, docx.text))
    }

    async fn pictures(&self, kind: Kind, done: &mut Done) -> Result<Vec<Page>, Fault> {
        let path = self.path.clone();
        let read = move || {
            let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
            Picture::frames(&bytes, kind)
        };
        let (frames, cut) = blocking(read).await?;
        if cut {
            done.warnings.push(format!("the picture has more than {} frames; only these were read", frames.len()));
        }
        let reader = self.reader().await?;
        let (total, read) = (frames.len(), AtomicUsize::new(0));
        let jobs = frames.into_iter().zip(1..).map(|(picture, number)| {
            let (reader, read) = (&reader, &read);
            async move {
                let found =
                    reader.read(picture, &self.attempt.cancel).await.map_err(|fault| on_page(fault, number, total))?;
                self.tell(read, total);
                Ok(page_of(number, found))
            }
        });
        self.side_by_side(jobs).await
    }

    async fn pdf(&self) -> Result<Vec<Page>, Fault> {
        let pdf = Pdf::open(self.tools, &self.path, self.config.max_pages, &self.attempt.cancel).await?;
        let layers = pdf.layers().await?;
        let total = layers.len();
        let (with_text, without): (Vec<_>, Vec<_>) =
            (1..).zip(layers).partition(|(_, text): &(usize, String)| layer::is_sane(text));
        let mut pages: Vec<Page> =
            with_text.into_iter().map(|(number, text)| Page::exact(number, Source::Layer, text)).collect();
        if without.is_empty() {
            return Ok(pages);
        }
        let (pictures, reader) = (pdf.pictures().await?, self.reader().await?);
        let read = AtomicUsize::new(pages.len());
        let jobs = without.into_iter().map(|(number, layer)| {
            let (pdf, pictures, reader, read) = (&pdf, &pictures[..], &reader, &read);
            async move {
                let page = self
                    .pdf_page(pdf, pictures, reader, number)
                    .await
                    .map_err(|fault| on_page(fault, number, total))?;
                self.tell(read, total);
                Ok(if page.is_empty() && !layer.trim().is_empty() { short(number, layer) } else { page })
            }
        });
        pages.extend(self.side_by_side(jobs).await?);
        pages.sort_by_key(|page| page.number);
        Ok(pages)
    }

    /// The page's one picture as it stands in the file, else the page drawn. A picture that reads poorly may be
    /// placed mirrored or cut by the page: then the drawn page is tried too.
    async fn pdf_page(&self, pdf: &Pdf, all: &[Listed], reader: &Reader, number: usize) -> Result<Page, Fault> {
        let cancel = &self.attempt.cancel;
        let embedded = match pdf.whole_page_picture(number, all).await? {
            Some(picture) => Some(reader.read(picture, cancel).await?),
            None => None,
        };
        if let Some(found) = embedded.as_ref().filter(|found| found.reading.confidence >= POOR) {
            return Ok(page_of(number, found.clone()));
        }
        let drawn = reader.read(pdf.drawn(number, self.config.dpi).await?, cancel).await?;
        let best = match embedded {
            Some(found) if found.reading.worth() >= drawn.reading.worth() => found,
            _ => drawn,
        };
        Ok(page_of(number, best))
    }

    async fn reader(&self) -> Result<Reader, Fault> {
        let tesseract = Tesseract::open(self.tools, self.config.languages.words(), &self.attempt.cancel).await?;
        let care = Care { deskew: self.config.deskew, orientation: self.config.orientation };
        Ok(Reader::new(tesseract, care))
    }

    /// One page more than there are slots: the next picture is decoded while tesseract reads.
    async fn side_by_side(
        &self,
        jobs: impl Iterator<Item = impl Future<Output = Result<Page, Fault>>>,
    ) -> Result<Vec<Page>, Fault> {
        let width = self.tools.slots() + 1;
        let mut pages: Vec<Page> = futures::stream::iter(jobs).buffer_unordered(width).try_collect().await?;
        pages.sort_by_key(|page| page.number);
        Ok(pages)
    }

    fn tell(&self, read: &AtomicUsize, total: usize) {
        let read = read.fetch_add(1, Ordering::Relaxed) + 1;
        (self.attempt.progress)(&format!("page {read} of {total}"));
    }
}

fn page_of(number: usize, found: Found) -> Page {
    let Found { reading, turned, skew } = found;
    let confidence = (reading.letters > 0).then(|| page::rounded(reading.confidence));
    let skew = skew.map(|lean| page::rounded(lean.into()));
    Page { number, source: Source::Ocr, text: reading.text, confidence, turned, skew }
}

/// A layer too short to trust, on a page where the picture shows nothing either: better than nothing.
fn short(number: usize, layer: String) -> Page {
    Page::exact(number, Source::Layer, layer)
}

fn warn_of_empty(pages: &[Page], done: &mut Done) {
    let empty: Vec<_> = pages.iter().filter(|page| page.is_empty()).map(|page| page.number.to_string()).collect();
    match &empty[..] {
        [] => {}
        all if all.len() == pages.len() => done.warnings.push("no text was found in the document".to_owned()),
        some => done.warnings.push(format!("no text was found on page {}", some.join(", "))),
    }
}

fn on_page(fault: Fault, number: usize, total: usize) -> Fault {
    if total > 1 && fault.place.is_none() { fault.at(format!("page {number}")) } else { fault }
}

async fn sniffed(path: PathBuf) -> Result<Kind, Fault> {
    blocking(move || Kind::of(&mut BufReader::new(open(&path)?)).map_err(|error| unreadable(&error))).await
}

fn open(path: &Path) -> Result<File, Fault> {
    File::open(path).map_err(|error| unreadable(&error))
}

fn unreadable(error: &std::io::Error) -> Fault {
    Fault::transient(code::WF2113, "the content of the document could not be read").context(error)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    let broke = |error| Err(Fault::permanent(code::WF2108, "the document broke its decoder").context(error));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(broke)
}
