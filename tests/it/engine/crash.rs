//! What a stop in good order leaves behind. Crashes of the whole process are in `crash/`.

use serde_json::json;
use workflow::domain::time::Span;
use workflow::engine::Settings;

use crate::support::workbench::{Script, Workbench, plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_lets_what_is_in_flight_finish() {
    let bench = Workbench::new(plan(&[("a", &[]), ("b", &[0])])).await;
    bench.script("a", Script::Hold);
    let run = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    let engine = bench.engine.clone();
    let stopping = tokio::spawn(async move { engine.stop().await });
    tokio::task::yield_now().await;
    bench.ledger.let_go(1);
    stopping.await.expect("it stops");
    let bench = bench.restart().await;
    bench.until(run, "completed").await;
    assert_eq!(bench.ledger.starts("a"), [1], "it finished during the drain");
    assert_eq!(bench.ledger.starts("b"), [1]);
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlasts_the_drain_is_handed_back_and_runs_again_as_the_same_attempt() {
    let settings =
        Settings { drain_grace: Span::from_millis(20), stop_grace: Span::from_millis(20), ..Settings::default() };
    let bench = Workbench::with(plan(&[("a", &[])]), settings).await;
    bench.script("a", Script::Deaf);
    let run = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    bench.engine.stop().await;
    bench.script("a", Script::Give(json!({})));
    let bench = bench.restart().await;
    bench.until(run, "completed").await;
    assert_eq!(bench.ledger.starts("a"), [1, 1]);
    let keys = bench.ledger.keys("a");
    assert_eq!(keys[0], keys[1], "the outside can tell that it is the same work");
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_came_due_while_nothing_ran_fires_at_the_next_start() {
    let bench = Workbench::new(plan(&[("nap", &[]), ("after", &[0])])).await;
    bench.script("nap", Script::Sleep(Span::from_millis(1)));
    bench.script("after", Script::Hold);
    let run = bench.start().await;
    bench.ledger.until_started("after", 1).await;
    bench.script("after", Script::Give(json!({})));
    bench.ledger.let_go(1);
    bench.until(run, "completed").await;
    let slow = {
        bench.script("nap", Script::Sleep(Span::from_millis(200)));
        let slow = bench.start().await;
        bench.until(slow, "waiting").await;
        slow
    };
    let bench = bench.restart().await;
    bench.until(slow, "completed").await;
    bench.engine.stop().await;
}
