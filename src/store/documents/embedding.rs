//! Vectors for texts. The built-in model compares spelling, not meaning.
//!
//! `hash` is *lexical similarity, not semantic*: words, pairs of words and letter groups of words are hashed into 512
//! places. It finds inflected, compounded and misread words (`Rechnung`, `Rechnungen`, `Rechnurg`), in any language,
//! with no model file; it knows no synonyms. Vectors of two models are never compared.

/// Which model made a vector. Only vectors of equal models are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// Who computes it.
    pub provider: &'static str,
    /// Which model of theirs, with its version.
    pub model: &'static str,
    /// How many numbers a vector has.
    pub dims: usize,
}

/// The model that this program brings. A change of what it computes is a new name.
pub const HASH: Model = Model { provider: "hash", model: "words-and-letters-1", dims: 512 };

/// Letters of the groups that stand for a word's spelling.
const GROUP: usize = 4;
/// How much a whole word, a pair of words, and all letter groups of a word together weigh.
const WEIGHTS: [f32; 3] = [0.7, 0.5, 1.0];

/// The vector of a text by [`HASH`], of length 1; all zeros for a text without a word.
#[must_use]
pub fn embed(text: &str) -> Vec<f32> {
    let words: Vec<String> = words(text).collect();
    let mut vector = vec![0.0f32; HASH.dims];
    for word in &words {
        // Short words are grammar more often than not.
        let weight = if word.chars().count() <= 3 { 0.4 } else { 1.0 };
        add(&mut vector, &["w", word], WEIGHTS[0] * weight);
        let marked: Vec<char> = std::iter::once('<').chain(word.chars()).chain(std::iter::once('>')).collect();
        let groups = marked.len().saturating_sub(GROUP - 1).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a word has few letters")]
        let share = WEIGHTS[2] * weight / (groups as f32).sqrt();
        for group in marked.windows(GROUP.min(marked.len())) {
            add(&mut vector, &["g", &group.iter().collect::<String>()], share);
        }
    }
    for pair in words.windows(2) {
        add(&mut vector, &["p", &pair[0], &pair[1]], WEIGHTS[1]);
    }
    normalise(&mut vector);
    vector
}

/// How alike two vectors of one model are, -1 to 1.
#[must_use]
pub fn likeness(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A vector as bytes, little end first.
#[must_use]
pub fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The vector in these bytes; `None` when their number is not that of `dims` numbers.
#[must_use]
pub fn from_bytes(bytes: &[u8], dims: usize) -> Option<Vec<f32>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    (rest.is_empty() && numbers.len() == dims).then(|| numbers.iter().map(|&b| f32::from_le_bytes(b)).collect())
}

/// Words in one spelling: lower case, no accents on the letters that German and French use, `ss` for `ß`.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| {
        let mut folded = String::with_capacity(word.len());
        for c in word.chars().flat_map(char::to_lowercase) {
            match c {
                'ä' | 'à' | 'â' | 'á' => folded.push('a'),
                'ö' | 'ô' | 'ó' => folded.push('o'),
                'ü' | 'û' | 'ù' | 'ú' => folded.push('u'),
                'é' | 'è' | 'ê' | 'ë' => folded.push('e'),
                'î' | 'ï' | 'í' => folded.push('i'),
                'ç' => folded.push('c'),
                'ß' => folded.push_str("ss"),
                other => folded.push(other),
            }
        }
        folded
    })
}

/// Adds a feature: its hash says where, and with which sign, so that clashes cancel rather than add up.
fn add(vector: &mut [f32], feature: &[&str], weight: f32) {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325; // FNV-1a: fixed for ever, unlike the standard hasher
    for byte in feature.iter().flat_map(|part| part.bytes().chain(std::iter::once(0xff))) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 32; // its upper half is mixed better than its lower
    let place = usize::try_from(hash % vector.len() as u64).unwrap_or(0);
    vector[place] += if hash >> 31 & 1 == 0 { weight } else { -weight };
}

fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_spellings_are_near_and_others_are_not() {
        let like = |a: &str, b: &str| likeness(&embed(a), &embed(b));
        assert!((like("Rechnung über Größe", "Rechnung über Größe") - 1.0).abs() < 1e-5);
        assert!(like("Rechnung", "Rechnungen") > 0.4);
        assert!(like("Rechnung", "Rechnurg") > 0.25);
        assert!(like("Rechnung", "Elefant").abs() < 0.2);
        assert!(like("Straße Größe", "STRASSE GROSSE") > 0.9);
    }

    #[test]
    fn a_vector_has_length_one_and_reads_back_from_its_bytes() {
        let vector = embed("ein Text mit Wörtern 471102");
        assert_eq!(vector.len(), HASH.dims);
        assert!((likeness(&vector, &vector) - 1.0).abs() < 1e-5);
        assert_eq!(from_bytes(&to_bytes(&vector), HASH.dims), Some(vector.clone()));
        assert_eq!(from_bytes(&to_bytes(&vector)[..7], HASH.dims), None);
        assert_eq!(embed(" … "), vec![0.0; HASH.dims]);
    }

    /// What is stored today must be comparable tomorrow: this vector may only change together with the model's name.
    #[test]
    fn the_model_computes_what_it_always_computed() {
        let vector = embed("Rechnung 471102");
        let places: Vec<_> = vector.iter().enumerate().filter(|(_, v)| v.abs() > 0.3).map(|(at, _)| at).collect();
        assert_eq!(places, [178, 334]);
    }
}
