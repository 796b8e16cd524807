//! The lines of a `.env` file: `NAME=value`, comments, quotes. Other programs' variables pass through unseen.

use super::settings::PREFIX;

/// A line that says something to us.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub number: usize,
    pub name: String,
    pub value: String,
}

/// A line that cannot be read: its number, and why.
pub(super) type Unreadable = (usize, &'static str);

/// Our variables, and the lines that are neither assignment nor comment.
pub(super) fn lines(text: &str) -> Vec<Result<Line, Unreadable>> {
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).filter_map(line).collect()
}

fn line((number, line): (usize, &str)) -> Option<Result<Line, Unreadable>> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let Some((name, value)) = line.split_once('=') else {
        return line.starts_with(PREFIX).then_some(Err((number, "it has no `=`")));
    };
    let name = name.trim();
    if !name.starts_with(PREFIX) {
        return None;
    }
    Some(value_of(value.trim()).map(|value| Line { number, name: name.to_owned(), value }).map_err(|why| (number, why)))
}

/// A quoted value ends with its quote; a bare one before a `#` that follows a space.
fn value_of(text: &str) -> Result<String, &'static str> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let comment = text.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || text[..*at].ends_with([' ', '\t'])));
        let end = comment.map_or(text.len(), |(at, _)| at);
        return Ok(text[..end].trim_end().to_owned());
    };
    let (value, rest) = text[1..].split_once(quote).ok_or("its quote is not closed")?;
    let rest = rest.trim();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(value.to_owned())
    } else {
        Err("something follows its closing quote")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_people_write_it() {
        for (text, value) in [
            ("WORKFLOW_LOG=info", "info"),
            ("  export WORKFLOW_LOG = info  ", "info"),
            ("WORKFLOW_LOG=info           # what is logged", "info"),
            ("WORKFLOW_LOG=a#b", "a#b"),
            ("WORKFLOW_LOG=  # nothing", ""),
            ("WORKFLOW_LOG=\"a b # c\" # d", "a b # c"),
            ("WORKFLOW_LOG='a=b'", "a=b"),
            ("WORKFLOW_LOG=ü # ä", "ü"),
        ] {
            let expected = Line { number: 1, name: "WORKFLOW_LOG".into(), value: value.into() };
            assert_eq!(lines(text), [Ok(expected)], "{text}");
        }
    }

    #[test]
    fn other_programs_lines_are_not_ours_to_judge() {
        assert_eq!(lines("# WORKFLOW_LOG=x\n\nPOSTGRES_PASSWORD='unclosed\nsource other.sh"), []);
    }

    #[test]
    fn a_line_of_ours_that_cannot_be_read_is_told_with_its_number() {
        assert_eq!(lines("\nWORKFLOW_LOG"), [Err((2, "it has no `=`"))]);
        assert_eq!(lines("WORKFLOW_LOG=\"x"), [Err((1, "its quote is not closed"))]);
        assert_eq!(lines("WORKFLOW_LOG='x'y"), [Err((1, "something follows its closing quote"))]);
    }
}
