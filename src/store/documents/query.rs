//! What people type, as a full-text query. Everything they type is words: no sign of theirs has a meaning.

/// More words than this are a text, not a question.
const MOST_WORDS: usize = 32;
/// Words this long also find longer words that begin with them (`Rechnung`: `Rechnungsnummer`).
const PREFIX_FROM: usize = 3;

/// A query in the notation of the full-text index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Finds documents with all words.
    pub all: String,
    /// Finds documents with any of them.
    pub any: String,
}

impl Query {
    /// The query for these words; `None` when there is no word among them.
    pub fn of(text: &str) -> Option<Self> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let terms: Vec<String> = words.take(MOST_WORDS).map(|word| term(&word.to_lowercase())).collect();
        (!terms.is_empty()).then(|| Self { all: terms.join(" AND "), any: terms.join(" OR ") })
    }
}

/// One word: as it is, as a beginning, and in the other spelling of its umlauts. A whole word counts twice, as
/// itself and as a beginning, and so ranks first.
fn term(word: &str) -> String {
    let mut spellings = vec![word.to_owned()];
    for (from, to) in
        [(["ä", "ö", "ü", "ß"], ["ae", "oe", "ue", "ss"]), (["ae", "oe", "ue", "ss"], ["ä", "ö", "ü", "ß"])]
    {
        let other = from.iter().zip(to).fold(word.to_owned(), |word, (from, to)| word.replace(from, to));
        if other != word {
            spellings.push(other);
        }
    }
    let mut parts = Vec::new();
    for spelling in &spellings {
        parts.push(format!("\"{spelling}\""));
        if spelling.chars().count() >= PREFIX_FROM {
            parts.push(format!("\"{spelling}\" *"));
        }
    }
    format!("({})", parts.join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_no_syntax_and_words_are_quoted() {
        let any = |text: &str| Query::of(text).map(|query| query.any);
        assert_eq!(any("AB"), Some("(\"ab\")".to_owned()));
        assert_eq!(any("AND"), Some("(\"and\" OR \"and\" *)".to_owned()));
        assert_eq!(any("a\" -b*"), Some("(\"a\") OR (\"b\")".to_owned()));
        assert_eq!(any("Größe").as_deref(), Some("(\"größe\" OR \"größe\" * OR \"groesse\" OR \"groesse\" *)"));
        assert_eq!(any(" \"-*() "), None);
        assert_eq!(Query::of(&"wort ".repeat(100)).map(|query| query.all.matches("AND").count()), Some(31));
    }
}
