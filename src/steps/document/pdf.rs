//! PDF through poppler: how many pages, their own text, their pictures. Nothing of a PDF is parsed in this process.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::header::{MAX_PIXELS, refuse_pixels};
use super::picture::Picture;
use crate::connect::process::{Ending, Job, Limits, Output, ProcessError, Program, Toolbox};
use crate::contract::media::Kind;
use crate::domain::code;
use crate::domain::fault::Fault;

const PDFINFO: Program = Program { name: "pdfinfo", package: "poppler-utils" };
const PDFTOTEXT: Program = Program { name: "pdftotext", package: "poppler-utils" };
const PDFIMAGES: Program = Program { name: "pdfimages", package: "poppler-utils" };
const PDFTOPPM: Program = Program { name: "pdftoppm", package: "poppler-utils" };

/// A page too large to be drawn at this resolution is refused: it would not be readable.
const MIN_DPI: f64 = 72.0;
/// One picture is the whole page when it covers so much of both sides.
const COVERS: f64 = 0.9;
const PICTURE_BYTES: usize = 96 * 1024 * 1024;

/// An opened PDF.
#[derive(Debug, Clone)]
pub struct Pdf {
    tools: Toolbox,
    path: PathBuf,
    cancel: CancellationToken,
    /// Size and turn of each page.
    pub pages: Vec<Leaf>,
}

/// A page as `pdfinfo` sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaf {
    /// Points from left to right, before turning.
    width: f64,
    /// Points from top to bottom, before turning.
    height: f64,
    /// Degrees by which it is shown turned to the right.
    turn: u16,
}

/// A picture on a page, as `pdfimages -list` sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    page: usize,
    is_plain: bool,
    width: u32,
    height: u32,
    x_ppi: f64,
    y_ppi: f64,
}

impl Pdf {
    /// Opens a PDF of at most `max_pages` pages.
    ///
    /// # Errors
    /// `WF2107` encrypted, `WF2108` damaged, `WF2109` no pages, `WF2114` too many.
    pub async fn open(
        tools: &Toolbox,
        path: &Path,
        max_pages: usize,
        cancel: &CancellationToken,
    ) -> Result<Self, Fault> {
        let mut pdf = Self { tools: tools.clone(), path: path.to_owned(), cancel: cancel.clone(), pages: Vec::new() };
        let job = Job::new(PDFINFO).args(["-f", "1", "-l", &max_pages.to_string()]).arg(&pdf.path);
        let said = pdf.run(job).await?;
        let said = String::from_utf8_lossy(&said.stdout);
        let count = said.lines().find_map(|line| line.strip_prefix("Pages:")?.trim().parse::<usize>().ok());
        match count {
            None => return Err(damaged("it has no page count")),
            Some(0) => return Err(no_pages()),
            Some(count) if count > max_pages => {
                let message = format!("the document has {count} pages; at most {max_pages} are read");
                return Err(Fault::permanent(code::WF2114, message));
            }
            Some(count) => pdf.pages = leaves(&said, count),
        }
        if pdf.pages.iter().all(|leaf| leaf.width <= 0.0 || leaf.height <= 0.0) {
            return Err(damaged("no page of it has a size"));
        }
        Ok(pdf)
    }

    /// The text layer of every page, in page order; lines as they stand on the page.
    ///
    /// # Errors
    /// As [`Pdf::open`].
    pub async fn layers(&self) -> Result<Vec<String>, Fault> {
        let last = self.pages.len().to_string();
        let job = Job::new(PDFTOTEXT).args(["-layout", "-enc", "UTF-8", "-f", "1", "-l", &last]);
        let output = self.run(job.arg(&self.path).arg("-")).await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut layers: Vec<String> = text.split('\x0c').map(tidy).collect();
        layers.resize(self.pages.len(), String::new());
        Ok(layers)
    }

