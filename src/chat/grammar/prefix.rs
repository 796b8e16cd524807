//! Whether a line speaks to us.

use super::normalise::{Mark, folded};

/// Takes `/workflow`, `/wf` or `@name [workflow]` off the beginning; whether there was one, and what follows.
pub fn strip<'m>(line: &'m [Mark], names: &[&str]) -> (bool, &'m [Mark]) {
    let (first, rest) = word(line);
    if is_slash(&first) {
        return (true, rest);
    }
    let Some(name) = first.strip_prefix('@') else { return (false, line) };
    let name = name.trim_end_matches([',', ':']);
    if !names.iter().any(|known| folded(known) == name) {
        return (false, line);
    }
    match word(rest) {
        (second, after) if second == "workflow" || is_slash(&second) => (true, after),
        _ => (true, rest),
    }
}

fn is_slash(word: &str) -> bool {
    matches!(word, "/workflow" | "/wf")
}

/// The first word, folded, and what follows it.
pub fn word(line: &[Mark]) -> (String, &[Mark]) {
    let start = line.iter().take_while(|mark| mark.c.is_whitespace()).count();
    let line = &line[start..];
    let end = line.iter().position(|mark| mark.c.is_whitespace()).unwrap_or(line.len());
    let word: String = line[..end].iter().take(100).map(|mark| mark.c).collect();
    (folded(&word), &line[end..])
}
