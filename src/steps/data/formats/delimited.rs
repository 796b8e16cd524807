//! Tables whose cells are separated by a character. Each cell stays the text that it is: `007`, `1.50`, ` x `.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};
use serde_json::Value;

use super::{Row, Table};
use crate::domain::code;
use crate::domain::fault::Fault;

/// How the table is written.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    /// What separates the cells.
    pub delimiter: u8,
    /// The names of the columns, where the text does not begin with them.
    pub columns: Option<&'a [String]>,
}

/// The rows of a delimited text.
///
/// # Errors
/// `WF2410` when two columns have one name, `WF2403` at the first line with more or fewer cells than columns.
pub fn read(text: &str, style: Style<'_>) -> Result<Table, Fault> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(style.delimiter).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut warnings = Vec::new();
    let columns: Vec<String> = match style.columns {
        Some(columns) => columns.to_vec(),
        None if next(&mut reader, &mut record)? => header(&record, &mut warnings),
        None => return Ok(Table { rows: Vec::new(), warnings: vec!["there is not even a header".to_owned()] }),
    };
    refuse_twins(&columns)?;
    refuse_open_quote(text, style.delimiter)?;
    let mut rows = Vec::new();
    while next(&mut reader, &mut record)? {
        if record.len() != columns.len() {
            return Err(ragged(&record, columns.len()));
        }
        let cells = columns.iter().zip(&record).map(|(name, cell)| (name.clone(), Value::String(cell.to_owned())));
        rows.push(cells.collect::<Row>());
    }
    if columns.len() == 1 && warnings.is_empty() {
        warnings.extend(suspicion(&columns[0], style.delimiter));
    }
    Ok(Table { rows, warnings })
}

fn next(reader: &mut csv::Reader<&[u8]>, record: &mut StringRecord) -> Result<bool, Fault> {
    reader.read_record(record).map_err(|error| Fault::permanent(code::WF2403, format!("no table: {error}")))
}

/// The names of the columns; one without a name is called by its place.
fn header(record: &StringRecord, warnings: &mut Vec<String>) -> Vec<String> {
    let name = |(at, cell): (usize, &str)| {
        if !cell.trim().is_empty() {
            return cell.to_owned();
        }
        warnings.push(format!("column {} has no name and is called `column_{}`", at + 1, at + 1));
        format!("column_{}", at + 1)
    };
    record.iter().enumerate().map(name).collect()
}

fn refuse_twins(columns: &[String]) -> Result<(), Fault> {
    let mut seen = HashMap::with_capacity(columns.len());
    for (at, name) in columns.iter().enumerate() {
        if let Some(first) = seen.insert(name, at) {
            let message = format!("columns {} and {} are both called `{name}`", first + 1, at + 1);
            return Err(Fault::permanent(code::WF2410, message).fix("give each column a name of its own"));
        }
    }
    Ok(())
}

/// A quote that is never closed would make one cell of all the rest.
fn refuse_open_quote(text: &str, delimiter: u8) -> Result<(), Fault> {
    let (mut line, mut begins, mut open) = (1, true, None);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        line += usize::from(byte == b'\n');
        if open.is_some() {
            let escaped = byte == b'"' && bytes.next_if_eq(&b'"').is_some();
            if byte == b'"' && !escaped {
                open = None;
            }
            continue;
        }
        open = (byte == b'"' && begins).then_some(line);
        begins = byte == delimiter || byte == b'\n' || byte == b'\r';
    }
    match open {
        Some(line) => {
            Err(Fault::permanent(code::WF2403, format!("line {line}: the quote that begins a cell is never closed"))
                .fix("close it; a quote inside a cell is written twice"))
        }
        None => Ok(()),
    }
}

fn ragged(record: &StringRecord, columns: usize) -> Fault {
    let line = record.position().map_or(0, csv::Position::line);
    let message = format!("line {line} has {} cells, and there are {columns} columns", record.len());
    Fault::permanent(code::WF2403, message).fix("correct the line: a cell that holds the delimiter wants quotes")
}

/// A single column whose name holds another usual delimiter was probably meant to be several.
fn suspicion(name: &str, delimiter: u8) -> Option<String> {
    let other = [',', ';', '\t', '|']
        .into_iter()
        .find(|other| u32::from(*other) != u32::from(delimiter) && name.contains(*other))?;
    let shown = if other == '\t' { "\\t".to_owned() } else { other.to_string() };
    Some(format!("there is one column only, called `{name}`: is `delimiter: \"{shown}\"` meant?"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COMMA: Style<'static> = Style { delimiter: b',', columns: None };

    #[test]
    fn cells_stay_the_text_that_they_are() {
        let table =
            read("id,plz,n\r\n007, 01067 ,\"a\nb, \"\"c\"\"\"\n1.50,,12345678901234567890123\n", COMMA).expect("rows");
        assert_eq!(
            json!(table.rows),
            json!([
                {"id": "007", "plz": " 01067 ", "n": "a\nb, \"c\""},
                {"id": "1.50", "plz": "", "n": "12345678901234567890123"}
            ])
        );
    }

    #[test]
    fn what_would_lose_a_cell_is_refused_by_its_line() {
        let refused = |text: &str| read(text, COMMA).expect_err("refused").message;
        assert_eq!(refused("a,b\n1,2\n1,2,3\n"), "line 3 has 3 cells, and there are 2 columns");
        assert_eq!(refused("a,b\n1\n"), "line 2 has 1 cells, and there are 2 columns");
        assert_eq!(refused("a,b\n1,2\n3,\"x\ny,z\n4,5\n"), "line 3: the quote that begins a cell is never closed");
        assert_eq!(refused("a,b,a\n"), "columns 1 and 3 are both called `a`");
    }

    #[test]
    fn odd_headers_are_told() {
        let table = read("a,,c\n1,2,3\n", COMMA).expect("rows");
        assert_eq!(json!(table.rows), json!([{"a": "1", "column_2": "2", "c": "3"}]));
        assert_eq!(table.warnings.len(), 1);
        let table = read("a;b\n1;2\n", COMMA).expect("rows");
        assert!(table.warnings[0].contains("delimiter: \";\""), "{:?}", table.warnings);
        assert_eq!(read("", COMMA).expect("nothing").rows.len(), 0);
        let named = ["x".to_owned(), "y".to_owned()];
        let table = read("1\t2\n", Style { delimiter: b'\t', columns: Some(&named) }).expect("rows");
        assert_eq!(json!(table.rows), json!([{"x": "1", "y": "2"}]));
    }
}
