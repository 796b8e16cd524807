//! Calls of tesseract: one picture in, text with confidence out.

use tokio_util::sync::CancellationToken;

use crate::connect::process::{Job, Limits, ProcessError, Program, Toolbox};
use crate::domain::code;
use crate::domain::fault::Fault;

const TESSERACT: Program = Program { name: "tesseract", package: "tesseract-ocr tesseract-ocr-eng tesseract-ocr-deu" };
/// tesseract's own measure runs to 100; below this, `--psm 0` is guessing.
const MIN_TURN_CONFIDENCE: f64 = 2.0;

/// How a page is cut into lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Columns, tables and pictures are found first.
    Auto,
    /// The page is one block of lines of text.
    Block,
}

/// A picture in a form that tesseract takes, and how to look at it.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// An encoded picture.
    pub bytes: Vec<u8>,
    /// Its resolution, when its own header does not say.
    pub dpi: Option<u32>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Lines, paragraphs apart by an empty line.
    pub text: String,
    /// Mean of the words' confidence, weighted by their length, from 0 to 1; zero without words.
    pub confidence: f64,
    /// Letters and digits read.
    pub letters: usize,
}

impl Reading {
    /// How much was read how surely: what decides between two readings of one page.
    #[must_use]
    pub fn worth(&self) -> f64 {
        self.confidence.powi(2) * (self.letters as f64).sqrt()
    }
}

/// tesseract with its languages, checked to be there.
#[derive(Debug, Clone)]
pub struct Tesseract {
    tools: Toolbox,
    languages: String,
    can_turn: bool,
}

impl Tesseract {
    /// tesseract for these languages (`eng`, `deu`; `en` and `de` mean the same).
    ///
    /// # Errors
    /// `WF2310` with the line that installs what is missing, `WF2001` for a word that names no language.
    pub async fn open(tools: &Toolbox, languages: &[String], cancel: &CancellationToken) -> Result<Self, Fault> {
        let wanted = languages.iter().map(|word| language(word)).collect::<Result<Vec<_>, _>>()?;
        let listed = tools.run(Job::new(TESSERACT).arg("--list-langs"), cancel).await.map_err(|e| e.fault())?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let there: Vec<&str> = listed.lines().skip(1).map(str::trim).collect();
        let missing: Vec<_> = wanted.iter().filter(|code| !there.contains(&code.as_str())).cloned().collect();
        if !missing.is_empty() {
            let packages: Vec<_> =
                missing.iter().map(|code| format!("tesseract-ocr-{}", code.replace('_', "-").to_lowercase())).collect();
            let message = format!("tesseract does not know the language `{}`", missing.join("`, `"));
            return Err(Fault::permanent(code::WF2310, message)
                .fix(format!("install it: `apt-get install {}`", packages.join(" "))));
        }
        Ok(Self { tools: tools.clone(), languages: wanted.join("+"), can_turn: there.contains(&"osd") })
    }

    /// Reads a picture.
    ///
    /// # Errors
    /// `WF2108` when the picture cannot be read, else what [`ProcessError::fault`] says.
    pub async fn read(&self, sheet: &Sheet, layout: Layout, cancel: &CancellationToken) -> Result<Reading, Fault> {
        let job = self.job(sheet).args(["-l", &self.languages]);
        let job = match layout {
            Layout::Auto => job,
            Layout::Block => job.args(["--psm", "6"]),
        };
        let output = self.tools.run(job.arg("tsv"), cancel).await.map_err(|error| unreadable(&error))?;
        Ok(parse(&String::from_utf8_lossy(&output.stdout)))
    }

    /// By how many degrees the picture must be turned to the right to stand upright: 90, 180 or 270, when
    /// tesseract is sure. What it cannot say is no error.
    ///
    /// # Errors
    /// Only what has nothing to do with the picture: cancelled, not started.
    pub async fn turn(&self, sheet: &Sheet, cancel: &CancellationToken) -> Result<Option<u16>, Fault> {
        if !self.can_turn {
            return Ok(None);
        }
        let job = self.job(sheet).args(["--psm", "0", "-l", "osd"]);
        match self.tools.run(job, cancel).await {
            Ok(output) => Ok(parse_turn(&String::from_utf8_lossy(&output.stdout))),
            Err(error @ (ProcessError::Cancelled(_) | ProcessError::Io { .. })) => Err(error.fault()),
            Err(_) => Ok(None), // "too few characters": a page that cannot tell
        }
    }

    fn job(&self, sheet: &Sheet) -> Job {
        let limits = Limits { stdout_bytes: 32 * 1024 * 1024, ..Limits::default() };
        let job = Job::new(TESSERACT).args(["stdin", "stdout"]).stdin(sheet.bytes.clone()).limits(limits);
        match sheet.dpi {
            Some(dpi) => job.args(["--dpi", &dpi.to_string()]),
            None => job,
        }
    }
}