    /// All pictures of the document.
    ///
    /// # Errors
    /// As [`Pdf::open`].
    pub async fn pictures(&self) -> Result<Vec<Listed>, Fault> {
        let last = self.pages.len().to_string();
        let output = self.run(Job::new(PDFIMAGES).args(["-list", "-f", "1", "-l", &last]).arg(&self.path)).await?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().skip(2).filter_map(listed).collect())
    }

    /// The picture that is all of this page (numbered from 1), as it stands in the file; `None` when the page
    /// is more than one picture.
    ///
    /// # Errors
    /// `WF2106` when that picture is too large; as [`Pdf::open`].
    pub async fn whole_page_picture(&self, number: usize, all: &[Listed]) -> Result<Option<Picture>, Fault> {
        let leaf = self.leaf(number);
        let on_page: Vec<_> = all.iter().filter(|listed| listed.page == number).collect();
        let [only] = on_page[..] else { return Ok(None) };
        if !only.is_plain || !covers(only, leaf) {
            return Ok(None);
        }
        refuse_pixels(only.width, only.height)?;
        let folder = tempfile::tempdir()
            .map_err(|error| Fault::transient(code::WF2113, "no temporary folder could be made").context(error))?;
        let page = number.to_string();
        let job = Job::new(PDFIMAGES).args(["-j", "-png", "-f", &page, "-l", &page]);
        self.run(job.arg(&self.path).arg(folder.path().join("picture"))).await?;
        let found = [("picture-000.jpg", Kind::Jpg), ("picture-000.png", Kind::Png)];
        for (name, kind) in found {
            let Ok(bytes) = tokio::fs::read(folder.path().join(name)).await else { continue };
            let dpi = Some(only.x_ppi.round() as u32);
            let Ok((mut frames, _)) = Picture::frames(&bytes, kind) else { return Ok(None) };
            return Ok(frames.pop().map(|picture| picture.known(dpi, leaf.turn)));
        }
        Ok(None)
    }

    /// This page (numbered from 1) drawn at `dpi`, or at what keeps it within the pixels that we decode.
    ///
    /// # Errors
    /// `WF2106` when it would be unreadably coarse; as [`Pdf::open`].
    pub async fn drawn(&self, number: usize, dpi: u32) -> Result<Picture, Fault> {
        let leaf = self.leaf(number);
        let inches = (leaf.width / 72.0) * (leaf.height / 72.0);
        let dpi = f64::from(dpi).min((MAX_PIXELS as f64 / inches.max(0.01)).sqrt()).floor();
        if dpi < MIN_DPI {
            let message = format!("page {number} is too large to draw: {:.0} x {:.0} points", leaf.width, leaf.height);
            return Err(Fault::permanent(code::WF2106, message));
        }
        let (page, resolution) = (number.to_string(), dpi.to_string());
        let job = Job::new(PDFTOPPM)
            .args(["-r", &resolution, "-gray", "-png", "-singlefile", "-f", &page, "-l", &page])
            .arg(&self.path)
            .limits(Limits { stdout_bytes: PICTURE_BYTES, ..Limits::default() });
        let output = self.run(job).await?;
        let (mut frames, _) = Picture::frames(&output.stdout, Kind::Png)?;
        let picture = frames.pop().ok_or_else(|| damaged("a page of it could not be drawn"))?;
        Ok(picture.known(Some(dpi as u32), 0))
    }

    fn leaf(&self, number: usize) -> Leaf {
        self.pages.get(number - 1).copied().unwrap_or(Leaf { width: 0.0, height: 0.0, turn: 0 })
    }

    async fn run(&self, job: Job) -> Result<Output, Fault> {
        self.tools.run(job, &self.cancel).await.map_err(|error| explained(&error))
    }
}

