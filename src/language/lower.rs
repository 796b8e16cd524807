//! Checked template to plan: defaults filled in, order fixed, identity computed.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::bodies::Bodies;
use super::catalog::Catalog;
use super::expression::{self, STATUS};
use super::graph::Graph;
use super::names;
use super::options::Defaults;
use super::ports;
use super::render;
use super::report::Findings;
use super::source::Source;
use super::template::{self, Named, Policy, Retry, Step, Template};
use crate::domain::hex;
use crate::domain::lane::{Concurrency, Room};
use crate::domain::plan::Rollback;
use crate::domain::plan::{Cache, Condition, EffectClass, Foreach, ListSource, OnError, Plan, PlanStep, PortBinding};
use crate::domain::retry::RetryPolicy;

/// What lowering needs beside the template.
pub(super) struct Lowering<'a> {
    pub source: &'a Source,
    pub catalog: &'a Catalog,
    pub defaults: &'a Defaults,
    pub graph: Graph,
    pub ports: Vec<Vec<PortBinding>>,
}

/// The plan of a template that was checked.
pub(super) fn lower(template: &Template, lowering: Lowering, findings: &Findings) -> Plan {
    let name = template.name.as_ref().map(|name| name.value.trim().to_owned()).unwrap_or_default();
    let slug = slug(template, lowering.source, &name);
    let mut plan = Plan {
        concurrency: template.concurrency.as_ref().map(|read| concurrency(read, &slug)),
        priority: template.priority,
        triggers: template.triggers.iter().map(|read| read.spec.clone()).collect(),
        steps: steps(template, lowering, &slug, findings),
        slug,
        name,
        description: template.description.clone().unwrap_or_default(),
        hash: String::new(),
        version: template.version.clone(),
        inputs: template.inputs.as_ref().map(|inputs| inputs.iter().map(|input| input.value.clone()).collect()),
        vars: template.vars.as_ref().map_or_else(|| Value::Object(Map::new()), super::source::Node::json),
        outputs: pairs(&template.outputs),
        timeout: template.timeout.total,
        includes_waits: template.timeout.include_waits,
        queue: template.timeout.queue,
        cache: template.cache.as_ref().map(cache),
        permissions: template.permissions.clone(),
    };
    plan.hash = hash(&plan);
    plan
}

/// The steps of the plan, in the order of the file.
fn steps(template: &Template, lowering: Lowering, slug: &str, findings: &Findings) -> Vec<PlanStep> {
    let Lowering { catalog, defaults, graph, ports, .. } = lowering;
    let bodies = Bodies::of(&template.steps);
    let steps = template.steps.iter().zip(ports).enumerate().map(|(index, (step, ports))| {
        let in_loop = bodies.in_loop(index);
        let kind = catalog.get(&step.kind.value);
        let config = step.config.as_ref().map_or_else(|| Value::Object(Map::new()), super::source::Node::json);
        PlanStep {
            id: graph.ids[index].clone(),
            name: graph.names[index].clone(),
            kind: step.kind.value.clone(),
            config_has_expressions: render::has_expressions(&config),
            config,
            // A loop begins when all that its items wait for outside is settled.
            needs: graph.needs[index].iter().copied().filter(|need| bodies.in_loop(*need) == in_loop).collect(),
            stage: graph.stages[index],
            condition: condition_of(template, index, &bodies, &graph.ids),
            retry: retry(&step.policy.retry, &template.defaults.retry, &defaults.retry),
            timeout: step.policy.timeout.or(template.defaults.timeout).unwrap_or(defaults.timeout),
            total: step.policy.total.or(template.defaults.total),
            queue: step.policy.queue.as_ref().or(template.defaults.queue.as_ref()).map(|queue| queue.value),
            heartbeat: step.policy.heartbeat.or(template.defaults.heartbeat),
            room: step.room.as_ref().map(|read| room(read, slug, &graph.ids[index])),
            on_error: on_error(&step.policy, &template.defaults),
            ports,
            outputs: pairs(&step.outputs),
            effect: kind.map_or(EffectClass::AtLeastOnce, |kind| kind.effect),
            overridable: kind
                .map_or_else(Vec::new, |kind| kind.overridable.iter().map(|key| (*key).to_owned()).collect()),
            phase: bodies.phase(index),
            parent: step.inside.parent,
            in_loop,
            foreach: step.foreach.as_ref().map(|read| foreach(read, &graph.ids)),
            cache: step.cache.as_ref().map(cache),
            rollback: step.rollback.as_ref().map(rollback),
            line: findings.line_of(step.mark.start),
        }
    });
    steps.collect()
}

/// What people type to start it.
fn slug(template: &Template, source: &Source, name: &str) -> String {
    let written = template.id.as_ref().map(|id| id.value.clone());
    let slug = written.or_else(|| names::file_slug(&source.name)).unwrap_or_else(|| names::slug(name));
    if slug.is_empty() { "workflow".to_owned() } else { slug }
}

fn cache(read: &template::Cache) -> Cache {
    let key = read.key.as_ref().map(|key| key.value.clone());
    Cache { ttl: read.ttl, key, ignore: read.ignore.clone(), of_workflow: read.of_workflow }
}

