//! A resolver that answers as it is told, and counts how often it was asked.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use workflow::connect::egress::{AllowRule, Egress, PortRange, Resolver, Settings};
use workflow::connect::http::Client;
use workflow::domain::time::Span;

/// Names and their answers: one list per lookup, the last one for ever. A name without answers is never answered.
#[derive(Default)]
pub struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    lookups: AtomicUsize,
}

impl Names {
    /// These names; each lookup takes the next of its answers, written as `"1.2.3.4 ::1"`.
    pub fn new(names: &[(&str, &[&str])]) -> Arc<Self> {
        let read = |answer: &&str| answer.split_whitespace().map(|ip| ip.parse().expect("an address")).collect();
        let answers = names
            .iter()
            .map(|(name, answers)| ((*name).to_owned(), answers.iter().rev().map(read).collect()))
            .collect();
        Arc::new(Self { answers: Mutex::new(answers), lookups: AtomicUsize::new(0) })
    }

    /// How often anybody asked.
    pub fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

impl Resolver for Names {
    fn lookup<'a>(&'a self, name: &'a str) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().expect("no test panics while it holds the names");
        let answer = match answers.get_mut(name) {
            None => Some(Err(std::io::Error::other("no such name"))),
            Some(left) if left.len() > 1 => left.pop().map(Ok),
            Some(left) => left.last().cloned().map(Ok),
        };
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

/// A guard with these names and rules. Every port is usual: so it is the address that is refused, not the port.
pub fn egress(names: &Arc<Names>, allow: &[AllowRule]) -> Egress {
    let settings = Settings { allow: allow.to_vec(), ports: vec![PortRange(1..=u16::MAX)] };
    Egress::new(settings).resolving_with(Arc::clone(names) as Arc<dyn Resolver>, Span::from_millis(200))
}

/// A client that knows no names and reaches these servers.
pub fn client(allow: &[AllowRule]) -> Client {
    Client::new(egress(&Names::new(&[]), allow))
}
