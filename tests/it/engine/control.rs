//! Pause, resume, cancel and retry, at any moment.

use workflow::domain::command::Command;
use workflow::domain::time::Span;
use workflow::engine::{EngineError, Settings};

use crate::support::workbench::{Script, Workbench, plan};

fn by() -> String {
    "ana".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_takes_effect_at_the_step_boundary_and_survives_a_restart() {
    let bench = Workbench::new(plan(&[("a", &[]), ("b", &[0])])).await;
    bench.script("a", Script::Hold);
    let run = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    bench.engine.command(run, Command::Pause { by: by() }).await.expect("running");
    assert_eq!(bench.status(run).await, "pausing");
    bench.ledger.let_go(1);
    bench.until(run, "paused").await;
    let bench = bench.restart().await;
    assert_eq!(bench.status(run).await, "paused");
    assert!(bench.ledger.starts("b").is_empty());
    bench.engine.command(run, Command::Resume { by: by() }).await.expect("paused");
    bench.until(run, "completed").await;
    assert_eq!((bench.ledger.starts("a"), bench.ledger.starts("b")), (vec![1], vec![1]));
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_what_is_in_flight() {
    let bench = Workbench::new(plan(&[("a", &[]), ("b", &[0])])).await;
    bench.script("a", Script::Hold);
    let run = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    bench.engine.command(run, Command::Cancel { by: by() }).await.expect("running");
    bench.until(run, "cancelled").await;
    assert!(bench.ledger.starts("b").is_empty());
    bench.engine.command(run, Command::Cancel { by: by() }).await.expect("cancelling twice is no mistake");
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_does_not_wait_for_a_handler_that_does_not_listen() {
    let settings = Settings { stop_grace: Span::from_millis(20), ..Settings::default() };
    let bench = Workbench::with(plan(&[("a", &[])]), settings).await;
    bench.script("a", Script::Deaf);
    let run = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    bench.engine.command(run, Command::Cancel { by: by() }).await.expect("running");
    bench.until(run, "cancelled").await;
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_retried_from_where_it_failed() {
    let bench = Workbench::new(plan(&[("a", &[]), ("b", &[0]), ("c", &[1])])).await;
    bench.script("b", Script::FailForGood);
    let run = bench.start().await;
    bench.until(run, "failed").await;
    bench.script("b", Script::Fail(0));
    bench
        .engine
        .command(run, Command::Retry { step: None, inputs: Default::default(), by: by() })
        .await
        .expect("failed");
    bench.until(run, "completed").await;
    assert_eq!(bench.ledger.starts("a"), [1], "what was completed is kept");
    assert_eq!(bench.ledger.starts("b"), [1, 1], "each generation counts its own attempts");
    let keys = bench.ledger.keys("b");
    assert_ne!(keys[0], keys[1], "a retry that somebody asked for is a new intent");
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_state_does_not_allow_is_refused_with_the_state() {
    let bench = Workbench::new(plan(&[("a", &[])])).await;
    let run = bench.start().await;
    bench.until(run, "completed").await;
    let refused = bench.engine.command(run, Command::Pause { by: by() }).await.expect_err("it is over");
    assert!(refused.to_string().contains("completed"), "{refused}");
    let unknown = workflow::domain::id::RunId::from_bits(1);
    let missing = bench.engine.command(unknown, Command::Pause { by: by() }).await;
    assert!(matches!(missing, Err(EngineError::NotFound(id)) if id == unknown));
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_a_place_can_be_cancelled() {
    let settings = Settings { max_concurrent: 1, ..Settings::default() };
    let bench = Workbench::with(plan(&[("a", &[])]), settings).await;
    bench.script("a", Script::Hold);
    let first = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    let second = bench.start().await;
    assert_eq!(bench.status(second).await, "queued");
    bench.engine.command(second, Command::Cancel { by: by() }).await.expect("queued");
    assert_eq!(bench.status(second).await, "cancelled");
    bench.ledger.let_go(1);
    bench.until(first, "completed").await;
    assert_eq!(bench.ledger.starts("a"), [1]);
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_commands_at_once_leave_one_truth() {
    let bench = Workbench::new(plan(&[("a", &[]), ("b", &[0]), ("c", &[1])])).await;
    let run = bench.start().await;
    let commands = (0..100).map(|n| {
        let command = if n % 2 == 0 { Command::Pause { by: by() } } else { Command::Resume { by: by() } };
        bench.engine.command(run, command)
    });
    let _ = futures::future::join_all(commands).await; // some come too late; none may hang
    let _ = bench.engine.command(run, Command::Resume { by: by() }).await;
    bench.until(run, "completed").await;
    for step in ["a", "b", "c"] {
        assert_eq!(bench.ledger.starts(step), [1], "{step}");
    }
    bench.engine.stop().await;
}
