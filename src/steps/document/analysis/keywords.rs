//! What a text is about: its most frequent telling words and phrases, in German and English.
//!
//! Words of grammar and forms are left out; neighbours that keep company become a phrase. In a language whose words
//! of grammar we do not know, there are no keywords: its `and` would lead the list.

use std::collections::{BTreeMap, BTreeSet};

const STOP_DE: &str = include_str!("stopwords_de.txt");
const STOP_EN: &str = include_str!("stopwords_en.txt");
/// Shorter words tell little.
const SHORTEST: usize = 4;
/// Longer ones are data.
const LONGEST: usize = 40;

#[derive(Default)]
struct Tally<'t> {
    count: u32,
    first: usize,
    capitalised: u32,
    written: &'t str,
}

/// At most `limit` keywords, the weightiest first; equal ones in order of place.
#[must_use]
pub fn find(text: &str, language: &str, limit: usize) -> Vec<String> {
    let stop: BTreeSet<&str> = match language {
        "deu" => STOP_DE.split_whitespace().collect(),
        "eng" => STOP_EN.split_whitespace().collect(),
        _ => return Vec::new(),
    };
    let mut words: BTreeMap<String, Tally<'_>> = BTreeMap::new();
    let mut pairs: BTreeMap<(String, String), Tally<'_>> = BTreeMap::new();
    let mut before: Option<(String, usize)> = None;
    for (start, word) in telling_words(text) {
        let lower = word.to_lowercase();
        let is_telling = is_telling(word) && !stop.contains(lower.as_str());
        if !is_telling {
            before = None;
            continue;
        }
        count(words.entry(lower.clone()).or_default(), start, word);
        let end = start + word.len();
        if let Some((first, first_start)) = before.take().filter(|(_, s)| is_adjacent(text, *s, start)) {
            count(pairs.entry((first, lower.clone())).or_default(), first_start, &text[first_start..end]);
        }
        before = Some((lower, start));
    }
    pick(words, pairs, limit)
}

/// Takes frequent pairs as phrases, drops words that stand almost only inside them, and ranks.
fn pick(
    mut words: BTreeMap<String, Tally<'_>>,
    pairs: BTreeMap<(String, String), Tally<'_>>,
    limit: usize,
) -> Vec<String> {
    let mut ranked: Vec<(f64, usize, String)> = Vec::new();
    for ((first, second), pair) in pairs.into_iter().filter(|(_, pair)| pair.count >= 2) {
        let is_name = |word: &String| words.get(word).is_some_and(|w| w.count <= pair.count + 1);
        if !is_name(&first) && !is_name(&second) {
            continue;
        }
        ranked.push((weight(&pair, 1.5), pair.first, one_line(pair.written)));
        for word in [first, second] {
            if let Some(tally) = words.get_mut(&word) {
                tally.count = tally.count.saturating_sub(pair.count);
            }
        }
    }
    let alone = words.into_values().filter(|word| word.count > 0);
    ranked.extend(alone.map(|word| (weight(&word, 1.0), word.first, word.written.to_owned())));
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut seen = BTreeSet::new();
    ranked.retain(|(.., text)| seen.insert(text.to_lowercase()));
    ranked.into_iter().take(limit).map(|(.., text)| text).collect()
}

/// Frequency, with a bonus for phrases, for words usually written with a capital, and for long ones.
fn weight(tally: &Tally<'_>, bonus: f64) -> f64 {
    let capitals = if tally.capitalised * 2 > tally.count { 1.3 } else { 1.0 };
    let length = f64::from(u32::try_from(tally.written.chars().count().min(20)).unwrap_or(20));
    f64::from(tally.count) * bonus * capitals * (1.0 + length / 20.0)
}

fn count<'t>(tally: &mut Tally<'t>, start: usize, written: &'t str) {
    if tally.count == 0 {
        (tally.first, tally.written) = (start, written);
    }
    tally.count += 1;
    tally.capitalised += u32::from(written.starts_with(char::is_uppercase));
}

/// Words with their place. What touches a digit, an `@` or a path is no word.
fn telling_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let base = text.as_ptr() as usize;
    text.split_whitespace().flat_map(move |chunk| {
        let is_data = chunk.contains(|c: char| c.is_ascii_digit() || "@/\\_".contains(c)) || chunk.contains("www.");
        let words = chunk.split(|c: char| !c.is_alphabetic() && c != '-').map(|word| word.trim_matches('-'));
        words.filter(move |word| !is_data && !word.is_empty()).map(move |word| (word.as_ptr() as usize - base, word))
    })
}

fn is_telling(word: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&word.chars().count())
}

/// Only one space lies between the word at `first` and the one at `second`.
fn is_adjacent(text: &str, first: usize, second: usize) -> bool {
    let between = text[first..second].trim_start_matches(|c: char| c.is_alphabetic() || c == '-');
    between == " "
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_words_and_phrases_lead_and_grammar_is_left_out() {
        let text = "The annual report of Muster Bank shows growth. Muster Bank expects more growth. \
                    The report was written by Muster Bank, and growth is growth.";
        let found = find(text, "eng", 3);
        assert_eq!(found, ["Muster Bank", "growth", "report"]);
        assert_eq!(find(text, "eng", 3), found);
        let german = "Die Versicherung zahlt den Schaden. Der Schaden wurde der Versicherung gemeldet, und die \
                      Versicherung hat bezahlt.";
        assert_eq!(find(german, "deu", 2), ["Versicherung", "Schaden"]);
        assert_eq!(find("le chat et le chien", "fra", 3), Vec::<String>::new());
    }
}
