//! Slack's texts: its forms undone in what comes in, foreign text made inert in what goes out. Pure.

/// What somebody typed: `<@U1|ana>` is `@ana`, a link is its address, `&amp;` is `&`; whoever speaks to us (`bot_user`) says `@workflow`.
#[must_use]
pub fn typed(text: &str, bot_user: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        plain.push_str(&unescaped(&rest[..start]));
        let Some(length) = rest[start..].find('>') else {
            plain.push_str(&unescaped(&rest[start..]));
            return plain;
        };
        plain.push_str(&form(&rest[start + 1..start + length], bot_user));
        rest = &rest[start + length + 1..];
    }
    plain.push_str(&unescaped(rest));
    plain
}

/// What stands between `<` and `>`.
fn form(inner: &str, bot_user: &str) -> String {
    let (name, label) = inner.split_once('|').map_or((inner, ""), |(name, label)| (name, label.trim()));
    let told = |other: &str| unescaped(if label.is_empty() { other } else { label });
    match name.as_bytes().first() {
        Some(b'@') if !bot_user.is_empty() && &name[1..] == bot_user => "@workflow".to_owned(),
        Some(sign @ (b'@' | b'#')) => {
            let sign = char::from(*sign);
            format!("{sign}{}", told(&name[1..]).trim_start_matches(sign))
        }
        Some(b'!') if name.starts_with("!date^") => told(""),
        Some(b'!') => format!("@{}", told(&name[1..]).trim_start_matches('@')),
        _ => {
            let address = unescaped(name.strip_prefix("mailto:").unwrap_or(name));
            let label = unescaped(label);
            // Slack makes links of what only looks like one: `report.com` was typed, not `http://report.com`.
            let is_made = ["http://", "https://"].iter().any(|scheme| address.strip_prefix(scheme) == Some(&label));
            if is_made { label } else { address }
        }
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A text that Slack shows as it is, in places where it would read forms in it.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The beginning of a text, at most so many characters, with a sign where something is left out.
#[must_use]
pub fn clipped(text: &str, longest: usize) -> String {
    if text.chars().nth(longest).is_none() {
        return text.to_owned();
    }
    let mut clipped: String = text.chars().take(longest.saturating_sub(1)).collect();
    clipped.push('…');
    clipped
}

/// The beginning of a text that is at most so many bytes once it is escaped: whole lines, and how many more there are.
#[must_use]
pub fn escaped_within(text: &str, bytes: usize) -> String {
    let whole = escaped(text);
    if whole.len() <= bytes {
        return whole;
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = String::new();
    for (place, line) in lines.iter().enumerate() {
        let line = escaped(&clipped(line, 300));
        // Room for the words about what is left out.
        if kept.len() + line.len() + 40 > bytes {
            kept.push_str(&format!("… and {} more lines", lines.len() - place));
            return kept;
        }
        kept.push_str(&line);
        kept.push('\n');
    }
    kept.truncate(kept.trim_end().len());
    kept
}

/// Whether this is an id as Slack makes them, so that it can stand in a mention.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (2..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_undone_and_the_mention_of_the_bot_is_its_name() {
        for (slack, plain) in [
            ("<@UBOT> run invoice", "@workflow run invoice"),
            ("<@UBOT|flow> status", "@workflow status"),
            ("approver=<@U1|ana> in <#C1|ops> and <#C2|>", "approver=@ana in #ops and #C2"),
            ("source=<https://a.test/x?a=1&amp;b=2>", "source=https://a.test/x?a=1&b=2"),
            ("source=<https://a.test/x|a page>", "source=https://a.test/x"),
            ("name=<http://report.com|report.com>", "name=report.com"),
            ("to=<mailto:ana@a.test|ana@a.test>", "to=ana@a.test"),
            ("<!here> <!subteam^S1|@ops> <!date^1^{date}|then>", "@here @ops then"),
            ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
            ("a < b", "a < b"),
            ("&lt;@U1&gt;", "<@U1>"),
        ] {
            assert_eq!(typed(slack, "UBOT"), plain, "{slack}");
        }
    }

    #[test]
    fn a_long_text_keeps_whole_lines_and_says_how_many_are_left_out() {
        let text = (0..100).map(|n| format!("line {n} & more")).collect::<Vec<_>>().join("\n");
        let kept = escaped_within(&text, 500);
        assert!(kept.len() <= 500 && kept.starts_with("line 0 &amp; more\n"), "{kept}");
        assert!(kept.ends_with("more lines"), "{kept}");
        assert_eq!(escaped_within("<a>", 500), "&lt;a&gt;");
        let one = escaped_within(&"&".repeat(10_000), 4_000);
        assert!(one.len() <= 4_000, "{}", one.len());
    }
}
