//! Which language a text is written in, as its ISO 639-3 code; `unknown` where the text does not say.
//!
//! Two witnesses: the statistics of letter groups (`whatlang`), good on prose and sure of itself on forms without
//! reason; and the small words that only one language has, good on forms and short lines. The second can overrule
//! the first.

use std::collections::BTreeSet;

use whatlang::{Detector, Lang};

/// The code of a language that is not known.
pub const UNKNOWN: &str = "unknown";
/// Characters looked at: begin, middle and end of a long text, each this many bytes.
const SAMPLE: usize = 8_000;
/// Letters below which letter statistics say nothing.
const FEWEST_LETTERS: usize = 20;
/// Small words must be at least one of this many words.
const ONE_IN: usize = 33;
/// Words above which a text without a single small word of a language is not written in it.
const PROSE: usize = 12;

/// Languages of documents. The others that the statistics know are offered too often for what is not theirs.
const LANGUAGES: &[Lang] = &[
    Lang::Eng,
    Lang::Deu,
    Lang::Fra,
    Lang::Spa,
    Lang::Ita,
    Lang::Por,
    Lang::Nld,
    Lang::Swe,
    Lang::Dan,
    Lang::Nob,
    Lang::Fin,
    Lang::Pol,
    Lang::Ces,
    Lang::Slk,
    Lang::Hun,
    Lang::Ron,
    Lang::Hrv,
    Lang::Slv,
    Lang::Est,
    Lang::Lav,
    Lang::Lit,
    Lang::Tur,
    Lang::Ind,
    Lang::Vie,
    Lang::Rus,
    Lang::Ukr,
    Lang::Bul,
    Lang::Ell,
    Lang::Heb,
    Lang::Ara,
    Lang::Hin,
    Lang::Ben,
    Lang::Tha,
    Lang::Cmn,
    Lang::Jpn,
    Lang::Kor,
];

/// Words that stand in almost every text of a language, and in few of the others; and the words of its forms.
const SMALL_WORDS: &[(&str, &str)] = &[
    (
        "deu",
        "der die das und ist nicht mit für auf dem den des ein eine einen einem einer eines zu zum zur von vom bei wir \
         sie ihr ihre ihrer ihren ihnen ich auch sich wird werden wurde haben sind oder aber nach über aus durch wenn \
         dass daß wie noch nur kann können sehr bitte vielen dank war waren bis unter ohne gegen keine kein diese \
         dieser dieses im hatte unser unsere herr frau rechnung rechnungsnummer rechnungsdatum betrag datum menge mwst \
         ust lieferung bestellung gesamt summe nummer netto brutto umsatzsteuer zahlbar konto es nichts schon um am als hat findet montag dienstag mittwoch donnerstag freitag",
    ),
    (
        "eng",
        "the and of to is that for with you your this are from were have has been by it its our we they their would \
         can please thank thanks very which there these those invoice amount date tax due order payment number \
         description quantity price bill subtotal balance address shipping account he she his her but had all any i my",
    ),
    (
        "fra",
        "le la les et est une un dans pour que qui pas sur avec vous nous votre notre ce cette sont au aux par plus \
         être était très mais merci facture montant je il elle ne se son sa ses nom",
    ),
    (
        "spa",
        "el los las que y un una por con para es del su como más pero muy gracias factura importe fecha está fue son \
         nuestro usted lo al",
    ),
    (
        "ita",
        "il lo gli di che è per una con del della non sono questo molto ma grazie fattura importo nella alla dei le \
         un era stato nostro",
    ),
    ("por", "o os uma não para com que do da em um dos das mais muito obrigado fatura valor foi são seu sua por pelo"),
    (
        "nld",
        "de het een van niet met voor op zijn aan ook maar wij uw onze bij deze wordt naar factuur bedrag datum en \
         dat is te dank was",
    ),
];

/// A language and how sure the guess is, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Language {
    /// ISO 639-3, or `unknown`.
    pub code: String,
    /// How sure: 1 when somebody said so.
    pub confidence: f64,
}

impl Language {
    /// A language that somebody named, by its ISO 639-1 or 639-3 code.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        let lower = code.trim().to_lowercase();
        let long = match lower.as_str() {
            "de" | "ger" => "deu",
            "en" => "eng",
            "fr" | "fre" => "fra",
            "es" => "spa",
            "it" => "ita",
            "pt" => "por",
            "nl" | "dut" => "nld",
            other => other,
        };
        let is_code = long.len() == 3 && long.bytes().all(|b| b.is_ascii_lowercase());
        is_code.then(|| Self { code: long.to_owned(), confidence: 1.0 })
    }

    /// The language of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let sample = sample(text);
        let words: Vec<String> = words(&sample).collect();
        let votes = Votes::count(&words);
        let statistics = statistics(&words);
        let (code, confidence) = match (votes.winner(), statistics) {
            (Some(voted), Some(lang)) if voted == lang => (voted, 0.98),
            (Some(voted), _) => (voted, votes.confidence()),
            (None, Some(lang)) if votes.allows(lang) => (lang, 0.8),
            _ => (UNKNOWN, 0.0),
        };
        Self { code: code.to_owned(), confidence }
    }
}

