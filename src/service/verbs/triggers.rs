//! What starts by itself: schedules and other triggers, as people type them.

use clap::{Args, ValueEnum};

/// What to do with schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScheduleDo {
    /// Tell the next times of an expression, of plain words, or of a schedule
    Next,
    /// Tell all times of a stretch of time, with the days on which clocks are changed
    Simulate,
    /// List the schedules
    List,
    /// Make a schedule for a workflow: `add WORKFLOW "weekdays 9am"`
    Add,
    /// Take away a schedule that was added
    Remove,
    /// Pause a schedule `--until` a time
    Pause,
    /// Let a schedule go on
    Resume,
    /// Make up for the instants `--from` and `--until`; without `--yes` it only tells which
    Backfill,
}

/// `schedule`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Schedule {
    /// What to do
    #[arg(value_enum, default_value = "list")]
    pub act: ScheduleDo,
    /// A cron expression, plain words, or the name of a schedule or workflow
    #[arg(allow_hyphen_values = true)]
    pub what: Option<String>,
    /// With `add`: when. With `next`: how many
    pub when: Option<String>,
    /// The time zone, as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// From when on, as 2027-03-27 or 2027-03-27T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until when
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// How many times
    #[arg(long)]
    pub count: Option<usize>,
    /// How many days
    #[arg(long, default_value_t = 30)]
    pub days: u32,
    /// With `add`: what to call it
    #[arg(long)]
    pub name: Option<String>,
    /// Do it, instead of telling what it would be
    #[arg(long)]
    pub yes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do with triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TriggerDo {
    /// List what starts workflows
    List,
    /// Show one trigger
    Show,
    /// Switch it on
    On,
    /// Switch it off
    Off,
    /// Say why it started something, or did not
    Explain,
    /// Fire it by hand
    Fire,
    /// Give it another secret; the old one counts for a day
    Rotate,
    /// Ask about each file again, wherever somebody pressed "Always here"
    Ask,
    /// Take away a trigger that was made by hand
    Remove,
}

/// `trigger`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Trigger {
    /// What to do
    #[arg(value_enum, default_value = "list")]
    pub act: TriggerDo,
    /// The trigger, as data_pipeline/nightly, or its workflow
    pub name: Option<String>,
    /// With `explain`: a time, as 02:00 or 2027-03-28
    pub at: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `explain`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Explain {
    /// The execution's id, a unique beginning of it, or `last`; or a trigger or workflow
    #[arg(default_value = "last")]
    pub execution: String,
    /// Of a trigger: a time, as 02:00. After `last`: a kind of trigger, as `last file`
    pub at: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
