//! The engine's speed beside the floor of the machine, in one run. `make bench` prints the table.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::json;
use workflow::contract::clock::{Clock as _, SystemClock};
use workflow::contract::registry::Registry;
use workflow::contract::step::{Attempt, Done, StepHandler, StepResult};
use workflow::domain::id::WorkflowId;
use workflow::domain::plan::{Condition, EffectClass, OnError, Plan, PlanStep};
use workflow::domain::retry::RetryPolicy;
use workflow::domain::run::Flow;
use workflow::domain::time::Span;
use workflow::engine::{Engine, Notice, Plans, Settings};
use workflow::language::catalog::StepType;
use workflow::store::Store;
use workflow::store::db::{Durability, Settings as StoreSettings};
use workflow::store::journal::NewRun;
use workflow::store::workflows::{Revision, StoredWorkflow};

struct Trivial(&'static str, EffectClass);
impl StepHandler for Trivial {
    fn declare(&self) -> StepType {
        StepType {
            name: self.0,
            summary: "returns about 100 bytes",
            config: json!({}),
            consumes: vec![],
            produces: vec![],
            outputs: &[],
            effect: self.1,
            overridable: &[],
        }
    }
    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            Done::with(json!({"flow": attempt.run, "n": attempt.number, "ok": true, "pad": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})).into()
        })
    }
}
fn plan(kind: &str, effect: EffectClass, n: usize) -> Plan {
    let steps = (0..n)
        .map(|i| PlanStep {
            id: format!("s{i}"),
            name: format!("S{i}"),
            kind: kind.into(),
            config: json!({}),
            config_has_expressions: false,
            needs: if i == 0 { vec![] } else { vec![i - 1] },
            stage: i,
            condition: Condition::default(),
            retry: RetryPolicy::default(),
            timeout: Span::from_secs(300),
            on_error: OnError::Stop,
            ports: vec![],
            outputs: vec![],
            effect,
            overridable: vec![],
            line: 1,
        })
        .collect();
    Plan {
        slug: kind.into(),
        name: kind.into(),
        description: String::new(),
        hash: format!("h-{kind}"),
        version: None,
        inputs: None,
        vars: json!({}),
        steps,
        outputs: vec![],
        timeout: None,
    }
}
async fn one(engine: &Engine, wf: WorkflowId, flow: &Arc<Flow>) -> Duration {
    let mut feed = engine.feed().subscribe();
    let t = Instant::now();
    let raw = |t: &str| serde_json::value::RawValue::from_string(t.to_owned()).unwrap();
    let new = NewRun {
        workflow_id: wf,
        revision_hash: flow.plan.hash.clone(),
        slug: flow.plan.slug.clone(),
        origin: raw("{}"),
        inputs: raw("{}"),
    };
    let id = engine.accept(new, Arc::clone(flow)).await.unwrap();
    loop {
        match feed.recv().await {
            Ok(Notice::Committed { run, entries, .. }) if run == id => {
                if entries.iter().any(|(_, e)| matches!(e, workflow::domain::event::Event::Finished { .. })) {
                    return t.elapsed();
                }
            }
            Ok(_) => {}
            Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                if engine.store().runs().find(id).await.unwrap().unwrap().finished_at.is_some() {
                    return t.elapsed();
                }
            }
            Err(_) => panic!(),
        }
    }
}
fn main() {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async {
        for (kind, effect) in [("durable", EffectClass::Idempotent), ("pure", EffectClass::Pure)] {
            let dir = tempfile::tempdir_in("/root").unwrap();
            let store = Store::open(&StoreSettings {
                database: dir.path().join("w.db"),
                files: dir.path().join("f"),
                durability: Durability::Full,
            })
            .await
            .unwrap();
            let clock = Arc::new(SystemClock);
            let now = clock.now();
            let registry = Registry::new(vec![Arc::new(Trivial(kind, effect))]).unwrap();
            let wf = StoredWorkflow {
                id: WorkflowId::from_bits(clock.id_bits()),
                name: "a".into(),
                slug: "a".into(),
                template: None,
                revision_hash: format!("h-{kind}"),
                created_at: now,
            };
            store
                .workflows()
                .save(
                    &wf,
                    &Revision {
                        hash: format!("h-{kind}"),
                        slug: "a".into(),
                        source_name: "x".into(),
                        source_text: "y".into(),
                    },
                )
                .await
                .unwrap();
            let plans = Plans::new(registry.clone(), Default::default());
            let flow = plans.share(plan(kind, effect, 10));
            let engine =
                Engine::start(store, registry, plans, clock, Settings { max_concurrent: 100, ..Settings::default() })
                    .await
                    .unwrap();
            let mut times = vec![];
            for _ in 0..200 {
                times.push(one(&engine, wf.id, &flow).await);
            }
            times.sort();
            println!("{kind}: one at a time p50 {:?} p99 {:?}", times[100], times[197]);
            let t = Instant::now();
            let cpu = cpu();
            let mut go = FuturesUnordered::new();
            let n = 1000;
            for _ in 0..100 {
                go.push(one(&engine, wf.id, &flow));
            }
            let mut started = 100;
            let mut done = 0;
            while go.next().await.is_some() {
                done += 1;
                if started < n {
                    started += 1;
                    go.push(one(&engine, wf.id, &flow));
                }
            }
            let e = t.elapsed().as_secs_f64();
            println!(
                "{kind}: {done} runs {:.0} steps/s, {:.0} us CPU a step",
                done as f64 * 10.0 / e,
                (self::cpu() - cpu) / (done as f64 * 10.0) * 1e6
            );
            engine.stop().await;
        }
    });
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
