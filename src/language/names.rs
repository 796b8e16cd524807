//! Ids out of names, and names out of types.

/// The longest id.
const LONGEST: usize = 64;

/// A name as an id: small letters, digits and `_`; `Extract Text` is `extract_text`. Empty when nothing is left.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'a'..='z' | '0'..='9' => {
                slug.push(c);
                continue;
            }
            'ä' => "ae",
            'ö' => "oe",
            'ü' => "ue",
            'ß' => "ss",
            'à'..='å' => "a",
            'è'..='ë' => "e",
            'ì'..='ï' => "i",
            'ò'..='ô' => "o",
            'ù'..='û' => "u",
            'ç' => "c",
            'ñ' => "n",
            _ if slug.ends_with('_') || slug.is_empty() => "",
            _ => "_",
        };
        slug.push_str(plain);
    }
    slug.truncate(LONGEST);
    slug.truncate(slug.trim_end_matches('_').len());
    if slug.starts_with(|c: char| c.is_ascii_digit()) {
        slug.insert_str(0, "n_");
        slug.truncate(LONGEST);
    }
    slug
}

/// A type as a name: `send_email` is `Send Email`.
pub(super) fn humanise(kind: &str) -> String {
    let words = kind.split(['_', '-', ' ', '/', '.']).filter(|word| !word.is_empty()).map(|word| {
        let mut chars = word.chars();
        let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
        first + chars.as_str()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The slug that a file's name gives its workflow, if it is the name of a workflow file.
pub(super) fn file_slug(name: &str) -> Option<String> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let (stem, extension) = file.rsplit_once('.')?;
    matches!(extension, "yaml" | "yml" | "json").then(|| slug(stem)).filter(|slug| !slug.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_an_id() {
        for (name, id) in [
            ("Extract Text", "extract_text"),
            ("  Prüfe -- Größe! ", "pruefe_groesse"),
            ("Écrire", "ecrire"),
            ("3 Wege", "n_3_wege"),
            ("日本", ""),
        ] {
            assert_eq!(slug(name), id, "{name}");
        }
        assert_eq!(slug(&"x ".repeat(100)).len(), 63);
        assert_eq!(humanise("fetch_api1"), "Fetch Api1");
        assert_eq!(file_slug("templates/document_processing.yaml").as_deref(), Some("document_processing"));
        assert_eq!(file_slug("request"), None);
    }
}
