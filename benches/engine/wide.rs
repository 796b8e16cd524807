//! Many items in one run, and many runs that wait.

use std::path::Path;
use std::time::Instant;

use workflow::domain::plan::EffectClass;

use super::bench::Bench;
use super::machine::{Load, line, memory_mib};

/// Runs that wait.
const WAITING: usize = 100_000;

/// One run with a loop over so many items.
pub async fn fan_out(folder: &Path, effect: EffectClass, (name, items): (&str, usize)) {
    let list: Vec<String> = (0..items).map(|item| item.to_string()).collect();
    let inputs = format!("{{\"list\":[{}]}}", list.join(","));
    let text =
        "name: Wide\nsteps:\n  - { type: trivial, foreach: { in: \"${{ inputs.list }}\", max_parallel: 1000 } }\n";
    let file = format!("wide_{name}_{items}");
    let bench = Bench::of(folder, (&file, text, &inputs), effect, 5).await;
    let before = memory_mib();
    let load = Load::begin();
    bench.run_one().await;
    let (wall, cpu) = load.end();
    let each = cpu / items as f64 * 1e6;
    let grown = memory_mib().saturating_sub(before);
    line(
        &format!("{name}: one run of {items} items"),
        &format!("{:.0} ms, {each:.0} us CPU an item, +{grown} MiB", wall * 1e3),
    );
    bench.close().await;
}

/// Runs that wait: what they cost at a start, and while they do nothing.
pub async fn waiting(folder: &Path) {
    let text = "name: Idle\nsteps:\n  - { type: idle }\n";
    let open = || Bench::of(folder, ("idle", text, "{}"), EffectClass::Idempotent, 100);
    let bench = open().await;
    let load = Load::begin();
    bench.accept(WAITING).await;
    bench.until_waiting(WAITING).await;
    let (wall, _) = load.end();
    line(&format!("{WAITING} runs accepted and put to sleep"), &format!("{wall:.1} s"));
    bench.close().await;
    let before = memory_mib();
    let begin = Instant::now();
    let bench = open().await;
    let took = begin.elapsed().as_secs_f64();
    let grown = memory_mib().saturating_sub(before);
    line("  a start with all of them", &format!("{:.0} ms, +{grown} MiB", took * 1e3));
    let load = Load::begin();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let (wall, cpu) = load.end();
    line("  CPU while they wait", &format!("{:.2} %", 100.0 * cpu / wall));
    let listed = bench.list().await;
    line("  the newest 50 listed", &format!("{:.1} ms", listed.as_secs_f64() * 1e3));
    bench.close().await;
}
