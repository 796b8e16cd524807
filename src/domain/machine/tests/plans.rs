//! Random plans: order, retries, effects, loops in loops, and what tidies up.

use serde_json::json;

use crate::domain::plan::{
    Condition, EffectClass, Foreach, ListSource, OnError, OnItemError, Phase, Plan, PlanStep, PortSource,
};
use crate::domain::retry::RetryPolicy;
use crate::domain::role::Permissions;
use crate::domain::run::Flow;
use crate::domain::time::Span;

/// What a random step looks like: needs as a bit set over the steps before it, its settings, and what kind it is.
pub type StepSeed = (u8, u32, bool, bool, u8, Shape);

/// What kind of step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One like any other.
    Plain,
    /// Runs once for each item.
    Each(OnItemError),
    /// Runs what stands in it once for each item.
    Around(OnItemError),
    /// Stands in the loop before it, if there is one.
    Inside,
    /// Likewise, and runs once for each item itself.
    InsideEach,
    /// Runs once the run has failed.
    Handler,
    /// Runs however the run ends.
    Cleaner,
    /// Asks what then when it has failed.
    Asks,
}

pub fn plan_of(seeds: &[StepSeed], timeout: Option<Span>) -> Flow {
    let mut steps: Vec<PlanStep> = Vec::new();
    let mut around = None;
    for (index, &(needs, retries, carries_on, survives, effect, shape)) in seeds.iter().enumerate() {
        let in_loop = if matches!(shape, Shape::Inside | Shape::InsideEach) { around } else { None };
        around = if matches!(shape, Shape::Around(_)) { Some(index) } else { in_loop };
        let phase = match shape {
            Shape::Handler => Phase::OnError,
            Shape::Cleaner => Phase::Finally,
            _ => Phase::Main,
        };
        let beside = |need: &usize| steps[*need].in_loop == in_loop && steps[*need].phase <= phase;
        let asked = |need: &usize| needs & (1 << (need % 8)) != 0 || steps[*need].phase < phase;
        let foreach = match shape {
            Shape::Each(on_item_error) | Shape::Around(on_item_error) => Some(on_item_error),
            Shape::InsideEach => Some(OnItemError::Stop),
            _ => None,
        };
        let survives = survives || phase != Phase::Main;
        steps.push(PlanStep {
            id: format!("s{index}"),
            name: format!("Step {index}"),
            kind: "noop".to_owned(),
            config: json!({}),
            config_has_expressions: false,
            needs: (0..index).filter(beside).filter(asked).collect(),
            stage: index,
            condition: Condition {
                gates: Vec::new(),
                expression: survives.then(|| "always()".to_owned()),
                survives_failure: survives,
            },
            retry: RetryPolicy { count: retries, ..RetryPolicy::default() },
            timeout: Span::from_secs(300),
            total: None,
            queue: None,
            heartbeat: None,
            room: None,
            on_error: if shape == Shape::Asks {
                OnError::Ask
            } else if carries_on {
                OnError::Continue
            } else {
                OnError::Stop
            },
            ports: Vec::new(),
            outputs: Vec::new(),
            effect: if effect == 0 { EffectClass::AtMostOnce } else { EffectClass::AtLeastOnce },
            overridable: Vec::new(),
            phase,
            parent: in_loop,
            in_loop,
            foreach: foreach.map(|on_item_error| Foreach {
                list: ListSource::Bound(PortSource::Input("list".to_owned())),
                name: "item".to_owned(),
                key: None,
                max_parallel: 1 + u32::from(needs % 3),
                batch: None,
                on_item_error,
                limit: 100,
            }),
            cache: None,
            rollback: None,
            line: index + 1,
        });
    }
    // A loop around nothing is one that runs itself.
    Flow::new(Plan {
        concurrency: None,
        permissions: Permissions::default(),
        cache: None,
        priority: Default::default(),
        triggers: Vec::new(),
        slug: "walk".to_owned(),
        name: "Walk".to_owned(),
        description: String::new(),
        hash: "0".to_owned(),
        version: None,
        inputs: None,
        vars: json!({}),
        steps,
        outputs: Vec::new(),
        timeout,
        includes_waits: seeds.len().is_multiple_of(2),
        queue: timeout.filter(|_| seeds.len().is_multiple_of(3)),
    })
}
