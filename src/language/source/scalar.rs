//! What an unquoted word means: the core schema of YAML 1.2, except that numbers with leading zeros stay text.

use serde_json::Number;

use super::node::Kind;

/// Why a word cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unkept {
    /// `.inf`, `.nan`, `1e999`: JSON has no such number.
    NotFinite,
    /// More digits than 64 bits hold: keeping it as a float would change it.
    TooLarge,
}

/// The meaning of an unquoted word.
pub(super) fn plain(word: &str) -> Result<Kind, Unkept> {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Kind::Null),
        "true" | "True" | "TRUE" => return Ok(Kind::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Kind::Bool(false)),
        _ => {}
    }
    number(word).map(|number| number.map_or_else(|| Kind::Text(word.to_owned()), Kind::Number))
}

/// The number that a word is, if it is one.
pub(super) fn number(word: &str) -> Result<Option<Number>, Unkept> {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(word, ".nan" | ".NaN" | ".NAN") {
        return Err(Unkept::NotFinite);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = word.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return u64::from_str_radix(digits, radix).map(|n| Some(n.into())).map_err(|_| Unkept::TooLarge);
        }
    }
    let integer = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    // `0777` and `007.5` are rarely numbers: a postcode, a cost centre, a file mode.
    if integer > 1 && unsigned.starts_with('0') {
        return Ok(None);
    }
    if integer == unsigned.len() && integer > 0 {
        let digits = word.strip_prefix('+').unwrap_or(word);
        let whole = digits.parse::<i64>().map(Number::from).or_else(|_| digits.parse::<u64>().map(Number::from));
        return whole.map(Some).map_err(|_| Unkept::TooLarge);
    }
    if !is_float(&unsigned[integer..], integer) {
        return Ok(None);
    }
    let float: f64 = word.parse().map_err(|_| Unkept::NotFinite)?;
    Number::from_f64(float).map(Some).ok_or(Unkept::NotFinite)
}

/// Whether this, after `integer` digits, is the rest of a float: `.5`, `.`, `e10`, `.5e-3`.
fn is_float(rest: &str, integer: usize) -> bool {
    let (mut rest, mut digits) = (rest, integer);
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
        digits += count;
        rest = &fraction[count..];
    }
    if digits == 0 {
        return false;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        return !exponent.is_empty() && exponent.bytes().all(|byte| byte.is_ascii_digit());
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_the_core_schema_says() {
        for word in
            ["yes", "no", "on", "off", "y", "NO", "0777", "007.5", "1_000", "1:30", "-", ".", "e5", "0x", "1.2.3"]
        {
            assert_eq!(plain(word), Ok(Kind::Text(word.to_owned())), "{word}");
        }
        for (word, number) in [("0", 0), ("-7", -7), ("+12", 12), ("0x1F", 31), ("0o17", 15)] {
            assert_eq!(plain(word), Ok(Kind::Number(number.into())), "{word}");
        }
        for (word, float) in [("1.10", 1.1), (".5", 0.5), ("2.", 2.0), ("1e3", 1000.0), ("-1.5E-2", -0.015)] {
            assert_eq!(plain(word), Ok(Kind::Number(Number::from_f64(float).expect("finite"))), "{word}");
        }
        assert_eq!(plain("18446744073709551615"), Ok(Kind::Number(u64::MAX.into())));
        assert_eq!(plain("18446744073709551616"), Err(Unkept::TooLarge));
        for word in [".inf", "-.INF", ".nan", "1e999"] {
            assert_eq!(plain(word), Err(Unkept::NotFinite), "{word}");
        }
    }
}
