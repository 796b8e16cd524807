//! Reads one picture of a page as well as can be: straightened when it leans, turned when it lies on its side.
//!
//! A page that reads well costs one call of tesseract and nothing else. Only a doubtful reading pays for more:
//! first the question which way is up, then another look at a larger copy. Of all readings the best one counts.

use std::sync::Arc;

use image::GrayImage;
use image::imageops::FilterType;
use tokio_util::sync::CancellationToken;

use super::picture::{self, Picture};
use super::skew;
use super::tesseract::{Layout, Reading, Sheet, Tesseract};
use crate::domain::code;
use crate::domain::fault::Fault;

/// Leans below this many degrees do not hurt tesseract; turning would only blur.
const MIN_LEAN: f32 = 0.5;
/// On a page that reads badly even these are taken out.
const SLIGHT_LEAN: f32 = 0.2;
/// No page is enlarged beyond this: it is large enough.
const MAX_ENLARGED_PIXELS: u32 = 20_000_000;
/// A reading as sure as this needs no second look.
const SURE: f64 = 0.85;
/// A reading less sure than this may be of a page that stands wrong.
const MAYBE_TURNED: f64 = 0.65;

/// Another look must be so much better than the best so far: below that it is chance which one is right, and
/// the plain reading of the whole page keeps more of its order.
const CLEARLY: f64 = 1.03;

/// How pictures are put right before they are read.
#[derive(Debug, Clone, Copy)]
pub struct Care {
    /// Straighten pages that lean.
    pub deskew: bool,
    /// Turn pages that lie on their side or stand on their head.
    pub orientation: bool,
}

/// The best reading of a picture, and what was done to it.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The reading.
    pub reading: Reading,
    /// Degrees by which it was turned to the right.
    pub turned: Option<u16>,
    /// Degrees by which it leaned.
    pub skew: Option<f32>,
}

/// A picture made ready: upright as far as its header tells, straightened.
struct Ready {
    sheet: Sheet,
    grey: Option<GrayImage>,
    skew: Option<f32>,
}

/// Reads pictures with one tesseract.
#[derive(Debug, Clone)]
pub struct Reader {
    tesseract: Tesseract,
    care: Care,
}

impl Reader {
    /// A reader with this tesseract.
    #[must_use]
    pub const fn new(tesseract: Tesseract, care: Care) -> Self {
        Self { tesseract, care }
    }

    /// Reads a picture.
    ///
    /// # Errors
    /// As [`Tesseract::read`].
    pub async fn read(&self, picture: Picture, cancel: &CancellationToken) -> Result<Found, Fault> {
        let (care, dpi) = (self.care, picture.dpi());
        let ready = blocking(move || ready(picture, care)).await?;
        let reading = self.tesseract.read(&ready.sheet, Layout::Auto, cancel).await?;
        let mut best = Found { reading, turned: None, skew: ready.skew };
        let Some(grey) = ready.grey else { return Ok(best) };
        if best.reading.letters == 0 && is_blank(&grey) {
            return Ok(best);
        }
        let mut upright = Arc::new(grey);
        if care.orientation && best.reading.confidence < MAYBE_TURNED {
            let asked = Sheet { dpi: dpi.or(Some(300)), ..ready.sheet };
            if let Some(turn) = self.tesseract.turn(&asked, cancel).await? {
                let flat = Arc::clone(&upright);
                let (turned, lean) = blocking(move || straight(picture::turned(&flat, turn), care)).await?;
                let reading = self.tesseract.read(&picture::sheet(&turned, dpi), Layout::Auto, cancel).await?;
                if reading.worth() > best.reading.worth() {
                    best = Found { reading, turned: Some(turn), skew: lean };
                    upright = Arc::new(turned);
                }
            }
        }
        if best.reading.confidence < SURE {
            self.look_again(upright, &mut best, cancel).await?;
        }
        Ok(best)
    }

