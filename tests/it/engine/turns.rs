//! Everybody gets their turn, however many runs somebody else has queued.

use workflow::domain::id::RunId;
use workflow::domain::lane::{Concurrency, Overflow};
use workflow::domain::plan::Plan;
use workflow::domain::time::Span;
use workflow::engine::Settings;

use crate::support::workbench::{Script, Workbench, plan};

const ANA: &str = r#"{"door":"api","identity":"ana"}"#;
const BEN: &str = r#"{"door":"api","identity":"ben"}"#;
const NIGHTLY: &str = r#"{"door":"schedule","identity":"ana","trigger":"report/nightly"}"#;

/// One place, held by the first of many runs of Ana's; their step lets nobody through before the test says so.
async fn crowded(mut plan: Plan, groups: bool) -> (Workbench, Vec<RunId>) {
    if groups {
        let group = "erp".to_owned();
        plan.concurrency =
            Some(Concurrency { group, limit: 1, overflow: Overflow::Queue, queue_max: None, newest_first: false });
    }
    let places = if groups { 50 } else { 1 };
    let settings = Settings { max_concurrent: places, drain_grace: Span::from_millis(50), ..Settings::default() };
    let bench = Workbench::with(plan, settings).await;
    bench.script("a", Script::Hold);
    let mut runs = Vec::new();
    for _ in 0..30 {
        runs.push(bench.start_from(ANA).await);
    }
    bench.ledger.until_started("a", 1).await;
    (bench, runs)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_does_not_wait_behind_all_of_somebody_else() {
    for groups in [false, true] {
        let (bench, _) = crowded(plan(&[("a", &[])]), groups).await;
        let (ben, nightly) = (bench.start_from(BEN).await, bench.start_from(NIGHTLY).await);
        let standing = bench.engine.line().standing(ben).expect("it waits");
        assert!(standing.position <= 3 && standing.claimants == 3, "groups {groups}: {standing:?}");
        // Of five that get through, these are two.
        bench.ledger.let_go(5);
        bench.until(ben, "completed").await;
        bench.until(nightly, "completed").await;
        bench.ledger.let_go(27);
        bench.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_as_well() {
    let (bench, _) = crowded(plan(&[("a", &[])]), false).await;
    let ben = bench.start_from(BEN).await;
    let bench = bench.restart().await;
    // Five places now: one of the first five that get through is Ben's.
    bench.ledger.let_go(5);
    bench.until(ben, "completed").await;
    bench.ledger.let_go(30);
    bench.engine.stop().await;
}
