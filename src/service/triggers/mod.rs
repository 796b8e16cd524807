//! Triggers at the front desk: which there are, what comes of what happens, and why.
//!
//! `arm` keeps what workflows say; `clock` looks at what is due; `occur` at what happened; `start` makes a run of either,
//! in one commit with its firing; `manage` is for hands; `explain` answers from what was kept. Nothing here sleeps or
//! listens: whoever does (`src/triggers/`) calls [`Service::tick`](crate::service::Service) and `occur`.

mod act;
mod arm;
mod clock;
mod ends;
mod explain;
mod files;
mod hooks;
mod manage;
mod occur;
mod preview;
mod start;
mod view;

pub use act::{Acted, TriggerAct};
pub use clock::LATE;
pub use files::FileCame;
pub use hooks::{HookAnswer, HookRequest};
pub use manage::{Backfill, NewTrigger};
pub use occur::{Came, Occurrence};
pub use preview::{Preview, PreviewFire, SimulateView};
pub use view::{FiringView, TriggerView};
