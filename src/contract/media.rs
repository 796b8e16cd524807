//! What a file is, by its content. The name is never asked.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// How much of the beginning is looked at.
const HEAD: u64 = 4096;
/// A PDF header may stand behind a little junk; readers accept it within the first kilobyte.
const PDF_HEADER_WITHIN: usize = 1024;

/// A type of content. Written as its short word: `pdf`, `jpg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// PDF.
    Pdf,
    /// Word, since 2007.
    Docx,
    /// Excel, since 2007.
    Xlsx,
    /// PowerPoint, since 2007.
    Pptx,
    /// Word, Excel or PowerPoint before 2007.
    Doc,
    /// Rich text.
    Rtf,
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
    /// TIFF, one or many frames.
    Tiff,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// An archive that is none of the above.
    Zip,
    /// A web page.
    Html,
    /// XML that is none of the above.
    Xml,
    /// Readable text.
    Text,
    /// No content at all.
    Empty,
    /// None of these.
    Unknown,
}

/// Type, its word, its media type, and other words for it (in names and in configs).
const WORDS: &[(Kind, &str, &str, &[&str])] = &[
    (Kind::Pdf, "pdf", "application/pdf", &[]),
    (Kind::Docx, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", &[]),
    (Kind::Xlsx, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &[]),
    (Kind::Pptx, "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", &[]),
    (Kind::Doc, "doc", "application/msword", &["xls", "ppt"]),
    (Kind::Rtf, "rtf", "application/rtf", &[]),
    (Kind::Jpg, "jpg", "image/jpeg", &["jpeg", "jpe", "jfif"]),
    (Kind::Png, "png", "image/png", &[]),
    (Kind::Tiff, "tiff", "image/tiff", &["tif"]),
    (Kind::Gif, "gif", "image/gif", &[]),
    (Kind::Webp, "webp", "image/webp", &[]),
    (Kind::Zip, "zip", "application/zip", &[]),
    (Kind::Html, "html", "text/html", &["htm", "xhtml"]),
    (Kind::Xml, "xml", "application/xml", &["svg"]),
    (Kind::Text, "text", "text/plain", &["txt", "md", "csv", "log"]),
    (Kind::Empty, "empty", "application/x-empty", &[]),
    (Kind::Unknown, "unknown", "application/octet-stream", &[]),
];

impl Kind {
    /// The type of this content.
    ///
    /// # Errors
    /// The content could not be read.
    pub fn of(content: &mut (impl Read + Seek)) -> io::Result<Self> {
        content.seek(SeekFrom::Start(0))?;
        let mut head = Vec::new();
        content.by_ref().take(HEAD).read_to_end(&mut head)?;
        Ok(match of_head(&head) {
            Self::Zip => of_archive(content),
            kind => kind,
        })
    }

    /// The type that this word means: `pdf`, `JPEG`, `.tif`, `image/png`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().trim_start_matches('.').to_ascii_lowercase();
        WORDS
            .iter()
            .find(|(_, name, media, others)| word == *name || word == *media || others.contains(&word.as_str()))
            .map(|&(kind, ..)| kind)
    }

    /// The type that a file of this name claims to be.
    #[must_use]
    pub fn claimed_by(name: &str) -> Option<Self> {
        name.rsplit_once('.').and_then(|(_, extension)| Self::from_word(extension))
    }

    /// Its short word.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().1
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        self.row().2
    }

    /// A picture that we can decode.
    #[must_use]
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Jpg | Self::Png | Self::Tiff)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static [&'static str]) {
        WORDS.iter().find(|(kind, ..)| *kind == self).unwrap_or(&WORDS[WORDS.len() - 1])
    }
}

fn of_head(head: &[u8]) -> Kind {
    const MAGIC: &[(&[u8], Kind)] = &[
        (b"\x89PNG\r\n\x1a\n", Kind::Png),
        (b"\xff\xd8\xff", Kind::Jpg),
        (b"II*\0", Kind::Tiff),
        (b"MM\0*", Kind::Tiff),
        (b"GIF87a", Kind::Gif),
        (b"GIF89a", Kind::Gif),
        (b"PK\x03\x04", Kind::Zip),
        (b"PK\x05\x06", Kind::Zip),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Doc),
        (b"{\\rtf", Kind::Rtf),
    ];
    if head.is_empty() {
        return Kind::Empty;
    }
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return *kind;
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Kind::Webp;
    }
    let front = &head[..head.len().min(PDF_HEADER_WITHIN)];
    if front.windows(5).any(|window| window == b"%PDF-") {
        return Kind::Pdf;
    }
    of_text(head)
}