fn rollback(read: &template::Rollback) -> Rollback {
    match read {
        template::Rollback::Keep => Rollback::Keep,
        template::Rollback::Steps(written, _) => {
            Rollback::Steps(written.json().as_array().cloned().unwrap_or_default())
        }
    }
}

fn condition_of(template: &Template, index: usize, bodies: &Bodies, ids: &[String]) -> Condition {
    let step = &template.steps[index];
    if step.for_some {
        let expression = Some(one_has_failed(template, bodies, ids));
        return Condition { expression, survives_failure: true, ..Condition::default() };
    }
    condition(step, bodies.gates(index, ids), bodies.survives(index))
}

/// Whether one of the steps that say `on_error: rollback` has failed; what stands in a loop fails with it.
fn one_has_failed(template: &Template, bodies: &Bodies, ids: &[String]) -> String {
    let says = template.steps.iter().enumerate().filter(|(_, step)| step.policy.rolls_back);
    let seen =
        says.map(|(index, _)| std::iter::successors(Some(index), |at| bodies.in_loop(*at)).last().unwrap_or(index));
    seen.map(|index| format!("steps.{}.status == 'failed'", ids[index])).collect::<Vec<_>>().join(" or ")
}

fn concurrency(read: &template::Concurrency, slug: &str) -> Concurrency {
    let group = read.group.as_ref().map_or_else(|| slug.to_owned(), |group| group.value.clone());
    let template::Concurrency { limit, overflow, queue_max, newest_first, .. } = *read;
    Concurrency { group, limit, overflow, queue_max, newest_first }
}

/// Without a group its attempts share with those of other executions.
fn room(read: &template::Room, slug: &str, id: &str) -> Room {
    let group = read.group.as_ref().map_or_else(|| format!("{slug}.{id}"), |group| group.value.clone());
    Room { group, limit: read.limit }
}

fn condition(step: &Step, gates: Vec<String>, survives: bool) -> Condition {
    if step.disabled {
        return Condition { gates, expression: Some("false".to_owned()), survives_failure: survives };
    }
    let Some(when) = &step.when else { return Condition { gates, expression: None, survives_failure: survives } };
    let (source, _) = expression::inside(&when.value);
    let asks = |name: &str| STATUS.contains(&name) && !matches!(name, "success" | "skipped");
    let references = expression::words(source).references;
    let survives_failure = survives || references.iter().any(|found| found.called && asks(&found.path[0]));
    Condition { gates, expression: Some(source.to_owned()), survives_failure }
}

fn foreach(read: &template::Foreach, ids: &[String]) -> Foreach {
    let bound = read.list.text().and_then(expression::whole).and_then(|(source, _)| ports::plain(source, ids));
    Foreach {
        list: bound.map_or_else(|| ListSource::Written(read.list.json()), ListSource::Bound),
        name: read.name.as_ref().map_or_else(|| "item".to_owned(), |name| name.value.clone()),
        key: read.key.as_ref().map(|key| key.value.clone()),
        max_parallel: read.max_parallel,
        batch: read.batch,
        on_item_error: read.on_item_error,
        limit: read.limit,
    }
}

/// The nearest that is written: in the step, in `defaults`, in the configuration.
fn retry(step: &Retry, file: &Retry, default: &RetryPolicy) -> RetryPolicy {
    let delay = step.delay.or(file.delay).unwrap_or(default.delay);
    RetryPolicy {
        count: step.count.or(file.count).unwrap_or(default.count),
        delay,
        backoff: step.backoff.or(file.backoff).unwrap_or(default.backoff),
        factor: step.factor.or(file.factor).unwrap_or(default.factor),
        // A long delay that somebody wrote is not cut by a cap that nobody wrote.
        max_delay: step.max_delay.or(file.max_delay).unwrap_or(default.max_delay.max(delay)),
        jitter: step.jitter.or(file.jitter).unwrap_or(default.jitter),
        on: step.on.clone().or_else(|| file.on.clone()).unwrap_or_else(|| default.on.clone()),
        not_on: step.not_on.clone().or_else(|| file.not_on.clone()).unwrap_or_else(|| default.not_on.clone()),
    }
}

fn on_error(step: &Policy, file: &Policy) -> OnError {
    let written = step.goto.is_some() || step.tolerant.is_some();
    if step.asks || (file.asks && !written) {
        OnError::Ask
    } else if step.goto.is_some() || step.tolerant.or(file.tolerant).unwrap_or(false) {
        OnError::Continue
    } else {
        OnError::Stop
    }
}

fn pairs(named: &[Named]) -> Vec<(String, String)> {
    named.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect()
}

/// SHA-256 of the plan with sorted keys; the lines of the file do not count, nor does how it was written.
fn hash(plan: &Plan) -> String {
    let mut value = serde_json::to_value(plan).expect("a plan is plain data with text keys");
    if let Some(steps) = value.get_mut("steps").and_then(Value::as_array_mut) {
        for step in steps.iter_mut().filter_map(Value::as_object_mut) {
            step.remove("line");
        }
    }
    value.sort_all_objects();
    hex::of(&Sha256::digest(value.to_string()))
}