/// The language's name with tesseract.
fn language(word: &str) -> Result<String, Fault> {
    const SHORT: &[(&str, &str)] = &[
        ("en", "eng"),
        ("de", "deu"),
        ("fr", "fra"),
        ("es", "spa"),
        ("it", "ita"),
        ("nl", "nld"),
        ("pt", "por"),
        ("pl", "pol"),
    ];
    let word = word.trim();
    let is_name = word.len() >= 2 && word.len() <= 30 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        let message = format!("`config.languages`: `{}` is not a language", word.escape_default());
        return Err(Fault::permanent(code::WF2001, message).fix("write languages as tesseract does: eng, deu, fra"));
    }
    let long = SHORT.iter().find(|(short, _)| word.eq_ignore_ascii_case(short)).map(|(_, long)| *long);
    Ok(long.unwrap_or(word).to_owned())
}

/// tesseract ends with code 1 on what is no picture.
fn unreadable(error: &ProcessError) -> Fault {
    match error {
        ProcessError::Failed { how: crate::connect::process::Ending::Code(1), stderr, .. } => {
            Fault::permanent(code::WF2108, "the picture is damaged: it cannot be decoded").context(stderr.trim())
        }
        other => other.fault(),
    }
}

/// Text and confidence out of tesseract's table of words.
fn parse(table: &str) -> Reading {
    let (mut text, mut last, mut sure, mut letters) = (String::with_capacity(table.len() / 8), None, 0.0, 0usize);
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.splitn(12, '\t').collect();
        let [level, _page, block, paragraph, line, _, _, _, _, _, confidence, word] = cells[..] else { continue };
        if level != "5" || word.trim().is_empty() {
            continue;
        }
        let place = (block.to_owned(), paragraph.to_owned(), line.to_owned());
        match &last {
            None => {}
            Some((b, p, l)) if (b, p, l) == (&place.0, &place.1, &place.2) => text.push(' '),
            Some((b, p, _)) if (b, p) == (&place.0, &place.1) => text.push('\n'),
            Some(_) => text.push_str("\n\n"),
        }
        text.push_str(word);
        last = Some(place);
        let length = word.chars().filter(|c| c.is_alphanumeric()).count();
        sure += confidence.parse::<f64>().unwrap_or(0.0).clamp(0.0, 100.0) / 100.0 * length as f64;
        letters += length;
    }
    let confidence = if letters == 0 { 0.0 } else { sure / letters as f64 };
    Reading { text, confidence, letters }
}

fn parse_turn(said: &str) -> Option<u16> {
    let after = |label: &str| said.lines().find_map(|line| line.strip_prefix(label)).map(str::trim);
    let turn: u16 = after("Rotate:")?.parse().ok()?;
    let confidence: f64 = after("Orientation confidence:")?.parse().ok()?;
    (confidence >= MIN_TURN_CONFIDENCE && matches!(turn, 90 | 180 | 270)).then_some(turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_lines_and_paragraphs() {
        let table = "level\tpage_num\n\
            5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t90.0\tGute\n\
            5\t1\t1\t1\t1\t2\t0\t0\t9\t9\t80.0\tFahrt\n\
            5\t1\t1\t1\t2\t1\t0\t0\t9\t9\t70.0\tund\n\
            4\t1\t1\t2\t1\t0\t0\t0\t9\t9\t-1\t\n\
            5\t1\t1\t2\t1\t1\t0\t0\t9\t9\t60.0\tGrüße\n";
        let reading = parse(table);
        assert_eq!(reading.text, "Gute Fahrt\nund\n\nGrüße");
        assert_eq!(reading.letters, 17);
        assert!((reading.confidence - (0.9 * 4.0 + 0.8 * 5.0 + 0.7 * 3.0 + 0.6 * 5.0) / 17.0).abs() < 1e-9);
    }

    #[test]
    fn a_turn_counts_only_when_it_is_sure() {
        let said = |turn, sure| format!("Page number: 0\nRotate: {turn}\nOrientation confidence: {sure}\n");
        assert_eq!(parse_turn(&said(90, "9.1")), Some(90));
        assert_eq!(parse_turn(&said(180, "0.4")), None);
        assert_eq!(parse_turn(&said(0, "20.0")), None);
        assert_eq!(parse_turn("Too few characters"), None);
    }

    #[test]
    fn a_language_cannot_smuggle_an_option() {
        assert_eq!(language("de").ok().as_deref(), Some("deu"));
        assert_eq!(language("chi_sim").ok().as_deref(), Some("chi_sim"));
        for word in ["", "-l", "eng+osd", "../eng", "e"] {
            assert_eq!(language(word).expect_err(word).code, code::WF2001);
        }
    }
}
