//! Sums by their label: net, tax, total, due. In tables the label stands on the line; the sum is its last number.
//!
//! Numbers without a currency beside them count here, and here only: on a line that says what they are.

use std::ops::Range;

use super::entity::{EntityType, Found, Role};
use super::lines::Lines;
use super::number::{Number, cents};
use super::pattern::{goes_on, pattern, stands_alone};

pattern!(BARE, r"[-−]?\d[\d.,'’]{0,20}[.,]\d{2}");
pattern!(
    OTHER,
    r"(?i)zuschl|abschl|rabatt|skonto|anzahlung|bereits|bezahlt|\bpaid\b|discount|versand|shipping|fracht|positionssumme|zwischensumme|warenwert|preis|\bprice\b|gutschein|rundung|rounding|\bcash\b|\bchange\b|rückgeld|gegeben"
);
pattern!(
    DUE,
    r"(?i)zahlbetrag|zu zahlen|offener betrag|restbetrag|überweisungsbetrag|amount (?:is )?due|balance due|total due|à payer|payable"
);
pattern!(INCLUDED, r"(?i)^\W*(?:inkl|incl|enthalten|darin|davon|including)");
pattern!(
    NET,
    r"(?i)netto|ohne (?:mwst|ust|umsatz|mehrwert)|exkl|excl|\bnet\b|sub[- ]?total|before tax|\bht\b|hors tax"
);
pattern!(
    TOTAL,
    r"(?i)brutto|inkl|incl|\bttc\b|grand total|endbetrag|endsumme|gesamtbetrag|gesamtsumme|rechnungsbetrag|rechnungsbeitrag|rechnungssumme|total amount|invoice total|montant total"
);
pattern!(
    TAX,
    r"(?i)umsatzsteuer|mehrwertsteuer|versicherungs?steuer|mwst|\bust\b|steuer(?:betrag|basis)|\bvat\b|\btax\b|\bgst\b|\btva\b|\biva\b"
);
pattern!(SUM, r"(?i)\btotal\b|\bsumme\b|gesamt");
pattern!(STRONG_TAX, r"(?i)summe|gesamt|total|steuerbetrag");

/// A number on a line that may be one of the document's sums.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum {
    /// What its label says it is, and how clearly.
    pub role: Option<(Role, f64)>,
    /// The amount in hundredths.
    pub cents: i64,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Every number that may be a sum, in order of place; those with a label carry their part.
pub fn sums(text: &str, lines: &Lines<'_>, found: &[Found]) -> Vec<Sum> {
    let mut sums: Vec<Sum> = Vec::new();
    let mut pending: Option<(Role, f64)> = None;
    for (start, end) in lines.spans() {
        let line = &text[start..end];
        if line.trim().is_empty() {
            continue;
        }
        let mut numbers = numbers_of(text, start, end, found);
        if numbers.is_empty() {
            pending = classify(line.trim()).filter(|_| line.trim().len() < 60);
            continue;
        }
        label_line(text, start, end, &mut numbers, pending.take());
        sums.append(&mut numbers);
    }
    sums
}

/// Writes the parts into the amounts found, and adds an amount for each labelled number without a currency sign.
pub fn assign(found: &mut Vec<Found>, sums: &[Sum], text: &str, currency: Option<&'static str>) {
    let mut added = Vec::new();
    for sum in sums {
        let Some((role, strength)) = sum.role else { continue };
        let place = found.partition_point(|one| one.end <= sum.span.start);
        match found.get_mut(place).filter(|one| one.overlaps(sum.span.start, sum.span.end)) {
            Some(known) => known.role = known.role.or(Some(role)),
            None => {
                let Some(read) = Number::read(&text[sum.span.clone()]) else { continue };
                let span = (sum.span.start, sum.span.end);
                let mut amount = Found::new(EntityType::Amount, span, read.value, (strength * 90.0).round() / 100.0);
                amount.currency = currency;
                amount.role = Some(role);
                added.push(amount);
            }
        }
    }
    found.append(&mut added);
    found.sort_by_key(|one| one.start);
}

