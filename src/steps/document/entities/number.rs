//! Numbers as people write them, German and English, into exact decimal text.

/// A number out of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Exact decimal text with a point: `-1234.56`.
    pub value: String,
    /// The separator could also be read otherwise (`1.234`).
    pub is_ambiguous: bool,
}

impl Number {
    /// Reads `1.234,56`, `1,234.56`, `1'234.50`, `1,23,456.00`, `12`, `5,-`; `None` where the groups make no number.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (is_negative, text) = match text.strip_prefix(['-', '−', '–']) {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        };
        let (text, whole) = match text.strip_suffix(",--").or_else(|| text.strip_suffix(",-")) {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let text: String = text.chars().filter(|c| !matches!(c, '\u{a0}' | '\u{202f}')).collect();
        let (integer, fraction, is_ambiguous) = split(&text)?;
        let fraction = if whole { "00" } else { fraction };
        let digits = ungroup(integer)?;
        let digits = digits.trim_start_matches('0');
        if fraction.len() > 4 || digits.len() > 15 {
            return None;
        }
        let sign = if is_negative { "-" } else { "" };
        let integer = if digits.is_empty() { "0" } else { digits };
        let point = if fraction.is_empty() { "" } else { "." };
        Some(Self { value: format!("{sign}{integer}{point}{fraction}"), is_ambiguous })
    }
}

/// A decimal text in hundredths; `None` with more than two places.
pub fn cents(value: &str) -> Option<i64> {
    let (is_negative, digits) = value.strip_prefix('-').map_or((false, value), |rest| (true, rest));
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = match fraction.trim_end_matches('0').len() {
        0 => 0,
        1 => fraction[..1].parse::<i64>().ok()? * 10,
        2 => fraction[..2].parse().ok()?,
        _ => return None,
    };
    let all = integer.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fraction)?;
    Some(if is_negative { -all } else { all })
}

/// Hundredths as decimal text.
pub fn from_cents(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// Integer part, fraction, and whether the split is a guess.
fn split(text: &str) -> Option<(&str, &str, bool)> {
    let Some(last) = text.rfind(['.', ',']) else { return Some((text, "", false)) };
    let separator = char::from(text.as_bytes()[last]);
    let (integer, fraction) = (&text[..last], &text[last + 1..]);
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count = text.matches(separator).count();
    let has_other = integer.contains(['.', ',', '\'', '’']) && count == 1;
    if has_other {
        return Some((integer, fraction, false));
    }
    let is_group = fraction.len() == 3 && !integer.starts_with('0') && integer.len() <= 3;
    match (count, is_group) {
        (1, true) => Some((text, "", true)),
        (1, false) => Some((integer, fraction, false)),
        _ => Some((text, "", false)),
    }
}

/// The digits of an integer, if its groups are of thousands, or of lakhs and crores.
fn ungroup(text: &str) -> Option<String> {
    let mut separators = text.chars().filter(|c| !c.is_ascii_digit());
    let Some(separator) = separators.next() else { return (!text.is_empty()).then(|| text.to_owned()) };
    if !matches!(separator, '.' | ',' | '\'' | '’') || separators.any(|other| other != separator) {
        return None;
    }
    let groups: Vec<&str> = text.split(separator).collect();
    let (first, rest) = groups.split_first()?;
    let (last, middle) = rest.split_last()?;
    let fits = (1..=3).contains(&first.len()) && last.len() == 3;
    let is_thousands = middle.iter().all(|group| group.len() == 3);
    let is_indian = separator == ',' && first.len() <= 2 && middle.iter().all(|group| group.len() == 2);
    (fits && (is_thousands || is_indian)).then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_notations() {
        for (text, value) in [
            ("1.234,56", "1234.56"),
            ("1,234.56", "1234.56"),
            ("1'234.50", "1234.50"),
            ("1,23,456.00", "123456.00"),
            ("1\u{a0}234,5", "1234.5"),
            ("12.345.678,00", "12345678.00"),
            ("0,0000", "0.0000"),
            ("-0,50", "-0.50"),
            ("−14,73", "-14.73"),
            ("5,-", "5.00"),
            ("007", "7"),
            ("12", "12"),
            ("1.234", "1234"),
            ("0.125", "0.125"),
        ] {
            assert_eq!(Number::read(text).map(|number| number.value).as_deref(), Some(value), "{text}");
        }
        for text in ["", "1.23.456,0", "1,2,3", "12.34.56", "1.234.56", "1,", "1.23456", "9999999999999999", "1.2,3.4"]
        {
            assert_eq!(Number::read(text), None, "{text}");
        }
    }

    #[test]
    fn hundredths_are_exact() {
        assert_eq!(cents("1234.5"), Some(123_450));
        assert_eq!(cents("-0.07"), Some(-7));
        assert_eq!(cents("1.5000"), Some(150));
        assert_eq!(cents("1.505"), None);
        assert_eq!(from_cents(-7), "-0.07");
        assert_eq!(from_cents(123_450), "1234.50");
    }
}
