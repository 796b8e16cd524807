//! The steps, with the real tools and servers.

mod document;
mod flow;
mod script;