    /// Looks at the page in other ways until one reading is sure; the best of all stays.
    async fn look_again(
        &self,
        grey: Arc<GrayImage>,
        best: &mut Found,
        cancel: &CancellationToken,
    ) -> Result<(), Fault> {
        for look in LOOKS.iter().filter(|look| look.suits(&grey)) {
            if best.reading.confidence >= SURE {
                break;
            }
            let (page, care) = (Arc::clone(&grey), self.care);
            let Some((sheet, lean)) = blocking(move || seen(&page, *look, care)).await? else { continue };
            let reading = self.tesseract.read(&sheet, look.layout, cancel).await?;
            if reading.worth() > CLEARLY * best.reading.worth() {
                *best = Found { reading, turned: best.turned, skew: lean.or(best.skew) };
            }
        }
        Ok(())
    }
}

/// Another way to look at a doubtful page.
#[derive(Debug, Clone, Copy)]
struct Look {
    layout: Layout,
    /// So many quarters of its size.
    quarters: u32,
    straighten: bool,
}

impl Look {
    /// Only a slip is one block; a page has columns, and reading them as one would mix them.
    fn suits(self, page: &GrayImage) -> bool {
        self.layout == Layout::Auto || page.height() * 2 >= page.width() * 3
    }
}

/// Chosen by measuring on scanned invoices and till receipts: small print gains from a larger copy (smoothly
/// enlarged: sharper filters read worse), narrow slips from being taken as one block.
const LOOKS: &[Look] = &[
    Look { layout: Layout::Auto, quarters: 6, straighten: true },
    Look { layout: Layout::Block, quarters: 5, straighten: false },
    Look { layout: Layout::Block, quarters: 4, straighten: false },
];

/// Nothing but paper: no two of its pixels differ by what ink would.
fn is_blank(page: &GrayImage) -> bool {
    let (low, high) = page.iter().fold((u8::MAX, 0), |(low, high), value| (low.min(*value), high.max(*value)));
    high - low < 32
}

/// The page as this look sees it, and the lean that was taken out; `None` when it would be too large.
fn seen(page: &GrayImage, look: Look, care: Care) -> Option<(Sheet, Option<f32>)> {
    let (width, height) = (page.width() * look.quarters / 4, page.height() * look.quarters / 4);
    if width * height > MAX_ENLARGED_PIXELS {
        return None;
    }
    let lean = if look.straighten && care.deskew { skew::angle(page) } else { None };
    let lean = lean.filter(|lean| lean.abs() >= SLIGHT_LEAN);
    let straightened = lean.map(|lean| skew::straighten(page, lean));
    let page = straightened.as_ref().unwrap_or(page);
    if look.quarters == 4 {
        return Some((picture::sheet(page, None), lean));
    }
    let larger = image::imageops::resize(page, width, height, FilterType::Triangle);
    Some((picture::sheet(&larger, Some(300)), lean))
}

/// Decodes only to find a lean or to turn; tesseract gets the picture as it is when there is nothing to put right.
fn ready(picture: Picture, care: Care) -> Ready {
    let dpi = picture.dpi();
    let Some(grey) = picture.grey() else {
        return Ready { sheet: picture.into_sheet(), grey: None, skew: None };
    };
    let (grey, skew) = straight(grey, care);
    let changed = skew.is_some() || picture.is_turned();
    let sheet = if changed { picture::sheet(&grey, dpi) } else { picture.into_sheet() };
    Ready { sheet, grey: Some(grey), skew }
}

fn straight(grey: GrayImage, care: Care) -> (GrayImage, Option<f32>) {
    let lean = if care.deskew { skew::angle(&grey).filter(|lean| lean.abs() >= MIN_LEAN) } else { None };
    match lean {
        Some(lean) => (skew::straighten(&grey, lean), Some(lean)),
        None => (grey, None),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    let broke = |error| Fault::permanent(code::WF2108, "the picture broke its decoder").context(error);
    tokio::task::spawn_blocking(work).await.map_err(broke)
}
