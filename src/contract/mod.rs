//! The sockets: traits that have more than one implementation, and their plain types. Implementations live above.

pub mod blob;
pub mod clock;
pub mod crash;
pub mod directory;
pub mod media;
pub mod registry;
pub mod step;
