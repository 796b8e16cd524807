//! The lines to the outside world, against real programs and servers.

mod address;
mod guard;
mod limits;
mod process;
mod redirects;
mod tls;
