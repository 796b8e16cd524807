//! The step list of a running execution: updated in place on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::print;
use crate::service::RunView;

/// Shows one execution after another.
pub enum Watch {
    /// Lines that update in place.
    Live(Live),
    /// A line whenever something changes.
    Plain(Plain),
    /// Nothing at all.
    Silent,
}

impl Watch {
    /// For standard error as it is: a terminal or not.
    pub fn new() -> Self {
        if std::io::stderr().is_terminal() { Self::Live(Live::default()) } else { Self::Plain(Plain::default()) }
    }

    /// Shows a new view, and what a step says meanwhile.
    pub fn show(&mut self, view: &RunView, says: Option<(usize, &str)>) {
        match self {
            Self::Live(live) => live.show(view, says),
            Self::Plain(plain) => plain.show(view, says),
            Self::Silent => {}
        }
    }
}

/// Lines that update in place.
#[derive(Default)]
pub struct Live {
    screen: MultiProgress,
    bars: Vec<ProgressBar>,
    says: HashMap<usize, String>,
    status: &'static str,
}

impl Live {
    fn show(&mut self, view: &RunView, says: Option<(usize, &str)>) {
        if let Some((step, text)) = says {
            self.says.insert(step, text.to_owned());
        }
        while self.bars.len() < view.steps.len() {
            self.bars.push(self.screen.add(ProgressBar::new_spinner().with_style(style(false))));
        }
        for (step, bar) in view.steps.iter().zip(&self.bars) {
            let running = step.status == "running";
            let says = self.says.get(&step.index).filter(|_| running).map(|text| format!("  {text}"));
            bar.set_style(style(running));
            bar.set_message(print::inert(&format!("{}{}", line(step, running), says.unwrap_or_default())));
            if running {
                bar.enable_steady_tick(Duration::from_millis(120));
            } else {
                bar.disable_steady_tick();
                bar.tick();
            }
        }
        if view.status != self.status && matches!(view.status, "paused" | "waiting" | "cancelling") {
            let hint = print::ending(view).join("\n");
            let _ = self.screen.println(format!("  {} {hint}", view.status)); // a closed terminal needs no hint
        }
        self.status = view.status;
        if view.is_finished() {
            for bar in self.bars.drain(..) {
                bar.abandon();
            }
            self.says.clear();
        }
    }
}

fn style(running: bool) -> ProgressStyle {
    let template = if running { "{spinner} {wide_msg}" } else { "{wide_msg}" };
    let style = ProgressStyle::with_template(template).expect("the template above is well formed");
    style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}

/// A running step's sign is its spinner.
fn line(step: &crate::service::StepView, running: bool) -> String {
    let text = print::step(step);
    if running { text.chars().skip(2).collect() } else { text }
}

/// A line whenever something changes.
#[derive(Default)]
pub struct Plain {
    shown: HashMap<usize, (&'static str, u32)>,
    status: &'static str,
    said: Vec<String>,
}

impl Plain {
    fn show(&mut self, view: &RunView, says: Option<(usize, &str)>) {
        for step in &view.steps {
            let state = (step.status, step.attempts);
            let news = self.shown.insert(step.index, state) != Some(state);
            if news && step.status != "pending" {
                print::aside(print::step(step));
                if let Some(error) = step.error.as_ref().filter(|_| step.status == "retrying") {
                    print::aside(format!("  {} {}", error.code, error.message));
                }
            }
        }
        if let Some((step, text)) = says {
            print::aside(format!("  {}: {text}", view.steps[step].name));
        }
        let said = if view.is_finished() { Vec::new() } else { print::ending(view) };
        let is_news = view.status != self.status || said != self.said;
        if is_news && matches!(view.status, "paused" | "waiting" | "cancelling") {
            print::aside(format!("  {}", view.status));
            for line in &said {
                print::aside(line);
            }
        }
        (self.status, self.said) = (view.status, said);
        if view.is_finished() {
            self.shown.clear();
        }
    }
}
