//! Which output feeds which port. Nothing has to be written: the nearest earlier step that gives a port feeds it.

use std::collections::BTreeMap;

use super::catalog::{Catalog, Port, PortType, StepType};
use super::expression::{self, Words};
use super::graph::Graph;
use super::near;
use super::report::Findings;
use super::template::{Marked, Step, Template};
use crate::domain::code;
use crate::domain::plan::{InputType, PortBinding, PortSource};

/// The bindings of every step. A required port that nothing feeds stays unbound: the step fails when it runs.
pub(super) fn bind(
    template: &Template,
    graph: &Graph,
    catalog: &Catalog,
    findings: &mut Findings,
) -> Vec<Vec<PortBinding>> {
    let wiring = Wiring { template, graph, catalog };
    let bind = |index: usize| wiring.step(index, findings);
    (0..template.steps.len()).map(bind).collect()
}

struct Wiring<'a> {
    template: &'a Template,
    graph: &'a Graph,
    catalog: &'a Catalog,
}

impl Wiring<'_> {
    fn step(&self, index: usize, findings: &mut Findings) -> Vec<PortBinding> {
        let step = &self.template.steps[index];
        let Some(kind) = self.catalog.get(&step.kind.value) else {
            return step.ports.iter().map(|(name, value)| self.written(name, value)).collect();
        };
        for (name, _) in &step.ports {
            check_port(name, kind, findings);
        }
        if kind.consumes.iter().any(|port| port.gathers) {
            return self.gathered(index);
        }
        if kind.consumes.iter().any(|port| port.collects) {
            return self.collected(index);
        }
        let bind = |port: &Port| match step.ports.iter().find(|(name, _)| name.value == port.name) {
            Some((name, value)) => Some(self.written(name, value)),
            None => {
                self.implied(index, port, findings).map(|source| PortBinding { port: port.name.to_owned(), source })
            }
        };
        kind.consumes.iter().filter_map(bind).collect()
    }

    /// One port for each step that this one waits for directly, unless the file says which.
    fn gathered(&self, index: usize) -> Vec<PortBinding> {
        let step = &self.template.steps[index];
        if !step.ports.is_empty() {
            return step.ports.iter().map(|(name, value)| self.written(name, value)).collect();
        }
        let bind = |other: &usize| PortBinding {
            port: self.graph.ids[*other].clone(),
            source: PortSource::Step { step: *other, output: self.main_output(*other) },
        };
        self.graph.needs[index].iter().map(bind).collect()
    }

    /// One port for each name under which an earlier step gives something, the nearest where several do (beside each
    /// other: the one that is written last), and those that the file writes out.
    fn collected(&self, index: usize) -> Vec<PortBinding> {
        let mut nearest: BTreeMap<&str, usize> = BTreeMap::new();
        let before = (0..self.template.steps.len()).filter(|other| self.graph.before[index][*other]);
        let near = |other: usize| (self.graph.stages[other], other);
        for other in before.filter(|other| self.template.steps[*other].foreach.is_none()) {
            for name in self.given(other) {
                let kept = nearest.entry(name).or_insert(other);
                if near(*kept) < near(other) {
                    *kept = other;
                }
            }
        }
        let written = &self.template.steps[index].ports;
        let implied = nearest.into_iter().filter(|(name, _)| !written.iter().any(|(port, _)| port.value == *name));
        let implied = implied.map(|(name, step)| PortBinding {
            port: name.to_owned(),
            source: PortSource::Step { step, output: name.to_owned() },
        });
        implied.chain(written.iter().map(|(name, value)| self.written(name, value))).collect()
    }

    /// What a step gives by name: the outputs that it declares, else the ports of its type.
    fn given(&self, index: usize) -> Vec<&str> {
        let step = &self.template.steps[index];
        if !step.outputs.is_empty() {
            return step.outputs.iter().map(|(name, _)| name.value.as_str()).collect();
        }
        let kind = self.catalog.get(&step.kind.value);
        kind.iter().flat_map(|kind| &kind.produces).map(|port| port.name).collect()
    }

    /// The output for which a step is there: the first port that it gives.
    fn main_output(&self, index: usize) -> String {
        let kind = self.catalog.get(&self.template.steps[index].kind.value);
        kind.and_then(|kind| kind.produces.first()).map_or("*", |port| port.name).to_owned()
    }

    /// A binding that the file writes out. One whole reference to an output or input is bound as such: no copy is made.
    fn written(&self, name: &Marked<String>, value: &Marked<String>) -> PortBinding {
        let source = expression::whole(&value.value).and_then(|(source, _)| plain(source, &self.graph.ids));
        let source = source.unwrap_or_else(|| PortSource::Expression(value.value.clone()));
        PortBinding { port: name.value.clone(), source }
    }

    fn implied(&self, index: usize, port: &Port, findings: &mut Findings) -> Option<PortSource> {
        let before = |other: &usize| self.graph.before[index][*other];
        let producers: Vec<usize> =
            (0..self.template.steps.len()).filter(before).filter(|other| self.gives(*other, port)).collect();
        let Some(nearest) = producers.iter().map(|other| self.graph.stages[*other]).max() else {
            return self.input(port).map(PortSource::Input);
        };
        let nearest: Vec<usize> = producers.into_iter().filter(|other| self.graph.stages[*other] == nearest).collect();
        if nearest.len() > 1 {
            let step = &self.template.steps[index];
            let names = near::list(nearest.iter().map(|other| self.graph.ids[*other].as_str()), 8);
            let message =
                format!("the port `{}` of step `{}` could be fed by {names}", port.name, self.graph.names[index]);
            let fix = format!(
                "say which: `ports: {{ {}: \"${{{{ steps.{}.outputs.{} }}}}\" }}`",
                port.name, self.graph.ids[nearest[0]], port.name
            );
            findings.error(code::WF1027, step.kind.mark, message).fix(fix);
        }
        Some(PortSource::Step { step: nearest[0], output: port.name.to_owned() })
    }

    /// Whether a step gives this port. A step that declares outputs gives no others.
    fn gives(&self, index: usize, port: &Port) -> bool {
        let step: &Step = &self.template.steps[index];
        let Some(kind) = self.catalog.get(&step.kind.value) else { return false };
        if step.foreach.is_some() {
            return false; // it gives lists
        }
        let fits = |given: &Port| given.name == port.name && compatible(given.kind, port.kind);
        kind.produces.iter().any(fits)
            && (step.outputs.is_empty() || step.outputs.iter().any(|(name, _)| name.value == port.name))
    }

    /// The input that feeds a port when no step does: one that is declared, else the first that the type names.
    fn input(&self, port: &Port) -> Option<String> {
        if let Some(declared) = &self.template.inputs {
            let named = port.inputs.iter().find(|name| declared.iter().any(|input| input.value.name == **name));
            if let Some(name) = named {
                return Some((*name).to_owned());
            }
            // A single declared file is what a document port waits for, whatever it is called.
            let mut files = declared.iter().filter(|input| input.value.kind == InputType::File);
            if let (PortType::Document, false, Some(file), None) =
                (port.kind, port.inputs.is_empty(), files.next(), files.next())
            {
                return Some(file.value.name.clone());
            }
        }
        port.inputs.first().map(|name| (*name).to_owned())
    }
}

