//! Word documents: an archive of XML, read under limits that count what really comes out.
//!
//! Only the body and the notes are read, by name, into memory; nothing is ever unpacked to disk, so names like
//! `../../x` mean nothing here. Declarations and entities of the document's own are refused, not expanded.

use std::io::{Read, Seek};

use quick_xml::events::{BytesRef, BytesStart, Event};
use zip::ZipArchive;

use crate::domain::code;
use crate::domain::fault::Fault;

const MAX_ENTRIES: usize = 2_000;
/// Bytes that the parts we read may have together, once unpacked.
const MAX_UNPACKED: u64 = 100 * 1024 * 1024;
/// Unpacked to packed; honest XML stays far below. Small parts may exceed it.
const MAX_RATIO: u64 = 200;
const RATIO_COUNTS_FROM: u64 = 1024 * 1024;

/// The text of a Word document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocxText {
    /// Paragraphs on lines, cells of a table row apart by tabs, notes at the end.
    pub text: String,
    /// It holds macros or embedded objects (which nobody here runs).
    pub has_active_content: bool,
}

/// Reads the text of a Word document.
///
/// # Errors
/// `WF2108` damaged, `WF2111` unpacks to too much, `WF2112` declares entities.
pub fn read(content: impl Read + Seek) -> Result<DocxText, Fault> {
    let mut archive = ZipArchive::new(content).map_err(|error| damaged("its archive cannot be read").context(error))?;
    if archive.len() > MAX_ENTRIES {
        let message = format!("the document holds {} parts; at most {MAX_ENTRIES} are allowed", archive.len());
        return Err(Fault::permanent(code::WF2111, message));
    }
    refuse_claims(&mut archive)?;
    let names: Vec<String> = archive.file_names_raw().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let is_body = |name: &&String| {
        name.strip_prefix("word/document").is_some_and(|rest| {
            rest.strip_suffix(".xml").is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
        })
    };
    let body = names.iter().find(is_body).ok_or_else(|| damaged("it has no body"))?;
    let mut room = MAX_UNPACKED;
    let mut text = Text::default();
    text.add(&part(&mut archive, body, &mut room)?)?;
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        if names.iter().any(|name| name == notes) {
            text.add(&part(&mut archive, notes, &mut room)?)?;
        }
    }
    let is_active = |name: &String| name.ends_with("vbaProject.bin") || name.starts_with("word/embeddings/");
    Ok(DocxText { text: text.finish(), has_active_content: names.iter().any(is_active) })
}

/// What an archive itself says to hold is only a claim; but one that claims too much is no honest document.
fn refuse_claims(archive: &mut ZipArchive<impl Read + Seek>) -> Result<(), Fault> {
    let sizes = (0..archive.len()).map(|index| archive.by_index_raw(index).map_or(0, |entry| entry.size()));
    let claimed = sizes.fold(0u64, u64::saturating_add);
    if claimed <= MAX_UNPACKED {
        return Ok(());
    }
    let message = format!("the document unpacks to {claimed} bytes; at most {MAX_UNPACKED} are allowed");
    Err(Fault::permanent(code::WF2111, message))
}

/// One part as text, counted while it is unpacked: the size in its header is a claim.
fn part(archive: &mut ZipArchive<impl Read + Seek>, name: &str, room: &mut u64) -> Result<String, Fault> {
    let mut entry = archive.by_name(name).map_err(|error| damaged("a part of it cannot be read").context(error))?;
    let by_ratio = entry.compressed_size().saturating_mul(MAX_RATIO).max(RATIO_COUNTS_FROM);
    let limit = by_ratio.min(*room);
    let mut bytes = Vec::new();
    let read = entry.by_ref().take(limit + 1).read_to_end(&mut bytes);
    let unpacked = read.map_err(|error| damaged("a part of it cannot be unpacked").context(error))? as u64;
    if unpacked > limit {
        let message = format!("the document unpacks to more than {limit} bytes from {}", entry.compressed_size());
        return Err(Fault::permanent(code::WF2111, message));
    }
    *room -= unpacked;
    Ok(decoded(&bytes))
}

