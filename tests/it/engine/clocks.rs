//! What attempts share, how long they wait for it, and how long they may say nothing.

use serde_json::json;
use workflow::domain::command::Command;
use workflow::domain::lane::Room;
use workflow::domain::plan::Plan;
use workflow::domain::time::Span;
use workflow::engine::Settings;

use crate::support::workbench::{Script, Workbench, plan};

/// `a` shares `erp` with all others, `b` nothing.
fn sharing(limit: u32) -> Plan {
    let mut plan = plan(&[("b", &[]), ("a", &[0])]);
    plan.steps[1].room = Some(Room { group: "erp".to_owned(), limit });
    plan.steps[1].retry.count = 0;
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_attempts_share_a_room_than_it_has_and_who_waits_holds_no_place() {
    let bench = Workbench::with(sharing(1), Settings { max_concurrent: 2, ..Settings::default() }).await;
    bench.script("a", Script::Hold);
    let mut runs = Vec::new();
    for _ in 0..6 {
        runs.push(bench.start().await);
    }
    // With two places, six came as far as the door: who waits there left its place to the next.
    bench.ledger.until_started("b", 6).await;
    bench.ledger.until_started("a", 1).await;
    let line = bench.engine.line();
    bench.until(runs[5], "queued").await;
    while runs.iter().filter(|run| line.standing(**run).is_some_and(|standing| standing.group.is_some())).count() < 5 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.ledger.starts("a").len(), 1);
    for started in 1..=6 {
        bench.ledger.until_started("a", started).await;
        assert_eq!(bench.ledger.starts("a").len(), started, "one at a time");
        bench.ledger.let_go(1);
    }
    for run in runs {
        let history = bench.until(run, "completed").await;
        assert_eq!(bench.fold(&history).steps[1].attempts, 1);
    }
    assert_eq!(bench.ledger.starts("b").len(), 6, "what was done before the wait is not done again");
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_cancelled_while_it_waits_for_room_keeps_nobody_waiting() {
    let bench = Workbench::new(sharing(1)).await;
    bench.script("a", Script::Hold);
    let first = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    let (second, third) = (bench.start().await, bench.start().await);
    bench.until(second, "queued").await;
    bench.until(third, "queued").await;
    bench.engine.command(second, Command::Cancel { by: "ana".to_owned() }).await.expect("queued");
    bench.until(second, "cancelled").await;
    bench.ledger.let_go(1);
    bench.until(first, "completed").await;
    bench.ledger.until_started("a", 2).await;
    bench.ledger.let_go(1);
    bench.until(third, "completed").await;
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_every_room_is_empty_and_who_waited_goes_on() {
    let bench = Workbench::new(sharing(1)).await;
    bench.script("a", Script::Hold);
    let first = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    let second = bench.start().await;
    bench.until(second, "queued").await;
    bench.ledger.let_go(1);
    bench.ledger.until_started("a", 2).await;
    bench.script("a", Script::Give(json!({})));
    bench.ledger.let_go(1);
    let bench = bench.restart().await;
    for run in [first, second] {
        bench.until(run, "completed").await;
    }
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_waits_too_long_for_room_fails_and_says_for_which() {
    let mut plan = sharing(1);
    plan.steps[1].queue = Some(Span::from_millis(30));
    let bench = Workbench::new(plan).await;
    bench.script("a", Script::Hold);
    let first = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    let second = bench.start().await;
    let fault = bench.until(second, "failed").await.row.fault.expect("it says why");
    assert_eq!(
        (fault.code.id(), fault.message.as_str()),
        ("WF2004", "waited longer than 30ms for room in the group `erp`")
    );
    bench.ledger.let_go(1);
    bench.until(first, "completed").await;
    assert_eq!(bench.ledger.starts("a").len(), 1);
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_a_list_share_a_room_too() {
    let mut plan = sharing(2);
    plan.steps[1].foreach = Some(super::loops::items(20));
    let bench = Workbench::new(plan).await;
    (0..20).for_each(|item| bench.script(&format!("a[{item}]"), Script::Hold));
    let run = bench.start().await;
    let items = || (0..20).map(|item| bench.ledger.starts(&format!("a[{item}]")).len()).sum::<usize>();
    while items() < 2 {
        tokio::task::yield_now().await;
    }
    for started in 2..20 {
        assert_eq!(items(), started);
        bench.ledger.let_go(1);
        while items() < started + 1 {
            tokio::task::yield_now().await;
        }
    }
    bench.ledger.let_go(2);
    bench.until(run, "completed").await;
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_waits_too_long_for_a_place_is_over() {
    let mut plan = plan(&[("a", &[])]);
    plan.queue = Some(Span::from_millis(30));
    let bench = Workbench::with(plan, Settings { max_concurrent: 1, ..Settings::default() }).await;
    bench.script("a", Script::Hold);
    let first = bench.start().await;
    bench.ledger.until_started("a", 1).await;
    let second = bench.start().await;
    let fault = bench.until(second, "timed_out").await.row.fault.expect("it says why");
    assert_eq!(fault.message, "the execution waited longer than 30ms for its turn");
    bench.ledger.let_go(1);
    bench.until(first, "completed").await;
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_does_not_tell_how_far_it_is_fails_and_one_that_does_lives() {
    let mut plan = plan(&[("a", &[])]);
    plan.steps[0].heartbeat = Some(Span::from_secs(1));
    plan.steps[0].retry.count = 0;
    let settings = Settings { stop_grace: Span::from_millis(20), ..Settings::default() };
    let bench = Workbench::with(plan, settings).await;
    bench.script("a", Script::Tell(25, Span::from_millis(50)));
    let run = bench.start().await;
    bench.until(run, "completed").await;
    bench.script("a", Script::Deaf);
    let run = bench.start().await;
    let fault = bench.until(run, "failed").await.row.fault.expect("it says why");
    assert_eq!((fault.code.id(), fault.message.as_str()), ("WF2004", "`a` did not tell for 1.0s how far it is"));
    bench.engine.stop().await;
}
