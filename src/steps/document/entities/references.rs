//! Numbers that name something: VAT identification numbers by their shape, invoice numbers by their label.

use super::entity::{EntityType, Found};
use super::lines::Lines;
use super::pattern::{goes_on, pattern, stands_alone};

pattern!(
    VAT,
    r"\b(?:DE[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}|ATU[ ]?\d{8}|BE[ ]?[01]\d{3}[ .]?\d{3}[ .]?\d{3}|CHE[- ]?\d{3}\.?\d{3}\.?\d{3}|CZ\d{8,10}|DK[ ]?(?:\d{2}[ ]?){3}\d{2}|ES[A-Z0-9]\d{7}[A-Z0-9]|FI\d{8}|FR[ ]?[A-HJ-NP-Z0-9]{2}[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}|FR(?:[ ]?\d{3}){3}[ ]?\d{2}|GB[ ]?\d{3}[ ]?\d{4}[ ]?\d{2}(?:[ ]?\d{3})?|IE\d[A-Z0-9+*]\d{5}[A-Z]{1,2}|IT[ ]?\d{11}|LU[ ]?\d{8}|NL[ ]?\d{9}B\d{2}|PL[ ]?\d{10}|PT[ ]?\d{9}|SE\d{10}01)\b"
);
pattern!(VAT_LABEL, r"(?i)\b(?:ust|umsatzsteuer|vat|tva|mwst|uid|btw|iva|moms)\b|\bustid|vat[-\s]?(?:id|no|reg)");
pattern!(
    INVOICE_LABEL,
    r"(?i)\b(?:[\p{L}-]*rechnungs?|beleg|re|rg|faktura|gutschrifts?|invoice|bill|facture|fattura|factura)[ \t]{0,2}[.\-–]?[ \t]{0,2}(?:(?:nummer|nr|number|numéro|num|no|id)\b|n[°º]|#)[ \t]*[.:]{0,2}[ \t]*[.:#]{0,2}|\binvoice[ \t]*\r?\n[ \t]*#|\bnum[ée]ro de facture\b[ \t]{0,4}:?"
);
pattern!(TOKEN, r"#?[A-Za-z0-9_][A-Za-z0-9_./\-]{0,47}");
pattern!(DATE_LIKE, r"^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}$|^\d{4}-\d{2}-\d{2}$");

/// How far before a VAT number its label may stand, in bytes.
const LABEL_DISTANCE: usize = 60;

/// All references of a text.
pub fn find(text: &str, lines: &Lines<'_>) -> Vec<Found> {
    let mut found: Vec<Found> = VAT.find_iter(text).filter_map(|hit| vat_id(text, hit)).collect();
    found.extend(INVOICE_LABEL.find_iter(text).filter_map(|label| invoice_number(text, lines, label)));
    found
}

fn vat_id(text: &str, hit: regex::Match<'_>) -> Option<Found> {
    if !stands_alone(text, hit.start(), hit.end()) || goes_on(text, hit.start(), hit.end(), " -./") {
        return None;
    }
    let value: String = hit.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    let mut from = hit.start().saturating_sub(LABEL_DISTANCE);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let line = text[from..hit.start()].rsplit('\n').next().unwrap_or_default();
    let is_labelled = VAT_LABEL.is_match(line);
    let confidence = match (is_labelled, checks_out(&value)) {
        (true, true) => 0.98,
        (true, false) => 0.9,
        (false, true) => 0.7,
        (false, false) => return None,
    };
    Some(Found::new(EntityType::VatId, (hit.start(), hit.end()), value, confidence))
}

/// The check digit of a German number (ISO 7064 MOD 11,10). Of other countries only the shape is known here.
fn checks_out(value: &str) -> bool {
    let Some(digits) = value.strip_prefix("DE") else { return false };
    let digits: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(10)).collect();
    let Some((&check, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == check
}

fn invoice_number(text: &str, lines: &Lines<'_>, label: regex::Match<'_>) -> Option<Found> {
    let label_end = label.end();
    // The label may end on the next line (`INVOICE`, then `# 17`): what counts is its end.
    let line_start = lines.at(label_end).0;
    let spans = lines.reach((label.start().max(line_start), label_end));
    let is_beside = spans.first().is_some_and(|span| span.0 == label_end);
    let (start, end) = spans.into_iter().find_map(|span| token(text, span, is_beside))?;
    let value = text[start..end].trim_start_matches('#').to_owned();
    let confidence = if is_beside { 0.93 } else { 0.8 };
    Some(Found::new(EntityType::InvoiceNumber, (start, end), value, confidence))
}

/// The first token that can be a number: it has a digit and is no date, no postcode, no amount. Beside the label
/// only the very first token counts.
fn token(text: &str, span: (usize, usize), is_beside: bool) -> Option<(usize, usize)> {
    let limit = if is_beside { 1 } else { 8 };
    TOKEN.find_iter(&text[span.0..span.1]).take(limit).find_map(|hit| {
        let token = hit.as_str().trim_end_matches(['.', '/', '-']);
        let (start, end) = (span.0 + hit.start(), span.0 + hit.start() + token.len());
        let has_digit = token.bytes().any(|b| b.is_ascii_digit());
        let follows_word = text[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == ',');
        let goes_on_as_word = text[end..].starts_with(|c: char| c.is_alphanumeric() || c == ',');
        let fits = has_digit && !follows_word && !goes_on_as_word && !DATE_LIKE.is_match(token);
        (fits && !is_postcode(text, token, end)).then_some((start, end))
    })
}

/// Five digits before a capitalised word are a German postcode with its town.
fn is_postcode(text: &str, token: &str, end: usize) -> bool {
    let next = text[end..].strip_prefix(' ').and_then(|rest| rest.chars().next());
    token.len() == 5 && token.bytes().all(|b| b.is_ascii_digit()) && next.is_some_and(char::is_uppercase)
}
