//! The engine's speed beside the floor of the machine, in one run: `make bench`.
//!
//! Work: a workflow of ten steps in a row, each giving about 100 bytes. *Durable* steps may have effects, so the
//! result of one and the intent of the next are committed before it starts; *pure* steps may share a commit.
//! SQLite, write-ahead log, synchronous FULL. Times of one machine compare only within one run: read the ratios.

mod bench;
mod floor;
mod machine;
mod wide;

use std::time::Duration;

use bench::Bench;
use machine::{Load, line};
use workflow::domain::plan::EffectClass;

/// Runs in a throughput measurement.
const RUNS: usize = 1_000;
/// Of these at the same time.
const IN_FLIGHT: usize = 100;
/// Runs in a latency measurement, one at a time.
const ALONE: usize = 500;
/// What can be measured by itself.
const PARTS: [&str; 4] = ["alone", "together", "wide", "waiting"];
/// Steps of a run.
const STEPS: usize = 10;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        line("machine", &machine::describe());
        let folder = tempfile::tempdir_in(".").expect("a folder on the disk that is measured");
        let floor = floor::measure(folder.path()).await;
        line("floor: single-row commits", &format!("{:.0}/s, {:.0} us each", floor.single, 1e6 / floor.single));
        line("floor: rows, 100 a commit", &format!("{:.0}/s", floor.hundred));
        line("floor: rows, 1,000 a commit", &format!("{:.0}/s", floor.thousand));
        for (name, effect) in classes() {
            let bench = Bench::new(folder.path(), name, effect, IN_FLIGHT).await;
            if is_wanted("alone") {
                alone(&bench, name, floor.single).await;
            }
            if is_wanted("together") {
                together(&bench, name, floor.hundred).await;
            }
            bench.close().await;
        }
        line("peak memory", &format!("{} MiB", machine::peak_memory_mib()));
        for (name, effect) in classes().filter(|_| is_wanted("wide")) {
            for items in [1_000, 10_000, 100_000] {
                wide::fan_out(folder.path(), effect, (name, items)).await;
            }
        }
        if is_wanted("waiting") {
            wide::waiting(folder.path()).await;
        }
        line("peak memory", &format!("{} MiB", machine::peak_memory_mib()));
    });
}

/// Whether this part is to be measured: `cargo bench -- together durable` names some, nothing names all.
fn is_wanted(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|word| PARTS.contains(&word.as_str())).peekable();
    named.peek().is_none() || named.any(|word| word == part)
}

/// The classes of steps that are to be measured.
fn classes() -> impl Iterator<Item = (&'static str, EffectClass)> {
    let all = [("durable", EffectClass::Idempotent), ("pure", EffectClass::Pure)];
    let named = move |name: &str| std::env::args().any(|word| word == name);
    let some = all.iter().any(|(name, _)| named(name));
    all.into_iter().filter(move |(name, _)| !some || named(name))
}

/// One run at a time.
async fn alone(bench: &Bench, name: &str, commits_per_second: f64) {
    for _ in 0..20 {
        bench.run_one().await;
    }
    let mut times: Vec<Duration> = Vec::with_capacity(ALONE);
    for _ in 0..ALONE {
        times.push(bench.run_one().await);
    }
    times.sort_unstable();
    let (p50, p99) = (times[ALONE / 2].as_secs_f64() * 1e3, times[ALONE * 99 / 100].as_secs_f64() * 1e3);
    let floor = STEPS as f64 * 1e3 / commits_per_second;
    line(&format!("{name}: one run of {STEPS} steps"), &format!("p50 {p50:.2} ms, p99 {p99:.2} ms"));
    line("  beside ten raw commits", &format!("{:.2} x ({floor:.2} ms)", p50 / floor));
}

/// Many runs at once.
async fn together(bench: &Bench, name: &str, rows_per_second: f64) {
    let load = Load::begin();
    bench.run_many(RUNS, IN_FLIGHT).await;
    let steps = (RUNS * STEPS) as f64;
    let (wall, cpu) = load.end();
    let rate = steps / wall;
    let what = format!("{name}: {RUNS} runs, {IN_FLIGHT} in flight");
    line(&what, &format!("{rate:.0} steps/s, {:.0} us CPU a step", cpu / steps * 1e6));
    let (rows, bytes) = bench.written_per_step().await;
    line("  written", &format!("{rows:.2} rows and {bytes:.0} bytes a step"));
    line("  beside raw rows, 100 a commit", &format!("{:.0} % of the floor", 100.0 * rate * rows / rows_per_second));
}
