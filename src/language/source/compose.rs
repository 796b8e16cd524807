//! Parser events to tree. Counts nodes, depth, aliases and bytes as it goes, so that a bomb ends early; keeps its own
//! stack, so that nothing nests too deep for the machine's.

use std::collections::HashMap;

use serde_yaml::granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle, Tag};

use super::hint;
use super::node::{Entry, Kind, Node};
use super::scalar::{self, Unkept};
use super::text::Source;
use crate::domain::code;
use crate::language::report::{Findings, Mark, Report};

const MAX_NODES: usize = 20_000;
const MAX_DEPTH: usize = 40;
const MAX_ALIASES: usize = 100;
const MAX_SCALAR_BYTES: usize = 2_000_000;

/// The tree of a file; `None` when it could not be read, which `findings` then tell.
pub(in crate::language) fn read(source: &Source, findings: &mut Findings) -> Option<Node> {
    source.check(findings);
    if findings.has_errors() {
        return None;
    }
    let mut options = Options::default();
    options.emit_comments = false;
    options.emit_unresolved_aliases = true;
    // JSON knows no limit on the length of a key; YAML's own is 1,024 characters.
    options.simple_key_max_lookahead = 16 * 1024;
    options.flow_nesting_limit = MAX_DEPTH + 1;
    options.block_nesting_limit = MAX_DEPTH + 1;
    let mut composer = Composer::new(findings);
    for step in Parser::new_from_str_with_options(&source.text, options) {
        let done = match step {
            Ok((event, span)) => {
                composer.tag_mark = span.tag_span().map(|tag| mark(&tag));
                composer.event(event, mark(&span))
            }
            Err(error) => {
                hint::syntax(composer.findings, &error);
                Err(Stop)
            }
        };
        if done.is_err() {
            return None;
        }
    }
    if composer.root.is_none() && !composer.findings.has_errors() {
        composer.findings.error(code::WF1010, Mark::default(), "the file is empty").fix(EMPTY);
    }
    composer.root
}

/// The value of a YAML or JSON text, read by the rules of the language.
///
/// # Errors
/// A report of everything that the rules refuse.
pub fn tree(source: &Source) -> Result<serde_json::Value, Report> {
    let mut findings = Findings::new(source);
    match read(source, &mut findings) {
        Some(root) if !findings.has_errors() => Ok(root.json()),
        _ => Err(findings.report()),
    }
}

const EMPTY: &str = "begin with `name:` and `steps:`";

/// The rest of the file cannot be read in a useful way; the reason is told.
struct Stop;

struct Composer<'f, 's> {
    findings: &'f mut Findings<'s>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Node>,
    /// Where the tag of the current event stands.
    tag_mark: Option<Mark>,
    nodes: usize,
    bytes: usize,
    aliases: usize,
    documents: usize,
}

/// A list or map that is being read.
struct Frame {
    mark: Mark,
    anchor: usize,
    flow: bool,
    nodes_before: usize,
    bytes_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        seen: HashMap<String, usize>,
        /// The key that waits for its value; `None` inside for a key that was refused.
        key: Option<Option<(String, Mark)>>,
        /// This map is a `{{ x }}` that somebody wrote without quotes; what it should have been.
        meant: Option<String>,
    },
}

/// A node that an alias may repeat, and what that costs.
struct Anchored {
    node: Node,
    nodes: usize,
    bytes: usize,
}

impl<'f, 's> Composer<'f, 's> {
    fn new(findings: &'f mut Findings<'s>) -> Self {
        Self {
            findings,
            stack: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            tag_mark: None,
            nodes: 0,
            bytes: 0,
            aliases: 0,
            documents: 0,
        }
    }

