//! Lines and columns of a text: where the value of a label may stand.
//!
//! Forms put a value to the right of its label or beneath it. Text with its layout kept tells which.

/// How many lines beneath a label a value may stand.
const LINES_BENEATH: usize = 2;
/// How far left of its label a value beneath it may begin, in characters.
const SLACK: usize = 4;
/// How far right of its label a value may stand, in bytes.
const REACH: usize = 400;
/// A label further right than this, in bytes, stands in no form; keeps the search linear.
const WIDEST: usize = 2_000;

/// The line starts of a text.
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// The lines of this text.
    pub fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The spans of all lines, without their line ends.
    pub fn spans(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.starts.len()).map(|line| self.span(line))
    }

    /// The line that holds this byte.
    pub fn at(&self, byte: usize) -> (usize, usize) {
        self.span(self.number(byte))
    }

    /// The spans in which the value of a label may stand, the likeliest first: the rest of its line; where that
    /// is blank, the lines beneath from the label's column on.
    pub fn reach(&self, label: (usize, usize)) -> Vec<(usize, usize)> {
        let line = self.number(label.0);
        let (start, end) = self.span(line);
        let label_end = label.1.min(end);
        let right = (label_end, cut(self.text, label_end, end));
        if self.text[right.0..end].chars().any(char::is_alphanumeric) {
            return vec![right];
        }
        if label.0 - start > WIDEST {
            return vec![right];
        }
        let column = self.text[start..label.0].chars().count().saturating_sub(SLACK);
        let beneath = (line + 1..self.starts.len()).map(|line| self.span(line));
        beneath
            .filter(|&(start, end)| !self.text[start..end].trim().is_empty())
            .take(LINES_BENEATH)
            .map(|(start, end)| (nth_char(self.text, start, end, column), end))
            .map(|(start, end)| (start, cut(self.text, start, end)))
            .collect()
    }

    fn number(&self, byte: usize) -> usize {
        self.starts.partition_point(|&start| start <= byte).saturating_sub(1)
    }

    fn span(&self, line: usize) -> (usize, usize) {
        let start = self.starts[line];
        let end = self.starts.get(line + 1).map_or(self.text.len(), |next| next - 1);
        (start, end)
    }
}

/// The `n`-th character of a line; the end of the word it would cut in two.
fn nth_char(text: &str, start: usize, end: usize, n: usize) -> usize {
    let at = text[start..end].char_indices().nth(n).map_or(end, |(at, _)| start + at);
    if !text[start..at].ends_with(|c: char| !c.is_whitespace()) {
        return at;
    }
    text[at..end].find(char::is_whitespace).map_or(end, |gap| at + gap)
}

fn cut(text: &str, start: usize, end: usize) -> usize {
    let mut cut = end.min(start + REACH);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    cut.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_to_the_right_of_its_label_or_beneath_it() {
        let reach = |text: &str, label: &str| {
            let at = text.find(label).unwrap_or_default();
            let spans = Lines::of(text).reach((at, at + label.len()));
            spans.iter().map(|&(start, end)| text[start..end].trim().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(reach("Nr.: 17\n18", "Nr.:"), ["17"]);
        assert_eq!(reach("      Nr.\n\n80333   471102\nx", "Nr."), ["471102", ""]);
        assert_eq!(reach("Nr.", "Nr."), Vec::<String>::new());
    }
}
