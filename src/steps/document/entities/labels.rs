//! Dates by their label: when a document was written, when it is to be paid, when the goods came.

use super::entity::{EntityType, Found, Role};
use super::lines::Lines;
use super::pattern::pattern;

pattern!(
    ISSUE,
    r"(?im)\b(?:rechnungs|beleg|ausstellungs|erstellungs|invoice|issue|bill|statement)[ -]?(?:datum|date)\b|\bdate (?:d['’]émission|de (?:la )?facture|of issue|issued)\b|(?:^|[ ]{2}|\t)[ \t]*(?:datum|date)[ \t]*:"
);
pattern!(
    DUE,
    r"(?i)\b(?:fällig(?:keit(?:sdatum)?|[ ]am)?|zahlbar|zahlungsziel|due date|payment due|pay by|date limite de paiement|überweisen)\b"
);
pattern!(DELIVERY, r"(?i)\b(?:(?:leistungs|liefer)[ -]?datum|delivery date|date of delivery|date de livraison)\b");
pattern!(AFTER_NUMBER, r"(?i)^[ \t]{0,4},?[ \t]{0,4}(?:vom|von|du|of|dated|from|date)?[ \t:]{1,8}");
pattern!(HEADING, r"(?i)\b(?:[\p{L}-]*rechnung|invoice|facture|gutschrift)[ \t]+(?:(?:vom|von|dated|of|du)[ \t]+)?");

/// Gives the dates among `found` (sorted by place) the part that their label names.
pub fn assign(text: &str, lines: &Lines<'_>, found: &mut [Found]) {
    for (pattern, role) in [(&*ISSUE, Role::IssueDate), (&*DELIVERY, Role::DeliveryDate), (&*DUE, Role::DueDate)] {
        for label in pattern.find_iter(text) {
            let spans = lines.reach((label.start(), label.end()));
            let date = spans.into_iter().find_map(|span| first_date(found, span));
            give(found, date, role);
        }
    }
    for number in 0..found.len() {
        if found[number].kind == EntityType::InvoiceNumber {
            let end = found[number].end;
            let gap = AFTER_NUMBER.find(&text[end..]).map_or(0, |gap| gap.end());
            give(found, date_at(found, end + gap), Role::IssueDate);
        }
    }
    for heading in HEADING.find_iter(text) {
        give(found, date_at(found, heading.end()), Role::IssueDate);
    }
}

fn give(found: &mut [Found], date: Option<usize>, role: Role) {
    if let Some(date) = date {
        found[date].role.get_or_insert(role);
    }
}

fn first_date(found: &[Found], (start, end): (usize, usize)) -> Option<usize> {
    let from = found.partition_point(|one| one.start < start);
    let within = found[from..].iter().take_while(|one| one.start < end);
    within.enumerate().find(|(_, one)| one.kind == EntityType::Date).map(|(place, _)| from + place)
}

fn date_at(found: &[Found], start: usize) -> Option<usize> {
    let place = found.partition_point(|one| one.start < start);
    found.get(place).filter(|one| one.start == start && one.kind == EntityType::Date).map(|_| place)
}
