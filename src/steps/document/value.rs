//! The document as it flows between steps: a small value that names a stored content.

use serde::{Deserialize, Serialize};

use crate::contract::blob::{BlobError, Digest};
use crate::contract::media::Kind;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::FileId;

/// A document: what it is called, and where its bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The uploaded file that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_id: Option<FileId>,
    /// What to call it in front of people. Never a path.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// The address of its bytes in the blob store.
    pub sha256: Digest,
    /// What its content is.
    #[serde(rename = "type")]
    pub kind: Kind,
}

impl Document {
    /// The document on a step's port.
    ///
    /// # Errors
    /// `WF2101` when there is none, `WF2005` when the value is not a document.
    pub fn from_port(value: Option<&serde_json::Value>) -> Result<Self, Fault> {
        let value = value.ok_or_else(|| Fault::permanent(code::WF2101, "no document was given to read"))?;
        Self::deserialize(value).map_err(|error| {
            Fault::permanent(code::WF2005, format!("the value on port `document` is not a document: {error}"))
                .fix("bind the port to the `document` of an `upload` step")
        })
    }
}

/// The trouble with stored content as a fault of the step that wanted it.
#[must_use]
pub fn blob_fault(error: &BlobError) -> Fault {
    match error {
        BlobError::Missing(_) => Fault::permanent(code::WF2102, error.to_string()),
        BlobError::TooLarge { .. } => Fault::permanent(code::WF2103, error.to_string()),
        BlobError::Io { source, .. } => {
            Fault::transient(code::WF2113, "the content of the document could not be read or kept").context(source)
        }
    }
}

/// A name that is safe to show: no path, no control or direction-changing characters, at most 200 characters.
#[must_use]
pub fn display_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_sly = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let clean: String = last.chars().map(|c| if is_sly(c) { '\u{fffd}' } else { c }).take(200).collect();
    if clean.trim().is_empty() { "unnamed".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_name_has_no_path_and_no_tricks() {
        assert_eq!(display_name("../../etc/passwd"), "passwd");
        assert_eq!(display_name("C:\\x\\Rechnung März.pdf"), "Rechnung März.pdf");
        assert_eq!(display_name("a\u{202e}fdp.exe\n"), "a\u{fffd}fdp.exe\u{fffd}");
        assert_eq!(display_name("dir/"), "unnamed");
        assert_eq!(display_name(&"x".repeat(300)).len(), 200);
    }
}
