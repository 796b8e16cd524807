//! The mood of a text, in the two languages that we can judge: English (VADER) and German (our own lexicon).
//!
//! A text in any other language gets no score: a word list of the wrong language reads `war` and `die` in a German
//! thank-you letter as violence. Most sentences of a document have no mood; the score is the mean of those that
//! have one, damped when they are few. Phrases of courtesy and words of
//! bookkeeping do not count.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;
use vader_sentimental::SentimentIntensityAnalyzer;

use super::german::German;
use super::language::Language;
use super::sentences;

/// Below this strength a mean is no mood.
const NEUTRAL: f64 = 0.1;
/// Sentences with a mood count fully when they are at least one of this many.
const ONE_IN: f64 = 2.0;

static COURTESY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:mit )?(?:freundliche[nm]?|herzliche[nm]?|beste[nm]?|viele[n]?|liebe[n]?|schöne[n]?) gr(?:ü|ue)(?:ß|ss)en?\b|sehr geehrte[r]?\b|liebe[r]? (?:herr|frau|kund)\p{L}*|\b(?:vielen|besten|herzlichen) dank für (?:ihren? (?:auftrag|bestellung|einkauf|zahlung|anfrage|schreiben)|ihr (?:vertrauen|schreiben|interesse))|\bhochachtungsvoll\b|\b(?:kind|best|warm) regards\b|\byours (?:sincerely|faithfully|truly)\b|\bsincerely\b|\bdear (?:sir|madam|mr|mrs|ms|customer)\b|\bthank you for (?:your )?(?:business|order|payment|purchase|enquiry|inquiry|letter|shopping)\b|\b(?:charges?|balance|no\.)",
    )
    .expect("the pattern is constant, and a test uses it")
});

/// What the mood of a text is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// More good than bad.
    Positive,
    /// Neither, or no mood at all.
    Neutral,
    /// More bad than good.
    Negative,
    /// We cannot judge this text.
    Unsupported,
}

/// The mood of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sentiment {
    /// Its name.
    pub label: Label,
    /// From -1 to 1; `None` for a text that we cannot judge.
    pub score: Option<f64>,
    /// The language it was judged in.
    pub language: String,
    /// How it was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'static str>,
    /// Why it was not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Sentiment {
    /// The mood of a text in this language.
    #[must_use]
    pub fn of(text: &str, language: &Language) -> Self {
        let plain = COURTESY.replace_all(text, " ");
        match language.code.as_str() {
            "eng" => {
                let analyzer = SentimentIntensityAnalyzer::new();
                Self::judged(&plain, language, "vader", |sentence| analyzer.polarity_scores(sentence).compound)
            }
            "deu" => {
                let german = German::lexicon();
                Self::judged(&plain, language, "lexicon_de", |sentence| german.score(sentence))
            }
            code => Self::unsupported(code),
        }
    }

    fn judged(text: &str, language: &Language, method: &'static str, score: impl Fn(&str) -> f64) -> Self {
        let (mut all, mut moody, mut sum) = (0.0f64, 0.0f64, 0.0f64);
        for sentence in sentences::split(text) {
            let score = score(sentence);
            all += 1.0;
            if score.is_finite() && score.abs() > 0.05 {
                moody += 1.0;
                sum += score;
            }
        }
        let mean = if moody > 0.0 { sum / moody * f64::min(1.0, moody / all * ONE_IN) } else { 0.0 };
        let score = (mean * 1000.0).round() / 1000.0 + 0.0; // no negative zero
        let label = match score {
            NEUTRAL.. => Label::Positive,
            score if score <= -NEUTRAL => Label::Negative,
            _ => Label::Neutral,
        };
        Self { label, score: Some(score), language: language.code.clone(), method: Some(method), reason: None }
    }

    fn unsupported(code: &str) -> Self {
        let reason = format!("sentiment is judged in English and German only; the text's language is `{code}`");
        let label = Label::Unsupported;
        Self { label, score: None, language: code.to_owned(), method: None, reason: Some(reason) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Sentiment {
        Sentiment::of(text, &Language::of(text))
    }

    #[test]
    fn german_and_english_moods_are_told_apart() {
        for (text, label) in [
            ("Der Service war wunderbar, vielen Dank!", Label::Positive),
            ("Die Lieferung war leider beschädigt und der Kundendienst unfreundlich.", Label::Negative),
            ("Das Hotel war nicht gut, und das Essen war auch nicht besser.", Label::Negative),
            ("Wir waren mit der Arbeit überhaupt nicht unzufrieden.", Label::Positive),
            ("Die Sitzung findet am Montag um zehn Uhr in Raum drei statt.", Label::Neutral),
            ("Sehr geehrter Herr Muster, anbei erhalten Sie die Unterlagen. Mit freundlichen Grüßen", Label::Neutral),
            ("The service was wonderful, thank you very much!", Label::Positive),
            ("This is the worst hotel that we have ever been to, and the food was awful.", Label::Negative),
            ("The meeting takes place on Monday in room three of the office.", Label::Neutral),
        ] {
            assert_eq!(judge(text).label, label, "{text}: {:?}", judge(text));
        }
    }

    #[test]
    fn a_language_that_we_cannot_judge_gets_no_score() {
        let french = judge("Le service était merveilleux, merci beaucoup pour votre aide. La guerre est finie.");
        assert_eq!((french.label, french.score, french.language.as_str()), (Label::Unsupported, None, "fra"));
        assert!(french.reason.is_some());
        assert_eq!(judge("").label, Label::Unsupported);
    }

    #[test]
    fn a_few_moody_sentences_among_many_count_less() {
        let dry = "Die Sitzung findet am Montag in Raum drei statt. ";
        let one = judge(&format!("Der Service war wunderbar. {}", dry.repeat(3))).score;
        let lost = judge(&format!("Der Service war wunderbar. {}", dry.repeat(300))).score;
        assert!(one > lost && lost > Some(0.0), "{one:?} {lost:?}");
    }
}