fn decoded(bytes: &[u8]) -> String {
    let wide = |pair: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|unit| pair([unit[0], unit[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Text as it grows while parts are read.
#[derive(Default)]
struct Text {
    out: String,
    /// Inside a `t` element, whose characters are the text.
    in_text: bool,
    /// Open tables: in one, a paragraph does not end the line, its cell and row do.
    tables: usize,
    /// Open elements whose content is said elsewhere already: fallbacks, text moved away.
    muted: usize,
}

impl Text {
    fn add(&mut self, xml: &str) -> Result<(), Fault> {
        let mut reader = quick_xml::Reader::from_str(xml);
        loop {
            match reader.read_event().map_err(|error| damaged("its XML is broken").context(error))? {
                Event::Start(element) if self.muted > 0 || is_muted(&element) => self.muted += 1,
                Event::End(_) if self.muted > 0 => self.muted -= 1,
                Event::DocType(_) => return Err(declares("a document type")),
                Event::Eof => break,
                _ if self.muted > 0 => {}
                Event::Start(element) => self.open(&element),
                Event::Empty(element) => {
                    self.open(&element);
                    self.close(element.local_name().as_ref());
                }
                Event::End(element) => self.close(element.local_name().as_ref()),
                Event::Text(text) if self.in_text => self.out.push_str(&text.xml10_content()),
                Event::CData(text) if self.in_text => self.out.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = character(&reference)?;
                    if self.in_text {
                        self.out.push(character);
                    }
                }
                _ => {}
            }
        }
        (self.in_text, self.tables, self.muted) = (false, 0, 0);
        self.end_line();
        Ok(())
    }

    fn open(&mut self, element: &BytesStart) {
        match element.local_name().as_ref() {
            "t" => self.in_text = true,
            "tab" if !is_definition(element) => self.out.push('\t'),
            "br" | "cr" => self.out.push('\n'),
            "noBreakHyphen" => self.out.push('-'),
            "tbl" => self.tables += 1,
            "footnoteReference" | "endnoteReference" | "footnoteRef" | "endnoteRef" => self.separate(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "p" if self.tables == 0 => self.out.push('\n'),
            "p" => self.separate(),
            "tc" => {
                self.trim_blank();
                self.out.push('\t');
            }
            "tr" => {
                self.trim_blank();
                if self.out.ends_with('\t') {
                    self.out.pop();
                }
                self.out.push('\n');
            }
            "tbl" => self.tables = self.tables.saturating_sub(1),
            _ => {}
        }
    }

    fn separate(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(char::is_whitespace) {
            self.out.push(' ');
        }
    }

    fn trim_blank(&mut self) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
    }

    fn end_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn finish(self) -> String {
        let lines: Vec<_> = self.out.lines().map(str::trim_end).collect();
        lines.join("\n").trim_matches('\n').to_owned()
    }
}

/// `Fallback` repeats in older form what stands beside it; text that was moved away stands at its new place.
fn is_muted(element: &BytesStart) -> bool {
    matches!(element.local_name().as_ref(), "Fallback" | "moveFrom" | "instrText" | "delText")
}

/// In a paragraph's properties `tab` declares a stop (it has a place); in a run it is a character.
fn is_definition(element: &BytesStart) -> bool {
    element.attributes().flatten().any(|attribute| attribute.key.local_name().as_ref() == "pos")
}

fn character(reference: &BytesRef) -> Result<char, Fault> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| declares("a character that is none"))? {
        return Ok(character);
    }
    match reference.xml10_content().as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(declares("an entity of its own")),
    }
}

fn damaged(why: &str) -> Fault {
    Fault::permanent(code::WF2108, format!("the Word document is damaged: {why}"))
}

fn declares(what: &str) -> Fault {
    Fault::permanent(code::WF2112, format!("the Word document declares or uses {what}, which none needs"))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn docx(parts: &[(&str, &str)]) -> Cursor<Vec<u8>> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("in memory");
            writer.write_all(content.as_bytes()).expect("in memory");
        }
        writer.finish().expect("in memory")
    }

    fn text_of(body: &str) -> Result<String, Fault> {
        let body = format!("<w:document xmlns:w='w'><w:body>{body}</w:body></w:document>");
        read(docx(&[("word/document.xml", &body)])).map(|docx| docx.text)
    }

    #[test]
    fn paragraphs_tabs_breaks_and_tables_keep_their_shape() {
        let p = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
        assert_eq!(
            text_of(&format!("{}{}", p("Grüße &amp; K&#252;sse"), p("zwei"))).ok().as_deref(),
            Some("Grüße & Küsse\nzwei")
        );
        let run = "<w:p><w:pPr><w:tabs><w:tab w:pos='720'/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/></w:r></w:p>";
        assert_eq!(text_of(run).ok().as_deref(), Some("a\tb\nc-"));
        let cell = |text: &str| format!("<w:tc>{}</w:tc>", p(text));
        let table =
            format!("<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>", cell("a"), cell("b"), cell(""), cell("d"));
        assert_eq!(text_of(&format!("{table}{}", p("after"))).ok().as_deref(), Some("a\tb\n\td\nafter"));
    }

    #[test]
    fn what_is_deleted_or_said_twice_is_left_out() {
        let body = "<w:p><w:r><w:delText>gone</w:delText></w:r><w:r><w:t>new</w:t></w:r>\
            <mc:Fallback xmlns:mc='m'><w:r><w:t>again</w:t></w:r></mc:Fallback></w:p>";
        assert_eq!(text_of(body).ok().as_deref(), Some("new"));
    }

    #[test]
    fn notes_come_after_the_body() {
        let body = "<d><p><r><t>Ouch</t><footnoteReference/><t>.</t></r></p></d>";
        let notes = "<f><footnote><p><r><footnoteRef/><t>It hurt</t></r></p></footnote></f>";
        let content = docx(&[("word/document.xml", body), ("word/footnotes.xml", notes)]);
        assert_eq!(read(content).map(|docx| docx.text).ok().as_deref(), Some("Ouch .\nIt hurt"));
    }

    #[test]
    fn entities_of_its_own_are_refused() {
        let bomb = "<!DOCTYPE d [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><d><t>&b;</t></d>";
        assert_eq!(read(docx(&[("word/document.xml", bomb)])).expect_err("a bomb").code, code::WF2112);
        assert_eq!(text_of("<w:p><w:t>&b;</w:t></w:p>").expect_err("undeclared").code, code::WF2112);
    }

    #[test]
    fn a_bomb_is_counted_while_it_unpacks() {
        let body = format!("<d>{}</d>", " ".repeat(4 * 1024 * 1024));
        assert_eq!(read(docx(&[("word/document.xml", &body)])).expect_err("a bomb").code, code::WF2111);
    }

    #[test]
    fn broken_documents_are_damaged() {
        for parts in [&[("word/document.xml", "<d><p></d>")][..], &[("word/other.xml", "<d/>")]] {
            assert_eq!(read(docx(parts)).expect_err("broken").code, code::WF2108);
        }
        assert_eq!(read(Cursor::new(b"PK\x03\x04 not an archive".to_vec())).expect_err("broken").code, code::WF2108);
    }
}
