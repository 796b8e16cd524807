//! Patterns and their edges. A pattern says what something looks like; what it touches decides whether it is that.

/// A constant pattern, compiled at its first use.
macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: std::sync::LazyLock<regex::Regex> =
            std::sync::LazyLock::new(|| regex::Regex::new($text).expect("the pattern is constant, and a test uses it"));
    };
}
pub(super) use pattern;

/// No letter and no digit touches the span.
pub fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

/// The span is part of a longer number: a digit follows or precedes beyond one of these separators.
pub fn goes_on(text: &str, start: usize, end: usize, separators: &str) -> bool {
    let digit_beyond = |mut chars: Box<dyn Iterator<Item = char> + '_>| {
        chars.next().is_some_and(|c| separators.contains(c)) && chars.next().is_some_and(|c| c.is_ascii_digit())
    };
    digit_beyond(Box::new(text[..start].chars().rev())) || digit_beyond(Box::new(text[end..].chars()))
}
