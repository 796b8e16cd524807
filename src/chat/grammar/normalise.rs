//! What phones and platforms make of a typed line, undone; what could deceive the eye, made visible. Every character
//! keeps the place where it stood, so that messages can say where.

use unicode_normalization::UnicodeNormalization as _;

/// A character and its place in the text as it was typed, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The character.
    pub c: char,
    /// Its place.
    pub at: usize,
}

/// How far a platform's form `<...>` may reach.
const LONGEST_FORM: usize = 2_048;

/// The line without platform forms (`<@U1|ana>` is `@ana`), with plain spaces and line ends, and with every invisible
/// or steering character written out.
pub fn normalise(text: impl Iterator<Item = char>) -> Vec<Mark> {
    let chars: Vec<char> = text.collect();
    let invisible = |c: &char| is_hidden(*c) && *c != '\n';
    let start = chars.iter().take_while(|c| invisible(c) || c.is_whitespace()).count();
    let end = chars.len() - chars.iter().rev().take_while(|c| invisible(c) || c.is_whitespace()).count();
    let mut marks = Vec::with_capacity(chars.len());
    let (mut at, mut in_block) = (start, false);
    while at < end {
        if chars[at..end].starts_with(&['`', '`', '`']) {
            in_block = !in_block;
            marks.extend((0..3).map(|more| Mark { c: '`', at: at + more + 1 }));
            at += 3;
            continue;
        }
        if !in_block
            && chars[at] == '<'
            && let Some((plain, length)) = form(&chars[at..end.min(at + LONGEST_FORM)])
        {
            for c in plain.chars() {
                push(&mut marks, c, at + 1);
            }
            at += length;
            continue;
        }
        if chars[at] == '\r' && chars.get(at + 1) == Some(&'\n') {
            at += 1;
            continue;
        }
        push(&mut marks, chars[at], at + 1);
        at += 1;
    }
    marks
}

fn push(marks: &mut Vec<Mark>, c: char, at: usize) {
    match c {
        '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{b}' | '\u{c}' => marks.push(Mark { c: '\n', at }),
        c if c.is_whitespace() => marks.push(Mark { c: ' ', at }),
        c if is_hidden(c) => marks.extend(c.escape_unicode().map(|c| Mark { c, at })),
        c => marks.push(Mark { c, at }),
    }
}

/// What a platform's form means, and how many characters it takes; `None` when it is none.
fn form(chars: &[char]) -> Option<(String, usize)> {
    let end = chars.iter().position(|c| *c == '>')?;
    let inner: String = chars[1..end].iter().collect();
    if inner.contains(['\n', '<']) {
        return None;
    }
    let (name, label) = inner.split_once('|').map_or((inner.as_str(), None), |(name, label)| (name, Some(label)));
    let label = label.filter(|label| !label.trim().is_empty());
    let plain = match name.chars().next()? {
        sign @ ('@' | '#') => {
            let name = label.unwrap_or(&name[1..]).trim_start_matches(sign);
            format!("{sign}{}", name.trim_start_matches('!'))
        }
        '!' => format!("@{}", label.unwrap_or(&name[1..]).trim_start_matches('@')),
        _ if name.starts_with("http://") || name.starts_with("https://") => name.to_owned(),
        _ => name.strip_prefix("mailto:")?.to_owned(),
    };
    Some((plain, end + 1))
}

/// Characters that cannot be seen, or that change how others are seen. The joiners of emoji and of Indic and
/// Persian scripts are left alone.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}'))
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// A foreign text that is shown as it is and does nothing: no hidden characters, no mention that rings, no link
/// that unfolds. At most `longest` characters.
#[must_use]
pub fn inert(text: &str, longest: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(longest * 4));
    for c in text.chars().take(longest) {
        match c {
            // A joiner between sign and name: reads the same, rings nowhere.
            '@' | '<' => shown.extend([c, '\u{2060}']),
            c if is_hidden(c) => shown.extend(c.escape_unicode()),
            '\n' | '\r' => shown.push(' '),
            c => shown.push(c),
        }
    }
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown.replace("://", ":\u{2060}//")
}

/// A word as it is compared: compatible forms folded (full-width, ligatures), small letters.
pub fn folded(word: &str) -> String {
    word.nfkc().flat_map(char::to_lowercase).collect()
}