/// How many small words of each language a text has.
struct Votes {
    /// Code, hits, different words hit; most hits first.
    counts: Vec<(&'static str, usize, usize)>,
    words: usize,
}

impl Votes {
    fn count(words: &[String]) -> Self {
        let count = |&(code, list): &(&'static str, &'static str)| {
            let list: BTreeSet<&str> = list.split_whitespace().collect();
            let hits: Vec<&str> = words.iter().map(String::as_str).filter(|word| list.contains(word)).collect();
            (code, hits.len(), hits.iter().collect::<BTreeSet<_>>().len())
        };
        let mut counts: Vec<_> = SMALL_WORDS.iter().map(count).collect();
        counts.sort_by_key(|&(_, hits, _)| std::cmp::Reverse(hits));
        Self { counts, words: words.len() }
    }

    /// The language with at least two different small words, often enough, and half again as many as the next.
    fn winner(&self) -> Option<&'static str> {
        let [(code, hits, different), (_, next, _), ..] = self.counts.as_slice() else { return None };
        let is_clear = *different >= 2 && hits * 2 >= next * 3 && hits * ONE_IN >= self.words;
        is_clear.then_some(*code)
    }

    fn confidence(&self) -> f64 {
        let different = self.counts.first().map_or(0, |&(.., different)| different);
        match different {
            0..=2 => 0.6,
            3..=4 => 0.7,
            5..=9 => 0.8,
            _ => 0.9,
        }
    }

    /// Nothing speaks against this language: prose of it would have its small words.
    fn allows(&self, code: &str) -> bool {
        let own = self.counts.iter().find(|(known, ..)| *known == code);
        own.is_none_or(|&(_, hits, _)| hits > 0 || self.words < PROSE)
    }
}

fn statistics(words: &[String]) -> Option<&'static str> {
    let text = words.join(" ");
    if text.chars().filter(|c| c.is_alphabetic()).take(FEWEST_LETTERS).count() < FEWEST_LETTERS {
        return None;
    }
    let info = Detector::with_allowlist(LANGUAGES.to_vec()).detect(&text)?;
    info.is_reliable().then(|| info.lang().code())
}

/// Words in lower case; what holds digits or belongs to an address is none.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let plain =
        text.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit() || "@/_".contains(c)));
    let parts = plain.flat_map(|word| word.split(|c: char| !c.is_alphabetic()));
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn sample(text: &str) -> String {
    if text.len() <= 3 * SAMPLE {
        return text.to_owned();
    }
    let middle = text.len() / 2;
    let cuts = [(0, SAMPLE), (middle, middle + SAMPLE), (text.len() - SAMPLE, text.len())];
    let parts = cuts.map(|(from, to)| &text[text.floor_char_boundary(from)..text.floor_char_boundary(to)]);
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_apart_and_short_or_wordless_texts_are_unknown() {
        for (text, code) in [
            ("Der Service war wunderbar, vielen Dank!", "deu"),
            ("The service was wonderful, thank you very much!", "eng"),
            ("Le service était merveilleux, merci beaucoup pour votre aide.", "fra"),
            ("El servicio fue maravilloso, muchas gracias por todo.", "spa"),
            ("De service was geweldig en wij zijn er heel blij mee, het was niet duur.", "nld"),
            ("Это письмо написано на русском языке, чтобы проверить, что мы узнаём его: ещё одно предложение.", "rus"),
            ("", UNKNOWN),
            ("Rechnung", UNKNOWN),
            ("12345 67,89 00-11", UNKNOWN),
            ("XK7 QRT ABC GTIN", UNKNOWN),
        ] {
            assert_eq!(Language::of(text).code, code, "{text}");
        }
        let long = "Wir bitten um Zahlung bis zum Ende des Monats. ".repeat(4_000);
        assert_eq!(Language::of(&long).code, "deu");
    }

    #[test]
    fn a_named_language_takes_both_kinds_of_code() {
        assert_eq!(Language::named("de").map(|l| l.code).as_deref(), Some("deu"));
        assert_eq!(Language::named("ENG").map(|l| l.code).as_deref(), Some("eng"));
        assert_eq!(Language::named("german"), None);
    }
}
