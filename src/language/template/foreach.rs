//! `foreach`: a list, or a map that says more about how its items run.

use super::super::report::{Findings, Mark};
use super::super::source::{Kind, Node};
use super::fields::Fields;
use super::{Marked, keys};
use crate::domain::code;
use crate::domain::plan::OnItemError;

/// Items at the same time, when nothing is said.
const PARALLEL: u32 = 8;
/// Items at the same time at the most.
const MAX_PARALLEL: u32 = 10_000;
/// Items of one list at the most.
pub const MAX_ITEMS: u32 = 100_000;

/// `foreach`, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreach {
    /// The list: a list of the file, or an expression.
    pub list: Node,
    /// `as`.
    pub name: Option<Marked<String>>,
    /// `key`.
    pub key: Option<Marked<String>>,
    /// `max_parallel`.
    pub max_parallel: u32,
    /// `batch`.
    pub batch: Option<u32>,
    /// `on_item_error`.
    pub on_item_error: OnItemError,
    /// `limit`.
    pub limit: u32,
    /// Where it stands.
    pub mark: Mark,
}

/// Reads `foreach`.
pub(super) fn read(fields: &Fields, findings: &mut Findings) -> Option<Foreach> {
    let entry = fields.entry("foreach")?;
    let plain = |list: &Node| Foreach {
        list: list.clone(),
        name: None,
        key: None,
        max_parallel: PARALLEL,
        batch: None,
        on_item_error: OnItemError::Stop,
        limit: MAX_ITEMS,
        mark: entry.mark,
    };
    let node = &entry.value;
    match &node.kind {
        Kind::List(_) | Kind::Text(_) => Some(plain(node)).filter(|_| is_list(node, findings)),
        Kind::Map(_) => {
            let inner = Fields::of(node, &keys::FOREACH, "`foreach`".to_owned(), findings)?;
            let Some(list) = inner.get("in") else {
                let fix = "add `in: ${{ ... }}`, or write the list itself";
                findings.error(code::WF1010, entry.mark, "`foreach` has no `in`: the list").fix(fix);
                return None;
            };
            let words = [("stop", OnItemError::Stop), ("collect", OnItemError::Collect)];
            let read = Foreach {
                name: inner.text("as", findings).filter(|name| is_name(name, findings)),
                key: inner.text("key", findings),
                max_parallel: inner.bounded("max_parallel", MAX_PARALLEL, findings).unwrap_or(PARALLEL),
                batch: inner.bounded("batch", MAX_ITEMS, findings),
                on_item_error: inner.word("on_item_error", &words, findings).unwrap_or_default(),
                limit: inner.bounded("limit", MAX_ITEMS, findings).unwrap_or(MAX_ITEMS),
                ..plain(list)
            };
            is_list(list, findings).then_some(read)
        }
        _ => fields.wrong("foreach", node, "a list, an expression, or a map with `in`", findings),
    }
}

fn is_list(node: &Node, findings: &mut Findings) -> bool {
    let fine = match &node.kind {
        Kind::List(_) => true,
        Kind::Text(text) => super::super::expression::whole(text).is_some(),
        _ => false,
    };
    if !fine {
        let message = format!("the list of `foreach` must be a list or one whole expression, not {}", node.describe());
        findings.error(code::WF1011, node.mark, message).fix("write `foreach: ${{ inputs.files }}`, or `[a, b]`");
    }
    fine
}

fn is_name(name: &Marked<String>, findings: &mut Findings) -> bool {
    let taken = super::super::expression::ROOTS.contains(&name.value.as_str()) && name.value != "item";
    if taken {
        let message = format!("`{}` has a meaning of its own in expressions", name.value);
        findings.error(code::WF1015, name.mark, message).fix("take another name");
    }
    !taken && super::step::check_id(name, findings)
}