fn of_text(head: &[u8]) -> Kind {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Kind::Text; // UTF-16 with its mark
    }
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    // The last character may be cut in two by the end of the head.
    let readable = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && head.len() - error.valid_up_to() < 4,
    };
    if !readable || head.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31)) {
        return Kind::Unknown;
    }
    let start = String::from_utf8_lossy(&head[..head.len().min(512)]).trim_start().to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        Kind::Html
    } else if start.starts_with("<?xml") || start.starts_with("<svg") {
        if start.contains("<html") { Kind::Html } else { Kind::Xml }
    } else {
        Kind::Text
    }
}

/// Office files are archives with a folder of a known name. One that cannot be listed stays a plain archive.
fn of_archive(content: &mut (impl Read + Seek)) -> Kind {
    let Ok(archive) = zip::ZipArchive::new(content) else { return Kind::Zip };
    let kind_of = |name: &[u8]| match name {
        _ if name.starts_with(b"word/") => Some(Kind::Docx),
        _ if name.starts_with(b"xl/") => Some(Kind::Xlsx),
        _ if name.starts_with(b"ppt/") => Some(Kind::Pptx),
        _ => None,
    };
    archive.file_names_raw().find_map(kind_of).unwrap_or(Kind::Zip)
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| {
            let known: Vec<_> = WORDS.iter().map(|row| row.1).collect();
            de::Error::custom(format!("unknown file type `{word}`, expected one of {}", known.join(", ")))
        })
    }
}

impl JsonSchema for Kind {
    fn schema_name() -> Cow<'static, str> {
        "FileType".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = WORDS.iter().flat_map(|row| std::iter::once(row.1).chain(row.3.iter().copied())).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn sniff(bytes: &[u8]) -> Kind {
        Kind::of(&mut Cursor::new(bytes)).expect("reading from memory cannot fail")
    }

    fn archive(names: &[&str]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("in memory");
            writer.write_all(b"x").expect("in memory");
        }
        writer.finish().expect("in memory").into_inner()
    }

    #[test]
    fn content_decides_what_a_file_is() {
        for (bytes, kind) in [
            (&b"%PDF-1.7\n"[..], Kind::Pdf),
            (b"\n\njunk %PDF-1.4", Kind::Pdf),
            (b"\x89PNG\r\n\x1a\n%PDF-1.4", Kind::Png),
            (b"\xff\xd8\xff\xe0", Kind::Jpg),
            (b"II*\0", Kind::Tiff),
            (b"MM\0*", Kind::Tiff),
            (b"GIF89a", Kind::Gif),
            (b"RIFF\0\0\0\0WEBP", Kind::Webp),
            (b"  <!DOCTYPE html><p>", Kind::Html),
            (b"<?xml version='1.0'?><a/>", Kind::Xml),
            ("Grüße".as_bytes(), Kind::Text),
            (b"", Kind::Empty),
            (b"\x7fELF\x02\x01", Kind::Unknown),
            (b"PK\x03\x04 broken", Kind::Zip),
        ] {
            assert_eq!(sniff(bytes), kind, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn an_archive_is_what_it_holds() {
        assert_eq!(sniff(&archive(&["[Content_Types].xml", "word/document.xml"])), Kind::Docx);
        assert_eq!(sniff(&archive(&["xl/workbook.xml"])), Kind::Xlsx);
        assert_eq!(sniff(&archive(&["password.txt"])), Kind::Zip);
    }

    #[test]
    fn jpg_and_jpeg_are_one_word() {
        assert_eq!(Kind::from_word("jpg"), Kind::from_word("JPEG"));
        assert_eq!(Kind::claimed_by("Scan 1.2.TIF"), Some(Kind::Tiff));
        assert_eq!(Kind::claimed_by("no extension"), None);
        assert!(serde_json::from_str::<Kind>("\"pfd\"").is_err());
    }
}
