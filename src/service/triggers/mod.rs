//! Triggers at the front desk: which there are, what comes of what happens, and why.
//!
//! `lend` says in whose name; `asked` what people answer where a trigger asks.
//! `arm` keeps what workflows say; `clock` looks at what is due; `occur` at what happened; `start` makes a run of either,
//! in one commit with its firing; `manage` is for hands; `explain` answers from what was kept. Nothing here sleeps or
//! listens: whoever does (`src/triggers/`) calls [`Service::tick`](crate::service::Service) and `occur`.

mod act;
mod arm;
mod asked;
mod clock;
mod emoji;
mod ends;
mod explain;
mod files;
mod fits;
mod hooks;
mod lend;
mod manage;
mod occur;
mod preview;
mod start;
mod view;
mod words;

pub use act::{Acted, TriggerAct};
pub use asked::{ALL, Asking, Flood, FloodFile, NONE};
pub use clock::LATE;
pub use files::FileCame;
pub use hooks::{HookAnswer, HookRequest};
pub use manage::{Backfill, NewTrigger};
pub use occur::{Came, Occurrence};
pub use preview::{Preview, PreviewFire, SimulateView};
pub use view::{FiringView, TriggerView};
pub use words::{CommandCame, ReactionCame};
