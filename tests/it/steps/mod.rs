//! The steps, with the real tools and servers.

mod analysis;
mod data;
mod document;
mod flow;
mod notify;
mod script;