    fn event(&mut self, event: Event<'_>, mark: Mark) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) => self.document(mark),
            Event::Scalar(text, style, anchor, tag) => self.scalar((&text, style), anchor, tag.as_deref(), mark),
            Event::SequenceStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), "seq", mark);
                self.open(Content::List(Vec::new()), style, anchor, mark)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), "map", mark);
                let content = Content::Map { entries: Vec::new(), seen: HashMap::new(), key: None, meant: None };
                self.open(content, style, anchor, mark)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(mark),
            Event::Alias(id) => self.alias(id, mark),
            Event::UnresolvedAlias(name) => {
                let message = format!("`*{name}` repeats a value that no `&{name}` before it names");
                self.findings.error(code::WF1001, mark, message).fix("quote the text if it is meant to begin with `*`");
                self.attach(Node { mark, kind: Kind::Null }, false)
            }
            _ => Ok(()),
        }
    }

    fn document(&mut self, mark: Mark) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let message = "a second document begins here; a file holds one workflow";
        self.findings.error(code::WF1006, mark, message).fix("put it into a file of its own");
        Err(Stop)
    }

    fn scalar(
        &mut self,
        (text, style): (&str, ScalarStyle),
        anchor: usize,
        tag: Option<&Tag>,
        mark: Mark,
    ) -> Result<(), Stop> {
        self.spend(1, text.len(), mark)?;
        let plain = style == ScalarStyle::Plain;
        let kind = match tag.and_then(Tag::core_suffix) {
            Some("str") => Ok(Kind::Text(text.to_owned())),
            Some("int" | "float" | "bool" | "null") => scalar::plain(text),
            _ if tag.is_some_and(|tag| tag.original() == "!") => Ok(Kind::Text(text.to_owned())),
            _ if plain => scalar::plain(text),
            _ => Ok(Kind::Text(text.to_owned())),
        };
        if let Some(tag) = tag
            && !tag_fits(tag, kind.as_ref().ok())
        {
            self.refuse_tag(tag, mark);
        }
        let is_key = self.key_is_next();
        let kind = match kind {
            Ok(kind) => kind,
            Err(_) if is_key => Kind::Text(text.to_owned()),
            Err(reason) => {
                let (message, fix) = match reason {
                    Unkept::NotFinite => (format!("`{text}` is not a finite number"), "quote it if it is text"),
                    Unkept::TooLarge => (
                        format!("`{text}` has more digits than a number keeps exactly"),
                        "quote it: as text it stays as it is",
                    ),
                };
                self.findings.error(code::WF1011, mark, message).fix(fix);
                Kind::Text(text.to_owned())
            }
        };
        // A key is the text that stands there: `404:`, `true:` and `~:` are keys like any other.
        let kind = if is_key { Kind::Text(text.to_owned()) } else { kind };
        let node = Node { mark, kind };
        if anchor > 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes: 1, bytes: text.len() });
        }
        self.attach(node, plain)
    }

    fn open(&mut self, content: Content, style: StructureStyle, anchor: usize, mark: Mark) -> Result<(), Stop> {
        self.spend(1, 0, mark)?;
        if self.stack.len() >= MAX_DEPTH {
            return self.too_much(mark, format!("lists and maps nest deeper than {MAX_DEPTH} levels"));
        }
        self.stack.push(Frame {
            mark,
            anchor,
            flow: style == StructureStyle::Flow,
            nodes_before: self.nodes - 1,
            bytes_before: self.bytes,
            content,
        });
        Ok(())
    }

    fn close(&mut self, end: Mark) -> Result<(), Stop> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let mark = Mark { start: frame.mark.start, end: end.end.max(frame.mark.end) };
        let kind = match frame.content {
            Content::List(items) => Kind::List(items),
            Content::Map { meant: Some(expression), .. } => Kind::Text(expression),
            Content::Map { entries, .. } => Kind::Map(entries),
        };
        let node = Node { mark, kind };
        if frame.anchor > 0 {
            let cost = (self.nodes - frame.nodes_before, self.bytes - frame.bytes_before);
            self.anchors.insert(frame.anchor, Anchored { node: node.clone(), nodes: cost.0, bytes: cost.1 });
        }
        if frame.flow && self.key_is_next() && self.braces(mark) {
            return Ok(());
        }
        self.attach(node, false)
    }

    fn alias(&mut self, id: usize, mark: Mark) -> Result<(), Stop> {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            return self.too_much(mark, format!("more than {MAX_ALIASES} aliases (`*name`)"));
        }
        let Some(anchored) = self.anchors.get(&id) else {
            let message = "this alias stands inside the value that it repeats";
            self.findings.error(code::WF1001, mark, message).fix("write the value out");
            return Err(Stop);
        };
        let (nodes, bytes) = (anchored.nodes, anchored.bytes);
        self.spend(nodes, bytes, mark)?;
        let depth = self.stack.len() + self.anchors[&id].node.depth();
        if depth > MAX_DEPTH {
            return self.too_much(mark, format!("lists and maps nest deeper than {MAX_DEPTH} levels"));
        }
        // Problems inside a repeated value are shown where it is repeated; its own place has its own.
        let node = Node { mark, kind: self.anchors[&id].node.kind.clone() };
        self.attach(node, false)
    }

    /// Whether the next node is the key of a map.
    fn key_is_next(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { content: Content::Map { key: None, .. }, .. }))
    }

    /// Takes a whole node into the list or map that is open.
    fn attach(&mut self, node: Node, plain: bool) -> Result<(), Stop> {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key: pending @ Some(_), .. } => {
                if let Some(Some((key, mark))) = pending.take() {
                    entries.push(Entry { key, mark, value: node });
                }
            }
            Content::Map { .. } => self.key(node, plain),
        }
        Ok(())
    }

    /// Takes a node as the key of the map that is open.
    fn key(&mut self, node: Node, plain: bool) {
        let Some(Frame { content: Content::Map { seen, key: pending, .. }, .. }) = self.stack.last_mut() else {
            return;
        };
        let Kind::Text(text) = node.kind else {
            *pending = Some(None);
            let message = format!("a key must be a word, not {}", node.describe());
            self.findings.error(code::WF1001, node.mark, message);
            return;
        };
        if plain && text == "<<" {
            *pending = Some(None);
            let fix = "write the keys out, or use `defaults:` for what all steps share";
            self.findings.error(code::WF1008, node.mark, "merge keys (`<<`) are not part of the language").fix(fix);
        } else if let Some(first) = seen.get(&text) {
            *pending = Some(None);
            let message = format!("the key `{}` is written twice; first on line {first}", super::node::short(&text));
            self.findings.error(code::WF1005, node.mark, message).fix("delete one of the two");
        } else {
            seen.insert(text.clone(), self.findings.line_of(node.mark.start));
            *pending = Some(Some((text, node.mark)));
        }
    }

    /// The map that just ended is the key of a map: is it an unquoted `{{ x }}`?
    fn braces(&mut self, inner: Mark) -> bool {
        let text = self.findings.text();
        let in_flow = self.stack.len() > 1 && self.stack[self.stack.len() - 2].flow;
        let Some(frame) = self.stack.last_mut() else { return false };
        let outer = frame.mark.start;
        let Content::Map { key, meant, .. } = &mut frame.content else { return false };
        if !frame.flow || !text[outer..].starts_with("{{") {
            return false;
        }
        *key = Some(None);
        let inside = text.get(outer + 2..inner.end.saturating_sub(1)).unwrap_or_default().trim();
        *meant = Some(format!("${{{{ {inside} }}}}"));
        let mark = Mark { start: outer, end: inner.end + 1 };
        hint::braces(self.findings, mark, inside, in_flow);
        true
    }

    /// Refuses a tag that is not one of the plain types, or does not fit its node.
    fn tag(&mut self, tag: Option<&Tag>, wanted: &str, mark: Mark) {
        if let Some(tag) = tag
            && !tag.is_yaml_core_schema_tag(wanted)
            && tag.original() != "!"
        {
            self.refuse_tag(tag, mark);
        }
    }

    fn refuse_tag(&mut self, tag: &Tag, mark: Mark) {
        let message = format!("the tag `{}` is not part of the language", super::node::short(&tag.original()));
        let mark = self.tag_mark.unwrap_or(mark);
        self.findings.error(code::WF1007, mark, message).fix("delete the tag; quote the value if it is text");
    }

    fn spend(&mut self, nodes: usize, bytes: usize, mark: Mark) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(nodes);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.nodes > MAX_NODES {
            return self.too_much(mark, format!("more than {MAX_NODES} values"));
        }
        if self.bytes > MAX_SCALAR_BYTES {
            return self.too_much(mark, format!("aliases blow the text up to more than {MAX_SCALAR_BYTES} bytes"));
        }
        Ok(())
    }

    fn too_much(&mut self, mark: Mark, message: String) -> Result<(), Stop> {
        self.findings.error(code::WF1002, mark, message).fix("split it into several workflows");
        Err(Stop)
    }
}

/// Whether a scalar's tag is one of the plain types and its text is of that type.
fn tag_fits(tag: &Tag, kind: Option<&Kind>) -> bool {
    if tag.original() == "!" {
        return true;
    }
    match (tag.core_suffix(), kind) {
        (Some("str"), _) | (_, None) | (Some("null"), Some(Kind::Null)) | (Some("bool"), Some(Kind::Bool(_))) => true,
        (Some("int"), Some(Kind::Number(number))) => !number.is_f64(),
        (Some("float"), Some(Kind::Number(_))) => true,
        _ => false,
    }
}

fn mark(span: &Span) -> Mark {
    let start = span.start.byte_offset().unwrap_or(0);
    Mark { start, end: span.end.byte_offset().unwrap_or(start).max(start) }
}
