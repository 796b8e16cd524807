//! Who comes when: the `desk` knows who carries what and gives out places, the `queue` who waits for one, `rooms` which
//! attempts share something. Only bookkeeping: no I/O, no rules.

pub mod desk;
pub mod queue;
pub mod rooms;