/// The source that an expression is, if it is nothing but one path.
pub(super) fn plain(source: &str, ids: &[String]) -> Option<PortSource> {
    let Words { references, .. } = expression::words(source);
    let [reference] = references.as_slice() else { return None };
    let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
    if path.join(".") != source {
        return None;
    }
    match path.as_slice() {
        ["steps", id, "outputs", output] => {
            let step = ids.iter().position(|known| known == id)?;
            Some(PortSource::Step { step, output: (*output).to_owned() })
        }
        ["inputs", input] => Some(PortSource::Input((*input).to_owned())),
        _ => None,
    }
}

fn compatible(given: PortType, wanted: PortType) -> bool {
    given == wanted || given == PortType::Any || wanted == PortType::Any
}

fn check_port(name: &Marked<String>, kind: &StepType, findings: &mut Findings) {
    let ports = || kind.consumes.iter().map(|port| port.name);
    if ports().any(|port| port == name.value) || kind.consumes.iter().any(|port| port.gathers || port.collects) {
        return;
    }
    let message = format!("steps of type `{}` have no port `{}`", kind.name, super::source::short(&name.value));
    let fix = match kind.consumes.len() {
        0 => "this type takes nothing; leave `ports` out".to_owned(),
        _ => format!("ports: {}", near::list(ports(), 12)),
    };
    findings.error(code::WF1028, name.mark, message).near(near::near(&name.value, ports())).fix(fix);
}
