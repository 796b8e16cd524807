//! All entities of a text: every rule looks, overlaps are settled, labels give dates and sums their part.

use std::collections::BTreeMap;

use super::entity::{Entity, EntityType, Found};
use super::fields::Fields;
use super::lines::Lines;
use super::{accounts, amounts, contacts, dates, labels, names, references, roles};

/// Entities given at the most, so that a price list does not become a huge value.
const MOST: usize = 10_000;

/// What the rules found.
#[derive(Debug, Default)]
pub struct Findings {
    /// The entities, in order of place.
    pub entities: Vec<Entity>,
    /// The fields of an invoice.
    pub fields: Fields,
    /// What people should know.
    pub warnings: Vec<String>,
}

/// Finds the entities of these kinds. `page_at` tells the page of a byte of the text.
pub fn find(text: &str, language: &str, kinds: &[EntityType], page_at: &dyn Fn(usize) -> Option<u32>) -> Findings {
    let lines = Lines::of(text);
    let accounts = accounts::find(text);
    let broken_accounts = accounts.broken.len();
    let mut found = accounts.found;
    found.extend(contacts::find(text));
    found.extend(references::find(text, &lines));
    let currency = amounts::main_currency(text);
    found.extend(dates::find(text, language, currency));
    found.extend(amounts::find(text));
    found.extend(names::find(text));
    let mut found = without_overlaps(found, &accounts.broken);
    labels::assign(text, &lines, &mut found);
    let sums = roles::sums(text, &lines, &found);
    roles::assign(&mut found, &sums, text, currency);
    let fields = Fields::choose(&found, &sums, currency.filter(|_| !sums.is_empty()));
    found.retain(|one| kinds.contains(&one.kind));
    let mut warnings = Vec::new();
    if broken_accounts > 0 {
        warnings.push(format!("{broken_accounts} number(s) look like an IBAN, but the check digits do not hold"));
    }
    if found.len() > MOST {
        warnings.push(format!("the text names {} entities; the first {MOST} are given", found.len()));
        found.truncate(MOST);
    }
    Findings { entities: with_places(text, found, page_at), fields, warnings }
}

/// The more certain kind wins; of one kind the longer span, of one length the more confident rule. Where a
/// `blocked` span stands, nothing is found.
fn without_overlaps(mut found: Vec<Found>, blocked: &[(usize, usize)]) -> Vec<Found> {
    found.sort_by(|a, b| {
        let length = |one: &Found| one.end - one.start;
        let by_kind = a.kind.cmp(&b.kind).then(length(b).cmp(&length(a)));
        by_kind.then(b.confidence.total_cmp(&a.confidence)).then(a.start.cmp(&b.start))
    });
    let mut taken: BTreeMap<usize, usize> = blocked.iter().copied().collect();
    let mut kept = Vec::with_capacity(found.len());
    for one in found {
        let is_free = taken.range(..one.end).next_back().is_none_or(|(_, &end)| end <= one.start);
        if is_free && one.start < one.end {
            taken.insert(one.start, one.end);
            kept.push(one);
        }
    }
    kept.sort_by_key(|one| one.start);
    kept
}

/// From bytes to characters and pages. `found` is in order of place and free of overlaps: one walk does.
fn with_places(text: &str, found: Vec<Found>, page_at: &dyn Fn(usize) -> Option<u32>) -> Vec<Entity> {
    let (mut byte, mut character) = (0, 0);
    let mut entities = Vec::with_capacity(found.len());
    for one in found {
        let written = &text[one.start..one.end];
        character += text[byte..one.start].chars().count();
        let end = character + written.chars().count();
        entities.push(Entity {
            kind: one.kind,
            text: written.to_owned(),
            value: one.value,
            page: page_at(one.start),
            confidence: one.confidence,
            start: character,
            end,
            currency: one.currency,
            role: one.role,
        });
        (byte, character) = (one.end, end);
    }
    entities
}
