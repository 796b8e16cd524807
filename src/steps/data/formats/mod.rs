//! Tables as they come: text in some format becomes rows, and nothing in them is guessed.

pub mod delimited;
pub mod exact;
pub mod lists;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::code;
use crate::domain::fault::Fault;

/// A row: column to value.
pub type Row = Map<String, Value>;

/// How a table is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One list of objects, or an object that holds one.
    Json,
    /// One object a line.
    Jsonl,
    /// Separated by a comma, or what `delimiter` says; each cell is text.
    Csv,
}

impl Format {
    /// The format that the end of a file name promises.
    #[must_use]
    pub fn named_by(name: &str) -> Option<Self> {
        let (_, end) = name.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" | "tsv" | "tab" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// Rows that were read, and what people should know about it.
#[derive(Debug, Default, PartialEq)]
pub struct Table {
    /// The rows.
    pub rows: Vec<Row>,
    /// What people should know.
    pub warnings: Vec<String>,
}

/// Bytes as text: by their byte order mark, else in this encoding, else UTF-8.
///
/// # Errors
/// `WF2403` when the bytes are no such text, `WF2001` when there is no such encoding.
pub fn decode(bytes: &[u8], label: Option<&str>) -> Result<String, Fault> {
    let encoding = match label {
        Some(label) => encoding_rs::Encoding::for_label(label.trim().as_bytes())
            .ok_or_else(|| Fault::permanent(code::WF2001, format!("`encoding`: there is no encoding `{label}`")))?,
        None => encoding_rs::UTF_8,
    };
    let (text, found, malformed) = encoding.decode(bytes);
    if !malformed {
        return Ok(text.into_owned());
    }
    let line = match std::str::from_utf8(bytes) {
        Err(error) if found == encoding_rs::UTF_8 => {
            format!("line {}", 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count())
        }
        _ => "the text".to_owned(),
    };
    Err(Fault::permanent(code::WF2403, format!("{line} is not {}", found.name()))
        .fix("say how the text is encoded, as in `encoding: windows-1252`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_what_it_says_it_is() {
        assert_eq!(decode(b"\xef\xbb\xbfid", None).expect("text"), "id");
        assert_eq!(decode(b"\xff\xfei\0d\0", None).expect("text"), "id", "UTF-16 by its mark");
        assert_eq!(decode(b"Stra\xdfe", Some("latin1")).expect("text"), "Straße");
        let fault = decode(b"id\nStra\xdfe", None).expect_err("not UTF-8");
        assert_eq!((fault.code, fault.message.as_str()), (code::WF2403, "line 2 is not UTF-8"));
        assert_eq!(decode(b"x", Some("klingon")).expect_err("no such").code, code::WF2001);
    }
}
