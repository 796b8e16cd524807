//! A text cut into overlapping chunks at natural borders: what one vector stands for.

use text_splitter::{ChunkConfig, TextSplitter};

/// A chunk has at most this many characters.
pub const SIZE: usize = 800;
/// A chunk repeats up to this many characters of the one before, so that a sentence on the border is in one of them.
pub const OVERLAP: usize = 100;

/// A chunk of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'t> {
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// Its text, without the space around it.
    pub text: &'t str,
}

/// The chunks of a text, in order. An empty text has none.
pub fn split(text: &str) -> impl Iterator<Item = Chunk<'_>> {
    let config = ChunkConfig::new(SIZE).with_overlap(OVERLAP).expect("the overlap is smaller than the chunk");
    let chunks: Vec<_> = TextSplitter::new(config).chunk_indices(text).collect();
    chunks.into_iter().map(|(start, text)| Chunk { start, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_small_cover_everything_and_overlap() {
        let text = "Ein Satz über Größe und Maß. ".repeat(200);
        let chunks: Vec<_> = split(&text).collect();
        assert!(chunks.len() > 5);
        let mut covered = 0;
        for chunk in &chunks {
            assert!(chunk.text.chars().count() <= SIZE);
            assert_eq!(&text[chunk.start..chunk.start + chunk.text.len()], chunk.text);
            assert!(chunk.start <= covered + 1, "nothing but space lies between two chunks");
            covered = chunk.start + chunk.text.len();
        }
        assert!(chunks.windows(2).any(|pair| pair[1].start < pair[0].start + pair[0].text.len()));
        assert_eq!(covered, text.trim_end().len());
        assert_eq!(split(" \n ").count(), 0);
    }
}
