//! Finding `${{ ... }}` in a scalar. `$${{` stands for the characters `${{`.

/// What a scalar is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::language) enum Part<'t> {
    /// Text as it stands.
    Text(&'t str),
    /// An expression, trimmed, and where it begins in the scalar, in bytes.
    Expression(&'t str, usize),
}

/// An expression that does not end; the offset of its `${{`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::language) struct Unclosed(pub usize);

/// Whether a scalar must be looked at at all.
pub(in crate::language) fn has_marker(text: &str) -> bool {
    text.contains("${{")
}

/// The parts of a scalar, in order.
pub(in crate::language) fn parts(text: &str) -> Result<Vec<Part<'_>>, Unclosed> {
    let mut parts = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while let Some(found) = text[at..].find("${{") {
        let open = at + found;
        if text[..open].ends_with('$') && open > begin {
            // The escape: keep everything up to the first dollar, drop it, go on behind the braces.
            parts.push(Part::Text(&text[begin..open - 1]));
            begin = open;
            at = open + 3;
            continue;
        }
        let close = end(&text[open + 3..]).ok_or(Unclosed(open))? + open + 3;
        if open > begin {
            parts.push(Part::Text(&text[begin..open]));
        }
        let inside = &text[open + 3..close];
        let lead = inside.len() - inside.trim_start().len();
        parts.push(Part::Expression(inside.trim(), open + 3 + lead));
        begin = close + 2;
        at = begin;
    }
    if begin < text.len() {
        parts.push(Part::Text(&text[begin..]));
    }
    Ok(parts)
}

/// The expression of a scalar that is one whole `${{ ... }}`, and where it begins.
pub(in crate::language) fn whole(text: &str) -> Option<(&str, usize)> {
    let lead = text.len() - text.trim_start().len();
    let trimmed = text.trim();
    let inside = trimmed.strip_prefix("${{")?;
    let close = end(inside)?;
    if close + 2 != inside.len() {
        return None;
    }
    let begin = inside[..close].len() - inside[..close].trim_start().len();
    Some((inside[..close].trim(), lead + 3 + begin))
}

/// The expression of a place that wants one: bare, or as one whole `${{ ... }}`.
pub(in crate::language) fn inside(text: &str) -> (&str, usize) {
    whole(text).unwrap_or((text.trim(), text.len() - text.trim_start().len()))
}

/// Where the `}}` stands that ends an expression: not inside quotes, not the end of a map in it.
fn end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0usize;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth > 0 => depth -= 1,
            (None, '}') if text[at..].starts_with("}}") => return Some(at),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_falls_into_text_and_expressions() {
        use Part::{Expression, Text};
        for (text, expected) in [
            ("plain", vec![Text("plain")]),
            ("${{ a }}", vec![Expression("a", 4)]),
            ("x ${{a}}y", vec![Text("x "), Expression("a", 5), Text("y")]),
            ("${{ '}}' }}", vec![Expression("'}}'", 4)]),
            ("${{ {'a': {'b': 1}} }}", vec![Expression("{'a': {'b': 1}}", 4)]),
            ("$${{ a }}", vec![Text(""), Text("${{ a }}")]),
            ("5$ $${{a}} ${{ b }}", vec![Text("5$ "), Text("${{a}} "), Expression("b", 15)]),
            ("{{ a }}", vec![Text("{{ a }}")]),
        ] {
            assert_eq!(parts(text), Ok(expected), "{text}");
        }
        assert_eq!(parts("ab ${{ 'x }}"), Err(Unclosed(3)));
    }

    #[test]
    fn only_a_scalar_that_is_one_expression_is_whole() {
        assert_eq!(whole(" ${{ a }}\n"), Some(("a", 5)));
        for text in ["${{ a }} b", "${{ a }}${{ b }}", "$${{ a }}", "a", "${{ a"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
