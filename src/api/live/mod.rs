//! Live messages: the WebSocket, the event stream, and the hub that knows who listens to what.
//!
//! Start reading at [`line`]: readers pull, nobody pushes.

mod executions;
mod hub;
mod line;
mod rows;
pub mod socket;
pub mod stream;

pub use hub::Hub;
