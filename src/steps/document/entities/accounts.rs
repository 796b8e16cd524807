//! Bank accounts: IBAN with its check digits, and the bank's code beside it.

use super::entity::{EntityType, Found};
use super::pattern::{pattern, stands_alone};

/// Countries with the length of their IBAN, and whether everything after the country is digits.
const COUNTRIES: &[(&str, usize, bool)] = &[
    ("AD", 24, false),
    ("AE", 23, true),
    ("AL", 28, false),
    ("AT", 20, true),
    ("BA", 20, true),
    ("BE", 16, true),
    ("BG", 22, false),
    ("BR", 29, false),
    ("CH", 21, false),
    ("CY", 28, false),
    ("CZ", 24, true),
    ("DE", 22, true),
    ("DK", 18, true),
    ("EE", 20, true),
    ("ES", 24, true),
    ("FI", 18, true),
    ("FO", 18, true),
    ("FR", 27, false),
    ("GB", 22, false),
    ("GE", 22, false),
    ("GI", 23, false),
    ("GL", 18, true),
    ("GR", 27, false),
    ("HR", 21, true),
    ("HU", 28, true),
    ("IE", 22, false),
    ("IL", 23, true),
    ("IS", 26, true),
    ("IT", 27, false),
    ("LI", 21, false),
    ("LT", 20, true),
    ("LU", 20, false),
    ("LV", 21, false),
    ("MC", 27, false),
    ("MD", 24, false),
    ("ME", 22, true),
    ("MK", 19, false),
    ("MT", 31, false),
    ("NL", 18, false),
    ("NO", 15, true),
    ("PL", 28, true),
    ("PT", 25, true),
    ("RO", 24, false),
    ("RS", 22, true),
    ("SA", 24, false),
    ("SE", 24, true),
    ("SI", 19, true),
    ("SK", 24, true),
    ("SM", 27, false),
    ("TR", 26, false),
    ("UA", 29, false),
];

pattern!(IBAN_START, r"[A-Za-z]{2}[ ]?[0-9OoIlSBZ]{2}");
pattern!(BIC, r"(?:BIC|SWIFT)[^A-Za-z0-9\n]{0,3}(?:[Cc]ode)?[^A-Za-z0-9\n]{0,40}([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)");

/// What was found of accounts.
#[derive(Debug, Default)]
pub struct Accounts {
    /// IBANs whose check digits hold, and bank codes.
    pub found: Vec<Found>,
    /// Spans that look like an IBAN but are none. They are nothing else either.
    pub broken: Vec<(usize, usize)>,
}

/// All accounts of a text.
pub fn find(text: &str) -> Accounts {
    let mut accounts = Accounts::default();
    let mut at = 0;
    while let Some(start) = IBAN_START.find_at(text, at) {
        at = start.start() + 1; // a match begins with an ASCII letter
        let touched = text[..start.start()].chars().next_back().is_some_and(char::is_alphanumeric);
        let Some(candidate) = (!touched).then(|| Candidate::read(text, start.start())).flatten() else { continue };
        let span = (start.start(), candidate.end);
        match candidate.judge() {
            Some((value, confidence)) => {
                accounts.found.push(Found::new(EntityType::Iban, span, value, confidence));
                at = candidate.end;
            }
            None if candidate.has_digits_only() => accounts.broken.push(span),
            None => {}
        }
    }
    accounts.found.extend(BIC.captures_iter(text).filter_map(|captures| bic(text, captures.get(1)?)));
    accounts
}

/// Characters that may be an IBAN: as many as its country wants.
struct Candidate {
    text: String,
    end: usize,
    wants_digits: bool,
}

impl Candidate {
    fn read(text: &str, start: usize) -> Option<Self> {
        let country = text.get(start..start + 2)?.to_ascii_uppercase();
        let &(_, length, wants_digits) = COUNTRIES.iter().find(|(known, ..)| *known == country)?;
        let mut read = String::with_capacity(length);
        let mut end = start;
        let mut separated = false;
        for (at, c) in text[start..].char_indices() {
            match c {
                _ if read.len() == length => break,
                'A'..='Z' | 'a'..='z' | '0'..='9' => {
                    read.push(c);
                    end = start + at + 1;
                    separated = false;
                }
                ' ' | '\u{a0}' | '\u{202f}' | '-' | '.' if !separated => separated = true,
                _ => return None,
            }
        }
        (read.len() == length && stands_alone(text, start, end)).then_some(Self { text: read, end, wants_digits })
    }

    /// The number and how far to trust it, if its check digits hold as written, or as a scanner may have misread it.
    fn judge(&self) -> Option<(String, f64)> {
        let as_written = self.text.to_ascii_uppercase();
        if has_valid_checksum(&as_written) {
            return Some((as_written, 0.99));
        }
        let digits_from = 2;
        let digits_to = if self.wants_digits { self.text.len() } else { 4 };
        let misread = |(place, c)| if (digits_from..digits_to).contains(&place) { as_digit(c) } else { c };
        let mended: String = self.text.chars().enumerate().map(misread).collect::<String>().to_ascii_uppercase();
        (mended != as_written && has_valid_checksum(&mended)).then_some((mended, 0.75))
    }

    /// Everything after the country is digits as written: a mistyped number rather than a word.
    fn has_digits_only(&self) -> bool {
        self.text.bytes().skip(2).all(|b| b.is_ascii_digit())
    }
}

/// The digit that a scanner may have read as this letter.
const fn as_digit(c: char) -> char {
    match c {
        'O' | 'o' | 'Q' | 'D' => '0',
        'I' | 'l' | 'i' => '1',
        'Z' | 'z' => '2',
        'S' | 's' => '5',
        'G' => '6',
        'B' => '8',
        other => other,
    }
}

/// ISO 7064 MOD 97-10 over the number with its first four characters moved to the end.
fn has_valid_checksum(iban: &str) -> bool {
    let Some((head, rest)) = iban.split_at_checked(4) else { return false };
    let has_check_digits = head[2..].bytes().all(|b| b.is_ascii_digit()) && !matches!(&head[2..], "00" | "01" | "99");
    let remainder = rest.chars().chain(head.chars()).try_fold(0u32, |sum, c| {
        let digit = c.to_digit(36)?;
        Some(if digit < 10 { (sum * 10 + digit) % 97 } else { (sum * 100 + digit) % 97 })
    });
    has_check_digits && remainder == Some(1)
}

fn bic(text: &str, code: regex::Match<'_>) -> Option<Found> {
    let country = &code.as_str()[4..6];
    let is_known = COUNTRIES.iter().any(|(known, ..)| *known == country)
        || matches!(country, "US" | "CA" | "AU" | "JP" | "CN" | "IN" | "HK" | "SG");
    let is_alone = stands_alone(text, code.start(), code.end());
    let span = (code.start(), code.end());
    (is_known && is_alone).then(|| Found::new(EntityType::Bic, span, code.as_str().to_owned(), 0.95))
}
