//! The mood of a German sentence by our own lexicon: weights, negation, strengthening words, `aber`.
//!
//! The scale and the formula that maps a sum to -1..1 are those of VADER, so that both languages compare.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What one strengthening word adds to the weight beside it, as in VADER.
const STEP: f64 = 0.293;
/// A negated word counts the other way, a little weaker.
const NEGATED: f64 = -0.74;
/// How many words a negation reaches.
const REACH: usize = 3;
const INFLECTIONS: &[&str] = &["en", "er", "es", "em", "e", "n", "s"];
const COMPARISONS: &[&str] = &["est", "er", "st"];

/// What a word of the lexicon does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Entry {
    /// An adjective or noun with this weight: found with its endings.
    Inflected(f64),
    /// A word with this weight, found as it is.
    Exact(f64),
    /// A verb form with this weight; its negation may follow it.
    Verb(f64),
    /// Strengthens or weakens the word after it by so many steps.
    Degree(f64),
    /// Turns the words near it.
    Negation,
}

/// The lexicon.
#[derive(Debug)]
pub struct German {
    words: HashMap<String, Entry>,
    phrases: Vec<(String, f64)>,
}

static LEXICON: LazyLock<German> = LazyLock::new(|| German::read(include_str!("sentiment_de.tsv")));

impl German {
    /// The lexicon that this program brings.
    pub fn lexicon() -> &'static Self {
        &LEXICON
    }

    /// Reads `class <tab> weight <tab> words`; a phrase has its words joined by `_`.
    fn read(text: &str) -> Self {
        let mut lexicon = Self { words: HashMap::new(), phrases: Vec::new() };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let (Some(class), Some(weight), Some(words)) = (columns.next(), columns.next(), columns.next()) else {
                continue;
            };
            let weight: f64 = weight.parse().unwrap_or(0.0);
            for word in words.split(' ').map(fold) {
                match class {
                    "phrase" => lexicon.phrases.push((word.replace('_', " "), weight)),
                    "word" => drop(lexicon.words.insert(word, Entry::Inflected(weight))),
                    "exact" => drop(lexicon.words.insert(word, Entry::Exact(weight))),
                    "verb" => drop(lexicon.words.insert(word, Entry::Verb(weight))),
                    "degree" => drop(lexicon.words.insert(word, Entry::Degree(weight))),
                    _ => drop(lexicon.words.insert(word, Entry::Negation)),
                }
            }
        }
        lexicon
    }

    /// The mood of a sentence, from -1 to 1.
    pub fn score(&self, sentence: &str) -> f64 {
        let tokens: Vec<String> =
            sentence.split(|c: char| !c.is_alphanumeric()).filter(|t| !t.is_empty()).map(fold).collect();
        let joined = format!(" {} ", tokens.join(" "));
        let mut text = joined.clone();
        let mut sum = 0.0;
        for (phrase, weight) in self.phrases.iter().filter(|(phrase, _)| joined.contains(&format!(" {phrase} "))) {
            sum += weight;
            text = text.replace(&format!(" {phrase} "), " ");
        }
        let tokens: Vec<&str> = text.split_whitespace().collect();
        let entries: Vec<Option<Entry>> = tokens.iter().map(|token| self.entry(token)).collect();
        let but = tokens.iter().rposition(|token| matches!(*token, "aber" | "jedoch" | "allerdings" | "trotzdem"));
        for (place, weight) in weights(&entries) {
            let emphasis = match but {
                Some(but) if place < but => 0.5,
                Some(_) => 1.5,
                None => 1.0,
            };
            sum += weight * emphasis;
        }
        if sum != 0.0 {
            let calls = sentence.matches('!').count().min(3);
            sum += STEP * f64::from(u8::try_from(calls).unwrap_or(3)) * sum.signum();
        }
        sum / (sum * sum + 15.0).sqrt()
    }

    fn entry(&self, token: &str) -> Option<Entry> {
        if let Some(&entry) = self.words.get(token) {
            return Some(entry);
        }
        let inflected = |stem: &str| match self.words.get(stem) {
            Some(&entry @ Entry::Inflected(_)) => Some(entry),
            _ => None,
        };
        let stems: Vec<&str> = INFLECTIONS.iter().filter_map(|ending| stem(token, ending)).collect();
        let compared = || {
            let of = stems.iter().copied().chain([token]);
            of.flat_map(|stem_| COMPARISONS.iter().filter_map(move |ending| stem(stem_, ending))).find_map(inflected)
        };
        stems.iter().copied().find_map(inflected).or_else(compared)
    }
}

/// The weight of each weighty word, after what stands around it.
fn weights(entries: &[Option<Entry>]) -> impl Iterator<Item = (usize, f64)> + '_ {
    entries.iter().enumerate().filter_map(|(place, entry)| {
        let (mut weight, is_verb) = match entry {
            Some(Entry::Inflected(weight) | Entry::Exact(weight)) => (*weight, false),
            Some(Entry::Verb(weight)) => (*weight, true),
            _ => return None,
        };
        let before = &entries[place.saturating_sub(REACH)..place];
        if let Some(Some(Entry::Degree(steps))) = before.last() {
            weight += steps * STEP * weight.signum();
        }
        let after = &entries[place + 1..entries.len().min(place + 2 + REACH)];
        let is_negation = |entry: &Option<Entry>| *entry == Some(Entry::Negation);
        let negations = before.iter().filter(|entry| is_negation(entry)).count()
            + usize::from(is_verb && after.iter().any(is_negation));
        Some((place, if negations % 2 == 1 { weight * NEGATED } else { weight }))
    })
}

fn stem<'t>(token: &'t str, ending: &str) -> Option<&'t str> {
    token.strip_suffix(ending).filter(|stem| stem.len() >= 3)
}

/// One spelling of a word: lower case, `ss` for `ß`.
fn fold(word: &str) -> String {
    word.to_lowercase().replace('ß', "ss")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lexicon_is_large_and_names_no_word_twice() {
        let text = include_str!("sentiment_de.tsv");
        let mut words: Vec<String> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 3, "{line}");
            assert!(columns[1].parse::<f64>().is_ok_and(|weight| weight.abs() <= 4.0), "{line}");
            words.extend(columns[2].split(' ').map(fold));
        }
        let all = words.len();
        words.sort_unstable();
        let twice: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect();
        assert_eq!(twice, Vec::<String>::new());
        assert!(all > 500, "{all}");
    }

    #[test]
    fn endings_negation_and_degree_move_the_score() {
        let score = |text: &str| German::lexicon().score(text);
        assert!(score("die schönsten Tage") > 0.3);
        assert!(score("ein sehr guter Tag") > score("ein guter Tag"));
        assert!(score("ein etwas guter Tag") < score("ein guter Tag"));
        assert!(score("kein guter Tag") < 0.0);
        assert!(score("Ich empfehle das nicht") < 0.0);
        assert!(score("Das Zimmer war schön, aber das Essen war schlecht") < 0.0);
        assert!(score("lässt zu wünschen übrig") < 0.0);
        assert!(score("Netto 14 Tage") == 0.0);
    }
}
