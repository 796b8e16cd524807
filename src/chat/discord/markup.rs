//! Foreign text in Discord's markup: shown as it is, doing nothing. It calls nobody, links nowhere, formats nothing.

/// A joiner that nobody sees and that keeps two signs apart.
const JOINER: char = '\u{2060}';

/// A text that reads the same and does nothing.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 16);
    let chars: Vec<char> = text.chars().collect();
    let mut begins = true;
    for (at, &c) in chars.iter().enumerate() {
        let next = chars.get(at + 1).copied();
        let is_word = |other: Option<char>| other.is_some_and(char::is_alphanumeric);
        match c {
            '\\' | '*' | '~' | '|' | '`' | '[' => shown.extend(['\\', c]),
            // Within a word it is a letter to Discord too, and ids stay as they are.
            '_' if at > 0 && is_word(chars.get(at - 1).copied()) && is_word(next) => shown.push(c),
            '_' => shown.extend(['\\', c]),
            '#' | '>' | '-' | '+' if begins => shown.extend(['\\', c]),
            '.' if begins_with_number(&chars[..at]) && next == Some(' ') => shown.extend(['\\', c]),
            '@' | '<' if next != Some(JOINER) => shown.extend([c, JOINER]),
            c => shown.push(c),
        }
        begins = c == '\n' || (begins && c == ' ');
    }
    // Discord unfolds these without a scheme as well.
    shown.replace("://", &format!(":{JOINER}//")).replace(".gg/", &format!("{JOINER}.gg/"))
}

/// Whether a line consists of a number so far: `1.` would begin a list.
fn begins_with_number(before: &[char]) -> bool {
    let digits = before.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    let rest = &before[..before.len() - digits];
    digits > 0 && rest.iter().rev().find(|c| **c != ' ').is_none_or(|c| *c == '\n')
}

/// A text in letters of one width.
#[must_use]
pub fn block(text: &str) -> String {
    // Nothing within may end it.
    format!("```\n{}\n```", text.trim_end().replace("``", &format!("`{JOINER}`")))
}

/// At most so many characters of a text, with a sign where something was left out.
#[must_use]
pub fn cut(text: &str, longest: usize) -> String {
    if text.chars().nth(longest).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    // Half an escape would escape what follows it.
    kept.truncate(kept.trim_end_matches('\\').len());
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_shown_as_it_is_and_does_nothing() {
        for (text, shown) in [
            ("exec_01m8 of *all*", "exec_01m8 of \\*all\\*"),
            ("_a_ __b__ snake_case", "\\_a\\_ \\_\\_b\\_\\_ snake_case"),
            ("# no title\n- no list\n1. none\n> none", "\\# no title\n\\- no list\n1\\. none\n\\> none"),
            ("[click](https://evil.example)", "\\[click](https:\u{2060}//evil.example)"),
            ("@everyone <@1> <#2>", "@\u{2060}everyone <\u{2060}@\u{2060}1> <\u{2060}#2>"),
            ("discord.gg/abc", "discord\u{2060}.gg/abc"),
            ("a\\`b`", "a\\\\\\`b\\`"),
            ("in 1.5 s - soon", "in 1.5 s - soon"),
        ] {
            assert_eq!(escaped(text), shown);
        }
        assert_eq!(escaped("@\u{2060}ana"), "@\u{2060}ana", "what is inert already stays as it is");
        assert_eq!(block("a```b"), "```\na`\u{2060}``b\n```");
        assert_eq!(cut("abcdef", 3), "ab…");
        assert_eq!(cut("a\\*b", 3), "a…");
    }
}
