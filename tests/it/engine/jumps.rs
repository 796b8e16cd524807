//! The clock of the wall is set, or the machine slept: forward and back, by hours and days.

use workflow::domain::id::RunId;
use workflow::domain::time::Span;

use crate::support::workbench::{Script, Workbench, plan};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// Whoever keeps time looks at the clock again when something new is to be waited for, and after half a minute anyway.
async fn look_again(bench: &Workbench) -> RunId {
    bench.script("a", Script::Sleep(Span::from_secs(60)));
    let nudge = bench.start().await;
    bench.until(nudge, "waiting").await;
    nudge
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_after_a_jump_forward_comes_at_once_and_once() {
    let bench = Workbench::new(plan(&[("a", &[]), ("b", &[0])])).await;
    bench.script("a", Script::Sleep(Span::from_secs(2 * 60 * 60)));
    let run = bench.start().await;
    bench.until(run, "waiting").await;
    bench.clock.set(HOUR);
    look_again(&bench).await;
    assert_eq!(bench.status(run).await, "waiting", "an hour is not two");
    bench.clock.set(DAY);
    look_again(&bench).await;
    bench.until(run, "completed").await;
    assert_eq!(bench.ledger.starts("a").len(), 3, "once for the run, and once for each that looked");
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_comes_once_after_a_jump_and_a_timeout_has_passed() {
    let mut flaky = plan(&[("b", &[]), ("a", &[])]);
    flaky.steps[0].retry.delay = Span::from_secs(60 * 60);
    flaky.steps[0].retry.max_delay = Span::from_secs(60 * 60);
    let bench = Workbench::new(flaky).await;
    bench.script("b", Script::Fail(1));
    let run = bench.start().await;
    bench.until(run, "waiting").await;
    bench.clock.set(DAY);
    look_again(&bench).await;
    bench.until(run, "completed").await;
    assert_eq!(bench.ledger.starts("b"), [1, 1, 2], "one retry, however many would have had their time meanwhile");
    bench.engine.stop().await;

    let mut late = plan(&[("a", &[])]);
    late.timeout = Some(Span::from_secs(30 * 60));
    let bench = Workbench::new(late).await;
    bench.script("a", Script::Sleep(Span::from_secs(10 * 60 * 60)));
    let run = bench.start().await;
    bench.until(run, "waiting").await;
    bench.clock.set(DAY);
    look_again(&bench).await;
    bench.until(run, "timed_out").await;
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_does_nothing_twice_and_holds_nobody_up() {
    let bench = Workbench::new(plan(&[("b", &[]), ("a", &[0]), ("c", &[1])])).await;
    bench.script("b", Script::Hold);
    bench.script("a", Script::Give(serde_json::json!({})));
    let run = bench.start().await;
    bench.ledger.until_started("b", 1).await;
    bench.clock.set(-DAY);
    bench.ledger.let_go(1);
    let history = bench.until(run, "completed").await;
    let folded = bench.fold(&history);
    let took = folded.finished_at.expect("over").since(folded.started_at.expect("begun"));
    assert_eq!(took, Span::from_micros(0), "a duration is never less than nothing");
    assert_eq!(["a", "b", "c"].map(|step| bench.ledger.starts(step).len()), [1, 1, 1]);
    // After a restart in that past everything stands as it was, and new runs go their way.
    let bench = bench.restart().await;
    assert_eq!(bench.status(run).await, "completed");
    bench.ledger.let_go(1);
    let next = bench.start().await;
    bench.until(next, "completed").await;
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_time_that_a_clock_set_back_has_moved_away_comes_once_when_it_is_there() {
    let bench = Workbench::new(plan(&[("a", &[]), ("b", &[0])])).await;
    bench.script("a", Script::Sleep(Span::from_secs(60 * 60)));
    let run = bench.start().await;
    bench.until(run, "waiting").await;
    bench.clock.set(-DAY);
    let bench = bench.restart().await;
    look_again(&bench).await;
    assert_eq!(bench.status(run).await, "waiting");
    bench.clock.set(DAY + 2 * HOUR);
    look_again(&bench).await;
    bench.until(run, "completed").await;
    bench.engine.stop().await;
}
