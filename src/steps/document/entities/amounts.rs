//! Amounts of money: a number with its currency beside it. The number stays exact decimal text.

use std::sync::LazyLock;

use regex::{Match, Regex};

use super::entity::{EntityType, Found};
use super::number::Number;

/// Currencies as they are written, and their ISO 4217 codes. A bare `$` or `¥` belongs to several countries, and
/// `Rs` and `RM` are words elsewhere: these are trusted less.
const SIGNS: &[(&str, &str)] = &[
    ("€", "EUR"),
    ("Euros", "EUR"),
    ("Euro", "EUR"),
    ("euros", "EUR"),
    ("euro", "EUR"),
    ("US$", "USD"),
    ("$", "USD"),
    ("£", "GBP"),
    ("SFr.", "CHF"),
    ("sFr.", "CHF"),
    ("₹", "INR"),
    ("Rs.", "INR"),
    ("Rs", "INR"),
    ("¥", "JPY"),
    ("zł", "PLN"),
    ("RM", "MYR"),
];
const DOUBTFUL: &[&str] = &["$", "¥", "Rs.", "Rs", "RM"];
/// Codes that are written as they are.
const CODES: &[&str] = &[
    "EUR", "USD", "GBP", "CHF", "INR", "JPY", "CNY", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "CAD", "AUD",
    "NZD", "MYR", "SGD", "HKD", "ZAR", "BRL", "MXN",
];
const NUMBER: &str = r"[-−]?\d(?:[\d.,'’]|[\x{a0}\x{202f}]\d){0,24}(?:,--?)?";

static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    let gap = r"[ \t\x{a0}\x{202f}]{0,2}";
    let sign = signs();
    compile(&format!("(?P<before>{sign}){gap}(?P<first>{NUMBER})|(?P<second>{NUMBER}){gap}(?P<after>{sign})"))
});
static SIGN: LazyLock<Regex> = LazyLock::new(|| compile(&signs()));

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is constant, and a test uses it")
}

fn signs() -> String {
    let mut signs: Vec<String> = SIGNS.iter().map(|(sign, _)| regex::escape(sign)).collect();
    signs.extend(CODES.iter().map(|&code| code.to_owned()));
    signs.sort_by_key(|sign| std::cmp::Reverse(sign.len()));
    format!("(?:{})", signs.join("|"))
}

/// All amounts of a text whose currency is written beside them.
pub fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(captures) = AMOUNT.captures_at(text, at) {
        let group = |sign: &str, number: &str| captures.name(sign).zip(captures.name(number));
        let Some((sign, number)) = group("before", "first").or_else(|| group("after", "second")) else { break };
        // Where this is no amount, the later of the two may still belong to one.
        let later = sign.start().max(number.start());
        let is_suffix = sign.start() > number.start();
        at = if !is_free(text, sign) || (is_suffix && belongs_to_next(text, number, sign)) {
            later
        } else {
            found.extend(amount(text, sign, number));
            captures.get_match().end()
        };
    }
    found
}

/// The currency that a text writes most often, as sign or code; the first one of equals.
pub fn main_currency(text: &str) -> Option<&'static str> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for sign in SIGN.find_iter(text).filter(|&sign| is_free(text, sign)) {
        let Some(code) = code(sign.as_str()) else { continue };
        match counts.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => counts.push((code, 1)),
        }
    }
    let most = counts.iter().map(|&(_, count)| count).max()?;
    counts.iter().find(|&&(_, count)| count == most).map(|&(code, _)| code)
}

fn code(sign: &str) -> Option<&'static str> {
    let named = SIGNS.iter().find(|(known, _)| *known == sign).map(|&(_, code)| code);
    named.or_else(|| CODES.iter().copied().find(|&code| code == sign))
}

/// No letter touches a sign made of letters: the `RON` of `IRON` is no currency.
fn is_free(text: &str, sign: Match<'_>) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let word = sign.as_str();
    let before = is_letter(word.chars().next()) && is_letter(text[..sign.start()].chars().next_back());
    let after = is_letter(word.chars().next_back()) && is_letter(text[sign.end()..].chars().next());
    !before && !after
}

/// In `3 EUR 13,50` the sign belongs to the second number: that one has decimals, the first has none.
fn belongs_to_next(text: &str, number: Match<'_>, sign: Match<'_>) -> bool {
    let has_decimals = |number: &str| Number::read(number).is_some_and(|number| number.value.contains('.'));
    let next = AMOUNT.captures_at(text, sign.start()).filter(|next| next.get_match().start() == sign.start());
    let next_has = next.and_then(|next| Some(has_decimals(next.name("first")?.as_str())));
    !has_decimals(number.as_str()) && next_has.unwrap_or(false)
}

fn amount(text: &str, sign: Match<'_>, number: Match<'_>) -> Option<Found> {
    let is_prefix = sign.start() < number.start();
    let before = text[..number.start()].chars().next_back();
    // In `10-20 €` the dash is no minus.
    let is_range = !is_prefix && before.is_some_and(char::is_alphanumeric) && number.as_str().starts_with(['-', '−']);
    let minus = if is_range { number.as_str().chars().next().map_or(0, char::len_utf8) } else { 0 };
    if !is_prefix && !is_range && before.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == ',') {
        return None;
    }
    let written = &number.as_str()[minus..];
    let written = if written.ends_with('-') { written } else { written.trim_end_matches(['.', ',', '\'', '’']) };
    let number_end = number.start() + minus + written.len();
    let touches = |c: char| c.is_alphanumeric() || c == '%';
    if is_prefix && text[number_end..].chars().next().is_some_and(touches) {
        return None;
    }
    let read = Number::read(written)?;
    let (start, end) = if is_prefix { (sign.start(), number_end) } else { (number.start() + minus, sign.end()) };
    let confidence = match (read.is_ambiguous, DOUBTFUL.contains(&sign.as_str())) {
        (false, false) => 0.95,
        (false, true) => 0.85,
        (true, _) => 0.7,
    };
    let mut found = Found::new(EntityType::Amount, (start, end), read.value, confidence);
    found.currency = code(sign.as_str());
    Some(found)
}
