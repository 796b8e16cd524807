//! Firms by their legal form, persons by their form of address. Names without either are not guessed.

use super::entity::{EntityType, Found};
use super::pattern::{pattern, stands_alone};

pattern!(
    FIRM,
    r"(?:[\p{Lu}\d][\p{L}\d&.'’+-]*[ ](?:(?:&|und|and|of|für)[ ])?){0,4}[\p{Lu}\d][\p{L}\d&.'’+-]*,?[ ](?:[Gg][Mm][Bb][Hh](?:[ ]?&[ ]?Co\.?[ ]?(?:KG|OHG))?|AG(?:[ ]?&[ ]?Co\.?[ ]?KG)?|SE|KG(?:aA)?|OHG|UG(?:[ ]\(haftungsbeschränkt\))?|e\.[ ]?V\.|e\.[ ]?G\.|a\.[ ]?G\.|(?:Pvt\.?[ ])?(?:Ltd|LTD)\.?|Limited|Inc\.?|LLC|L\.L\.C\.|LLP|PLC|plc|Corp\.?|Corporation|SAS|SARL|S\.A\.R\.L\.|S\.A\.|B\.V\.|N\.V\.|S\.p\.A\.|S\.r\.l\.|(?:SDN\.?|Sdn\.?)[ ](?:BHD|Bhd)\.?)"
);
pattern!(
    PERSON,
    r"\b(?:Herrn?|Frau|Mr\.?|Mrs\.?|Ms\.?|Monsieur|Madame)[ ](?:(?:Dr|Prof)\.?(?:[ ]med\.?)?[ ]){0,2}(\p{Lu}[\p{Ll}'’]+(?:[ -]\p{Lu}[\p{Ll}'’]+){0,2})"
);

/// Words that begin a sentence or a label, and no firm.
const NOT_A_NAME: &[&str] = &[
    "Die",
    "Der",
    "Das",
    "Den",
    "Dem",
    "Des",
    "The",
    "Ihre",
    "Ihr",
    "Unsere",
    "Firma",
    "Bei",
    "Von",
    "An",
    "In",
    "Mit",
    "Für",
    "Zur",
    "Zum",
    "From",
    "To",
    "By",
    "For",
    "And",
    "Und",
    "Verkäufer",
    "Käufer",
    "Lieferant:",
    "Company",
    "Seit",
    "Sold",
    "Bank",
    "Eine",
    "Als",
    "Auch",
];
/// Forms of address stand before other words, too.
const NOT_A_PERSON: &[&str] = &["Doktor", "Direktor", "Präsident", "President", "Chairman", "Und"];

/// All firms and persons of a text that say they are.
pub fn find(text: &str) -> Vec<Found> {
    let firms = FIRM.find_iter(text).filter_map(|hit| firm(text, hit));
    let persons = PERSON.captures_iter(text).filter_map(|captures| person(text, captures.get(1)?));
    firms.chain(persons).collect()
}

fn firm(text: &str, hit: regex::Match<'_>) -> Option<Found> {
    let mut start = hit.start();
    while let Some((first, rest)) = text[start..hit.end()].split_once(' ') {
        let is_noise = NOT_A_NAME.contains(&first) || !first.chars().any(char::is_alphabetic) || first.ends_with('.');
        if !is_noise || !rest.contains(' ') {
            break;
        }
        start = hit.end() - rest.len();
    }
    let name = &text[start..hit.end()];
    let first = name.split(' ').next().unwrap_or_default();
    let is_name = !NOT_A_NAME.contains(&first) && first.chars().filter(|c| c.is_alphabetic()).count() > 1;
    let is_alone = stands_alone(text, start, hit.end());
    (is_name && is_alone).then(|| Found::new(EntityType::Organisation, (start, hit.end()), name.to_owned(), 0.7))
}

fn person(text: &str, hit: regex::Match<'_>) -> Option<Found> {
    let first = hit.as_str().split([' ', '-']).next().unwrap_or_default();
    let fits = !NOT_A_PERSON.contains(&first) && stands_alone(text, hit.start(), hit.end());
    fits.then(|| Found::new(EntityType::Person, (hit.start(), hit.end()), hit.as_str().to_owned(), 0.6))
}
