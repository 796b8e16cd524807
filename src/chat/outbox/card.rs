//! A message as a card. Pure. What workflows say is made of foreign data, so nothing in it rings or links by itself; a
//! link that its author wrote as one stays whole.

use crate::chat::grammar::inert;
use crate::domain::card::{Card, CardKind};
use crate::domain::message::Message;

/// Characters of a title.
const TITLE: usize = 200;
/// Characters of the name of a field, of a link, of a person.
const NAME: usize = 60;
/// Characters of the value of a field.
const VALUE: usize = 1_000;
/// Fields, links and people on one card.
const MOST: usize = 25;
/// Characters that are kept for what stands around the text.
const AROUND: usize = 500;

/// The card of a message, its text at most so many characters long.
#[must_use]
pub fn card(message: &Message, longest: usize) -> Card {
    let text = lines(&message.text, longest.saturating_sub(AROUND));
    let mut card = Card::new(CardKind::Message, inert(&message.title, TITLE)).verdict(text);
    card.mentions = message.mentions.iter().take(MOST).map(|name| person(name)).collect();
    card.mentions.retain(|name| !name.is_empty());
    for field in message.fields.iter().take(MOST) {
        card = card.field(inert(&field.name, NAME), inert(&field.value, VALUE));
    }
    for link in message.links.iter().take(MOST) {
        let url = if is_plain(&link.url) { link.url.clone() } else { inert(&link.url, VALUE) };
        card = card.field(inert(&link.text, NAME), url);
    }
    card.sealed()
}

/// A text line by line.
fn lines(text: &str, longest: usize) -> String {
    let cut: String = text.chars().take(longest).collect();
    let mut shown = cut.lines().map(|line| inert(line, longest)).collect::<Vec<_>>().join("\n");
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

/// The name or id of a person, without any sign that a platform could read as more.
fn person(name: &str) -> String {
    let plain = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    name.chars().filter(plain).take(NAME).collect::<String>().trim().to_owned()
}

/// A web address without anything that a platform or a reader could take for something else.
fn is_plain(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]!$&'()*+,;=%".contains(c);
    rest.is_some_and(|rest| !rest.is_empty() && url.len() <= VALUE && rest.chars().all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::card::Field;
    use crate::domain::message::Link;

    #[test]
    fn what_is_said_is_shown_and_rings_nowhere() {
        let message = Message {
            title: "@everyone\nlook".to_owned(),
            text: "first <!channel>\nsecond https://evil.test".to_owned(),
            fields: vec![Field { name: "who".to_owned(), value: "<@U1>".to_owned() }],
            links: vec![
                Link { text: "Run".to_owned(), url: "https://flows.acme.eu/r/1?x=2".to_owned() },
                Link { text: "Odd".to_owned(), url: "https://a@b|c".to_owned() },
            ],
            mentions: vec!["@bob".to_owned(), "<!here>".to_owned(), "!".to_owned()],
            ..Message::default()
        };
        let card = card(&message, 1_000);
        let hidden = card.text.replace('\u{2060}', "·");
        assert_eq!(
            hidden,
            "for bob, here\n@·everyone look\nfirst <·!channel>\nsecond https:·//evil.test\n  who: <·@·U1>\n  \
             Run: https://flows.acme.eu/r/1?x=2\n  Odd: https:·//a@·b|c"
        );
    }

    #[test]
    fn a_long_text_ends_where_its_platform_ends() {
        let message = Message { text: "ä".repeat(10_000), ..Message::default() };
        assert_eq!(card(&message, 2_000).text.chars().count(), 1_501);
    }
}
