//! `normalize`: one spelling for names and texts. Changes how a value is written, never what it means.

use std::collections::HashMap;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::domain::code;
use crate::domain::fault::Fault;
use crate::steps::data::formats::Row;
use crate::steps::data::rows::is_ours;

/// Normalizes rows and counts what it changed.
#[derive(Debug, Default)]
pub struct Normalizer {
    names: HashMap<String, String>,
    /// Cells that look different now.
    pub cells: u64,
}

impl Normalizer {
    /// The row in one spelling; `number` is its place, for people.
    ///
    /// # Errors
    /// `WF2410` when two columns would get one name, or one would get none.
    pub fn row(&mut self, row: Row, number: usize) -> Result<Row, Fault> {
        let mut clean = Row::with_capacity(row.len());
        let mut names = Vec::with_capacity(row.len());
        for (name, value) in row {
            let new = self.name(&name);
            if new.is_empty() {
                let message = format!("row {number}: the column `{name}` has no letter or digit in its name");
                return Err(Fault::permanent(code::WF2410, message).fix("give the column a name"));
            }
            if clean.contains_key(&new) {
                let first: &String = &names[clean.keys().take_while(|known| **known != new).count()];
                let message = format!("row {number}: the columns `{first}` and `{name}` would both become `{new}`");
                return Err(Fault::permanent(code::WF2410, message).fix("rename one of them at the source"));
            }
            let value = self.value(value);
            clean.insert(new, value);
            names.push(name);
        }
        Ok(clean)
    }

    /// How many columns have another name now.
    #[must_use]
    pub fn renamed(&self) -> usize {
        self.names.iter().filter(|(old, new)| old != new).count()
    }

    fn name(&mut self, name: &str) -> String {
        if is_ours(name) {
            return name.to_owned();
        }
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let new = snake_case(name);
        self.names.insert(name.to_owned(), new.clone());
        new
    }

    /// The value with every text in it cleaned; of a whole cell an empty text is nothing.
    fn value(&mut self, value: Value) -> Value {
        let (changed, after) = match value {
            Value::String(text) => {
                let tidy = tidy(&text);
                let after = if tidy.is_empty() { Value::Null } else { tidy.into() };
                (after.as_str() != Some(text.as_str()), after)
            }
            nested @ (Value::Array(_) | Value::Object(_)) => {
                let after = clean(nested.clone());
                (after != nested, after)
            }
            other => (false, other),
        };
        self.cells += u64::from(changed);
        after
    }
}

fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(tidy(&text)),
        Value::Array(items) => items.into_iter().map(clean).collect(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, clean(value))).collect(),
        other => other,
    }
}

/// The text composed (NFC), without space at its ends, each run of spaces one space. Line breaks stay.
#[must_use]
pub fn tidy(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if text.bytes().all(plain) && text.trim().len() == text.len() && !text.contains("  ") {
        return text.to_owned(); // as most texts are
    }
    let composed: String = text.nfc().collect();
    let lines = composed.split('\n').map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The name in small letters, words parted by `_`: `Product Name`, `productName` and `product-name` are
/// `product_name`. Letters of all scripts stay.
#[must_use]
pub fn snake_case(name: &str) -> String {
    // Some capital letters have no small form; they begin no word, for they would do so again each time.
    let is_upper = |c: char| c.is_uppercase() && !c.to_lowercase().eq([c]);
    let chars: Vec<char> = name.nfc().collect();
    let mut out = String::with_capacity(name.len());
    for (at, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() && !is_combining_mark(c) {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        let ends_word = |before: char| {
            let acronym_ends = is_upper(before) && chars.get(at + 1).is_some_and(|after| after.is_lowercase());
            before.is_lowercase() || before.is_numeric() || acronym_ends
        };
        if is_upper(c) && at > 0 && ends_word(chars[at - 1]) && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    let out: String = out.trim_end_matches('_').nfc().collect();
    // A mark of something private or internal is part of the name.
    if name.starts_with('_') && !out.is_empty() { format!("_{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_become_snake_case() {
        for (name, wanted) in [
            ("Product Name", "product_name"),
            ("productName", "product_name"),
            ("HTTPServer", "http_server"),
            ("  Größe (cm) ", "größe_cm"),
            ("id", "id"),
            ("_id", "_id"),
            ("A", "a"),
            ("page2Title", "page2_title"),
            ("Καλημέρα Κόσμε", "καλημέρα_κόσμε"),
            ("हिन्दी", "हिन्दी"),
            ("a\"; DROP TABLE x; --", "a_drop_table_x"),
            ("!!!", ""),
        ] {
            assert_eq!(snake_case(name), wanted, "{name}");
        }
    }

    #[test]
    fn texts_are_tidied_and_nothing_else_is_touched() {
        let mut normalizer = Normalizer::default();
        let row = json!({"Name": "  Tea \u{a0}  kettle ", "plz": "007", "n": 1.0, "e": "", "big": "12345678901234567890",
            "de": "Bo\u{308}hm", "lines": "a \r\n  b", "list": [" x "], "_meta": {"k": 1}});
        let Value::Object(row) = row else { panic!("a row") };
        let clean = normalizer.row(row, 1).expect("a row");
        assert_eq!(
            Value::Object(clean),
            json!({"name": "Tea kettle", "plz": "007", "n": 1.0, "e": null, "big": "12345678901234567890",
                "de": "Böhm", "lines": "a\nb", "list": ["x"], "_meta": {"k": 1}})
        );
        assert_eq!((normalizer.cells, normalizer.renamed()), (5, 1));
    }

    #[test]
    fn two_columns_never_become_one() {
        let Value::Object(row) = json!({"a b": 1, "A-B": 2}) else { panic!("a row") };
        let fault = Normalizer::default().row(row, 3).expect_err("a clash");
        assert_eq!(fault.code, code::WF2410);
        assert_eq!(fault.message, "row 3: the columns `a b` and `A-B` would both become `a_b`");
    }

    proptest::proptest! {
        #[test]
        fn tidying_twice_is_tidying_once(text: String) {
            let once = tidy(&text);
            proptest::prop_assert_eq!(tidy(&once), once);
            let name = snake_case(&text);
            proptest::prop_assert_eq!(snake_case(&name), name);
        }
    }
}
