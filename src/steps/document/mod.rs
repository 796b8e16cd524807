//! Documents: taking them in, reading their text, saying what is in it, keeping and finding it.
//!
//! A document flows between steps as a small value (name, size, digest, type); its bytes stay in the blob store.
//! What a document is, its content decides, never its name. Bytes from outside are decoded under limits, or by
//! a child process. Start reading at [`upload`], then [`ocr`], [`analyze`], [`store`], [`search`].

pub mod analysis;
pub mod analyze;
pub mod docx;
pub mod entities;
mod header;
mod languages;
mod layer;
pub mod ocr;
mod page;
mod pdf;
mod picture;
mod reader;
mod resolution;
pub mod search;
mod skew;
pub mod store;
mod tesseract;
pub mod upload;
pub mod value;
