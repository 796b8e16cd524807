//! Who comes when: the `desk` knows who carries what and gives out places, the `queue` who waits for one, `fair` in which order, `rooms` which
//! attempts share something. Only bookkeeping: no I/O, no rules.

pub mod desk;
pub mod fair;
pub mod queue;
pub mod rooms;
