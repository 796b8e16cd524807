//! Runs from start to end.

use serde_json::{Value, json};
use workflow::domain::plan::{EffectClass, OnError};
use workflow::domain::time::Span;
use workflow::engine::Settings;

use crate::support::workbench::{Script, Workbench, plan};

#[tokio::test(flavor = "multi_thread")]
async fn steps_run_one_after_the_other_and_each_once() {
    let bench = Workbench::new(plan(&[("a", &[]), ("b", &[0]), ("c", &[1])])).await;
    let run = bench.start().await;
    let history = bench.until(run, "completed").await;
    for step in ["a", "b", "c"] {
        assert_eq!(bench.ledger.starts(step), [1], "{step}");
    }
    let outputs: Value = serde_json::from_str(history.outputs[&2].get()).expect("JSON");
    assert_eq!(outputs, json!({ "step": "c" }));
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_step_is_retried_with_the_same_key() {
    let bench = Workbench::new(plan(&[("a", &[])])).await;
    bench.script("a", Script::Fail(3));
    let run = bench.start().await;
    bench.until(run, "completed").await;
    assert_eq!(bench.ledger.starts("a"), [1, 2, 3, 4]);
    let keys = bench.ledger.keys("a");
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn siblings_of_a_failed_step_finish_and_the_run_fails_with_its_fault() {
    let bench = Workbench::new(plan(&[("a", &[]), ("b", &[]), ("c", &[0, 1])])).await;
    bench.script("a", Script::FailForGood);
    bench.script("b", Script::Hold);
    let run = bench.start().await;
    bench.ledger.until_started("b", 1).await;
    bench.ledger.let_go(1);
    let history = bench.until(run, "failed").await;
    assert_eq!(history.row.fault.map(|fault| fault.code.id()), Some("WF2006"));
    assert!(history.outputs.contains_key(&1), "the sibling finished");
    assert!(bench.ledger.starts("c").is_empty());
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_may_fail_leaves_a_warning() {
    let mut plan = plan(&[("a", &[]), ("b", &[0])]);
    plan.steps[0].on_error = OnError::Continue;
    let bench = Workbench::new(plan).await;
    bench.script("a", Script::FailForGood);
    let run = bench.start().await;
    let history = bench.until(run, "completed").await;
    assert_eq!(history.row.warnings.len(), 1, "{:?}", history.row.warnings);
    assert_eq!(bench.ledger.starts("b"), [1]);
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_handler_fails_its_step_and_nothing_else() {
    let bench = Workbench::new(plan(&[("a", &[])])).await;
    bench.script("a", Script::Panic);
    let broken = bench.start().await;
    let history = bench.until(broken, "failed").await;
    assert_eq!(history.row.fault.map(|fault| fault.code.id()), Some("WF4001"));
    bench.script("a", Script::Give(json!({})));
    let sound = bench.start().await;
    bench.until(sound, "completed").await;
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_over_its_time_fails_and_is_dropped() {
    let mut plan = plan(&[("a", &[])]);
    plan.steps[0].timeout = Span::from_millis(20);
    plan.steps[0].retry.count = 0;
    let settings = Settings { stop_grace: Span::from_millis(20), ..Settings::default() };
    let bench = Workbench::with(plan, settings).await;
    bench.script("a", Script::Deaf);
    let run = bench.start().await;
    let history = bench.until(run, "failed").await;
    assert_eq!(history.row.fault.map(|fault| fault.code.id()), Some("WF2004"));
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_step_gives_its_place_to_others() {
    let settings = Settings { max_concurrent: 1, ..Settings::default() };
    let bench = Workbench::with(plan(&[("nap", &[]), ("after", &[0])]), settings).await;
    bench.script("nap", Script::Sleep(Span::from_secs(3_600)));
    let sleeper = bench.start().await;
    bench.until(sleeper, "waiting").await;
    bench.script("nap", Script::Give(json!({})));
    let other = bench.start().await;
    bench.until(other, "completed").await;
    assert_eq!(bench.status(sleeper).await, "waiting");
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_step_wakes_and_the_run_goes_on() {
    let bench = Workbench::new(plan(&[("nap", &[]), ("after", &[0])])).await;
    bench.script("nap", Script::Sleep(Span::from_millis(30)));
    let run = bench.start().await;
    bench.until(run, "completed").await;
    assert_eq!(bench.ledger.starts("nap"), [1]);
    assert_eq!(bench.ledger.starts("after"), [1]);
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_too_large_for_a_row_come_back_whole() {
    let bench = Workbench::new(plan(&[("a", &[])])).await;
    let text = "ä".repeat(100_000);
    bench.script("a", Script::Give(json!({ "text": text, "small": 1, "odd": { "$blob": "mine" } })));
    let run = bench.start().await;
    let history = bench.until(run, "completed").await;
    assert!(history.outputs[&0].get().len() < 1_000, "the row holds references");
    let back = workflow::engine::unpack(&history.outputs[&0], &*bench.engine.store().blobs()).await.expect("whole");
    assert_eq!(Value::Object(back), json!({ "text": text, "small": 1, "odd": { "$blob": "mine" } }));
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_pure_steps_is_one_commit() {
    let mut plan = plan(&[("a", &[]), ("b", &[0]), ("c", &[1])]);
    for step in &mut plan.steps {
        step.kind = "pure".to_owned();
        step.effect = EffectClass::Pure;
    }
    let bench = Workbench::new(plan).await;
    let run = bench.start().await;
    let history = bench.until(run, "completed").await;
    assert_eq!(history.seq, 1);
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_runs_than_places_all_end_and_never_more_at_once_than_allowed() {
    let settings = Settings { max_concurrent: 3, ..Settings::default() };
    let bench = Workbench::with(plan(&[("a", &[]), ("b", &[0])]), settings).await;
    bench.script("a", Script::Hold);
    let mut runs = Vec::new();
    for _ in 0..20 {
        runs.push(bench.start().await);
    }
    bench.ledger.until_started("a", 3).await;
    assert_eq!(bench.ledger.starts("a").len(), 3, "the fourth waits for a place");
    for started in 3..20 {
        bench.ledger.let_go(1);
        bench.ledger.until_started("a", started + 1).await;
    }
    bench.ledger.let_go(3);
    for run in runs {
        bench.until(run, "completed").await;
    }
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outcome_of_an_effect_does_not_wait_for_the_pure_steps_behind_it() {
    let mut plan = plan(&[("effect", &[]), ("pure", &[0])]);
    plan.steps[1].kind = "pure".to_owned();
    plan.steps[1].effect = EffectClass::Pure;
    let bench = Workbench::new(plan).await;
    bench.script("pure", Script::Hold);
    let run = bench.start().await;
    bench.ledger.until_started("pure", 1).await;
    assert!(bench.history(run).await.outputs.contains_key(&0), "a crash now must not repeat the effect");
    bench.ledger.let_go(1);
    bench.until(run, "completed").await;
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_that_could_not_be_read_again_are_refused() {
    let bench = Workbench::new(plan(&[("deep", &[])])).await;
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    bench.script("deep", Script::Give(json!({ "deep": deep })));
    let run = bench.start().await;
    let history = bench.until(run, "failed").await;
    assert_eq!(history.row.fault.map(|fault| fault.code.id()), Some("WF4005"));
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_after_the_store_has_closed_is_answered() {
    let bench = Workbench::new(plan(&[("a", &[])])).await;
    bench.script("a", Script::Sleep(Span::from_secs(3_600)));
    let run = bench.start().await;
    bench.until(run, "waiting").await;
    bench.engine.store().close().await;
    let command = workflow::domain::command::Command::Cancel { by: "ana".to_owned() };
    assert!(bench.engine.command(run, command).await.is_err());
}
