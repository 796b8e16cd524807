//! Asks for the addresses of a name: once per connection, by the guard alone.

use std::io;
use std::net::IpAddr;

use futures::future::BoxFuture;

/// Turns a name into all its addresses. Tests bring a scripted one; the guard bounds the time.
pub trait Resolver: Send + Sync {
    /// All addresses of this name.
    fn lookup<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The machine's own way: hosts file, then name servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}
