//! On which page a place of the text lies.

use serde_json::Value;

/// Where each page begins in the text, as far as that is known.
#[derive(Debug, Default)]
pub struct PageStarts {
    starts: Vec<(usize, u32)>,
    known_to: usize,
}

impl PageStarts {
    /// The pages of a text: those of the `pages` port if the text is made of them in order, else those between
    /// form feeds. A text with neither has no known pages.
    #[must_use]
    pub fn of(text: &str, pages: Option<&Value>) -> Self {
        match pages.and_then(Value::as_array) {
            Some(pages) => Self::in_order(text, pages),
            None => Self::between_form_feeds(text),
        }
    }

    /// The page of this byte.
    #[must_use]
    pub fn at(&self, byte: usize) -> Option<u32> {
        let place = self.starts.partition_point(|&(start, _)| start <= byte);
        let &(_, page) = self.starts.get(place.checked_sub(1)?)?;
        (byte < self.known_to).then_some(page)
    }

    /// Number and first character of each page, counted in characters of the text.
    #[must_use]
    pub fn in_characters(&self, text: &str) -> Vec<(u32, usize)> {
        let (mut byte, mut character) = (0, 0);
        let count = |&(start, page): &(usize, u32)| {
            character += text[byte..start].chars().count();
            byte = start;
            (page, character)
        };
        self.starts.iter().map(count).collect()
    }

    fn in_order(text: &str, pages: &[Value]) -> Self {
        let mut starts = Vec::with_capacity(pages.len());
        let mut at = 0;
        for (place, page) in pages.iter().enumerate() {
            let content = page.get("text").and_then(Value::as_str).unwrap_or_default().trim();
            if content.is_empty() {
                continue;
            }
            let start = text.len() - text[at..].trim_start().len();
            if !text[start..].starts_with(content) {
                return Self { starts, known_to: at }; // the text was changed on its way here
            }
            starts.push((start, number(page, place)));
            at = start + content.len();
        }
        Self { starts, known_to: at }
    }

    fn between_form_feeds(text: &str) -> Self {
        if !text.contains('\u{c}') {
            return Self::default();
        }
        let later = text.match_indices('\u{c}').zip(2..).map(|((at, _), page)| (at + 1, page));
        Self { starts: std::iter::once((0, 1)).chain(later).collect(), known_to: text.len() }
    }
}

fn number(page: &Value, place: usize) -> u32 {
    let written = page.get("number").and_then(Value::as_u64);
    written.and_then(|number| number.try_into().ok()).unwrap_or_else(|| u32::try_from(place + 1).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_lies_on_the_page_whose_text_holds_it() {
        let pages =
            json!([{"number": 1, "text": "  one\n"}, {"number": 2, "text": ""}, {"number": 3, "text": "three"}]);
        let text = "  one\n\nthree tail";
        let starts = PageStarts::of(text, Some(&pages));
        assert_eq!([3, 8, 14].map(|byte| starts.at(byte)), [Some(1), Some(3), None]);
        assert_eq!(PageStarts::of("é\u{c}b", None).in_characters("é\u{c}b"), [(1, 0), (2, 2)]);
        let starts = PageStarts::of("a\u{c}b", None);
        assert_eq!([0, 2].map(|byte| starts.at(byte)), [Some(1), Some(2)]);
        assert_eq!(PageStarts::of("ab", None).at(0), None);
        assert_eq!(PageStarts::of("changed", Some(&pages)).at(0), None);
    }
}