/// What poppler's complaint means for whoever gave the document.
fn explained(error: &ProcessError) -> Fault {
    let ProcessError::Failed { how: Ending::Code(_), stderr, .. } = error else { return error.fault() };
    if stderr.contains("Incorrect password") || stderr.contains("ncrypt") {
        return Fault::permanent(code::WF2107, "the document is encrypted: it needs a password to be read");
    }
    if stderr.contains("the last page (0)") || stderr.contains("Invalid page count 0") {
        return no_pages();
    }
    let why = stderr.lines().next().unwrap_or_default().trim_start_matches("Syntax Error: ").to_owned();
    damaged("its structure cannot be read").context(why)
}

fn no_pages() -> Fault {
    Fault::permanent(code::WF2109, "the document has no pages")
}

fn damaged(why: &str) -> Fault {
    Fault::permanent(code::WF2108, format!("the document is damaged: {why}"))
}

/// Sizes and turns out of `pdfinfo -f -l`; pages that it does not tell have none.
fn leaves(said: &str, count: usize) -> Vec<Leaf> {
    let mut leaves = vec![Leaf { width: 0.0, height: 0.0, turn: 0 }; count];
    for line in said.lines() {
        let mut words = line.split_whitespace();
        let (Some("Page"), Some(number), Some(what)) = (words.next(), words.next(), words.next()) else { continue };
        let Some(leaf) = number.parse::<usize>().ok().and_then(|number| leaves.get_mut(number.wrapping_sub(1))) else {
            continue;
        };
        let mut value = || words.find_map(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
        match what {
            "size:" => (leaf.width, leaf.height) = (value(), value()),
            "rot:" => leaf.turn = value() as u16 % 360,
            _ => {}
        }
    }
    leaves
}

fn listed(line: &str) -> Option<Listed> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| cells.get(at)?.parse::<u32>().ok();
    let ppi = |back: usize| cells.get(cells.len().checked_sub(back)?)?.parse::<f64>().ok();
    let is_plain = cells.get(2) == Some(&"image") && matches!(cells.get(5), Some(&("gray" | "rgb" | "icc" | "index")));
    Some(Listed {
        page: number(0)? as usize,
        is_plain,
        width: number(3)?,
        height: number(4)?,
        x_ppi: ppi(4)?,
        y_ppi: ppi(3)?,
    })
}

fn covers(picture: &Listed, leaf: Leaf) -> bool {
    let across = f64::from(picture.width) / picture.x_ppi.max(1.0) * 72.0;
    let down = f64::from(picture.height) / picture.y_ppi.max(1.0) * 72.0;
    across >= COVERS * leaf.width && down >= COVERS * leaf.height && picture.x_ppi >= MIN_DPI
}

/// Columns stay apart, but by four blanks and not by the width of the paper; no empty lines around the page.
fn tidy(page: &str) -> String {
    let mut out = String::with_capacity(page.len() / 2);
    for line in page.lines() {
        let mut blanks = 0;
        for c in line.trim().chars() {
            blanks = if c == ' ' { blanks + 1 } else { 0 };
            if blanks <= 4 {
                out.push(c);
            }
        }
        out.push('\n');
    }
    out.trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_poppler_says_is_understood() {
        let said = "Pages:           2\nPage    1 size: 595.08 x 842.04 pts (A4)\nPage    1 rot:  90\nPage    2 size: 612 x 792 pts (letter)\n";
        let pages = leaves(said, 2);
        assert_eq!(pages[0], Leaf { width: 595.08, height: 842.04, turn: 90 });
        assert_eq!(pages[1], Leaf { width: 612.0, height: 792.0, turn: 0 });
        let row = "   1     0 image    1653  2339  gray    1   8  jpeg   no         5  0   200   200  302K 8.0%";
        let picture = listed(row).expect("a row of the list");
        assert!(picture.is_plain && covers(&picture, Leaf { turn: 0, ..pages[0] }));
        let logo = "   1     0 image     284   108  icc     3   8  image  no        11  0   102   102 8612B 9.4%";
        assert!(!covers(&listed(logo).expect("a row of the list"), pages[0]));
    }
}