/// The numbers of a line: amounts already found, and bare numbers with two decimals that are nothing else.
fn numbers_of(text: &str, start: usize, end: usize, found: &[Found]) -> Vec<Sum> {
    let from = found.partition_point(|one| one.end <= start);
    let here: Vec<&Found> = found[from..].iter().take_while(|one| one.start < end).collect();
    let known = here.iter().filter(|one| one.kind == EntityType::Amount);
    let mut sums: Vec<Sum> =
        known.filter_map(|one| Some(Sum { role: None, cents: cents(&one.value)?, span: one.start..one.end })).collect();
    for hit in BARE.find_iter(&text[start..end]) {
        let (from, to) = (start + hit.start(), start + hit.end());
        let is_share = text[to..].trim_start_matches(' ').starts_with('%');
        let is_part = !stands_alone(text, from, to) || goes_on(text, from, to, ".,/:-");
        if is_share || is_part || here.iter().any(|one| one.overlaps(from, to)) {
            continue;
        }
        let value = Number::read(hit.as_str()).and_then(|number| cents(&number.value));
        sums.extend(value.map(|cents| Sum { role: None, cents, span: from..to }));
    }
    sums.sort_by_key(|sum| sum.span.start);
    sums
}

/// Gives the numbers of one line their parts. `pending` is the label of the line above, if that had no number.
fn label_line(text: &str, start: usize, end: usize, numbers: &mut [Sum], pending: Option<(Role, f64)>) {
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return };
    let (before, after) = (&text[start..first.span.start], &text[last.span.end..end]);
    let label = classify(before).or_else(|| classify(after));
    let is_bare = !before.chars().chain(after.chars()).any(char::is_alphabetic);
    let label = label.or(if is_bare { pending } else { None });
    if OTHER.is_match(before) {
        return;
    }
    let is_total = label.is_some_and(|(role, _)| matches!(role, Role::Total | Role::Due));
    if let Some(triple) = triple(numbers, is_total) {
        let strength = if is_total { 0.85 } else { 0.6 };
        for (number, role) in triple.into_iter().zip([Role::Net, Role::Tax, Role::Total]) {
            numbers[number].role = Some((role, strength));
        }
    } else if let Some(last) = numbers.last_mut() {
        last.role = label;
    }
}

/// The last three numbers of a line of which the first two make the third: net, tax, total. Zero tax counts only
/// where the line says that it is a total.
fn triple(numbers: &[Sum], is_total: bool) -> Option<[usize; 3]> {
    let last = numbers.len().checked_sub(3)?;
    (0..=last).rev().take(4).find_map(|at| {
        let [net, tax, total] = [0, 1, 2].map(|n| numbers[at + n].cents);
        let is_tax = if is_total { tax >= 0 } else { tax > 0 };
        (net > 0 && is_tax && tax < net && net.checked_add(tax) == Some(total)).then_some([at, at + 1, at + 2])
    })
}

/// What a label says its number is, and how clearly.
fn classify(label: &str) -> Option<(Role, f64)> {
    if OTHER.is_match(label) {
        return None;
    }
    let is_tax = TAX.is_match(label);
    if DUE.is_match(label) {
        return Some((Role::Due, 0.9));
    }
    if NET.is_match(label) {
        return Some((Role::Net, 0.9));
    }
    if is_tax && INCLUDED.is_match(label) {
        return Some((Role::Tax, 0.7));
    }
    if TOTAL.is_match(label) {
        return Some((Role::Total, 0.9));
    }
    if is_tax {
        return Some((Role::Tax, if STRONG_TAX.is_match(label) { 0.85 } else { 0.7 }));
    }
    SUM.is_match(label).then_some((Role::Total, 0.7))
}
