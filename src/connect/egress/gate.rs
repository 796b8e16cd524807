//! The one gate: an address of the world in, checked socket addresses out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::address::judge;
use super::allow::{AllowRule, PortRange};
use super::refusal::Refusal;
use super::resolve::{Resolver, SystemResolver};
use crate::domain::time::Span;

/// What the operator may change about the guard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Ranges with a port that are reached although they are not public.
    pub allow: Vec<AllowRule>,
    /// Ports that may be reached on public addresses.
    pub ports: Vec<PortRange>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allow: Vec::new(), ports: vec![PortRange(80..=80), PortRange(443..=443), PortRange(8000..=8999)] }
    }
}

/// How long a name may take to resolve.
const RESOLVE: Span = Span::from_secs(2);

/// More addresses than this are not tried: a name server could answer with thousands.
const TRIED: usize = 16;

/// The outbound guard. Cloning shares it.
#[derive(Clone)]
pub struct Egress {
    settings: Arc<Settings>,
    resolver: Arc<dyn Resolver>,
    resolve_within: Span,
}

/// A host and port with addresses that were checked. Only the guard makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    host: String,
    addresses: Vec<SocketAddr>,
}

impl Admitted {
    /// The host as the address names it; an IPv6 address is in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The addresses to connect to; never empty.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Checks where a connection really went.
    ///
    /// # Errors
    /// [`Refusal::Strayed`].
    pub fn confirm(&self, peer: SocketAddr) -> Result<(), Refusal> {
        let known = self.addresses.iter().any(|address| address.ip().to_canonical() == peer.ip().to_canonical());
        if known { Ok(()) } else { Err(Refusal::Strayed { host: self.host.clone(), peer: peer.ip() }) }
    }
}

impl Egress {
    /// A guard that resolves names as the machine does.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), resolver: Arc::new(SystemResolver), resolve_within: RESOLVE }
    }

    /// The same guard with another resolver, bounded by another time.
    #[must_use]
    pub fn resolving_with(mut self, resolver: Arc<dyn Resolver>, within: Span) -> Self {
        self.resolver = resolver;
        self.resolve_within = within;
        self
    }

    /// Checks this address and says where to connect. The name is resolved exactly once.
    ///
    /// # Errors
    /// Why it may not be reached.
    pub async fn admit(&self, url: &Url) -> Result<Admitted, Refusal> {
        let (host, port) = self.survey(url)?;
        let name = host.to_string();
        let addresses: Vec<IpAddr> = match host {
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
            Host::Domain(domain) => self.resolve(domain).await?,
        };
        let mut addresses: Vec<_> = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        for address in &addresses {
            self.check(&name, *address)?;
        }
        addresses.truncate(TRIED);
        Ok(Admitted { host: name, addresses })
    }

    /// What can be judged without asking anybody.
    fn survey<'u>(&self, url: &'u Url) -> Result<(Host<&'u str>, u16), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme(url.scheme().chars().take(40).collect()));
        }
        let host = url.host().ok_or(Refusal::NoHost)?;
        let name = host.to_string();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo(name));
        }
        let port = url.port_or_known_default().ok_or(Refusal::NoHost)?;
        if !self.is_usual(port) && !self.settings.allow.iter().any(|rule| rule.port() == port) {
            return Err(self.port_refusal(&name, port));
        }
        if is_reserved(&name) {
            return Err(Refusal::Reserved(name));
        }
        Ok((host, port))
    }

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, Refusal> {
        let within = self.resolve_within;
        let unresolved = |source| Refusal::Unresolved { host: name.to_owned(), source };
        match tokio::time::timeout(within.duration(), self.resolver.lookup(name)).await {
            Err(_) => Err(Refusal::Slow { host: name.to_owned(), limit: within }),
            Ok(Err(error)) => Err(unresolved(error)),
            Ok(Ok(found)) if found.is_empty() => Err(unresolved(std::io::ErrorKind::NotFound.into())),
            Ok(Ok(found)) => Ok(found),
        }
    }

    fn check(&self, host: &str, address: SocketAddr) -> Result<(), Refusal> {
        if self.settings.allow.iter().any(|rule| rule.opens(address)) {
            return Ok(());
        }
        if !self.is_usual(address.port()) {
            return Err(self.port_refusal(host, address.port()));
        }
        judge(address.ip()).map_err(|objection| Refusal::Address { host: host.to_owned(), address, objection })?;
        if is_own(address.ip()) {
            return Err(Refusal::Own { host: host.to_owned(), address });
        }
        Ok(())
    }

    fn port_refusal(&self, host: &str, port: u16) -> Refusal {
        let usual: Vec<_> = self.settings.ports.iter().map(ToString::to_string).collect();
        Refusal::Port { host: host.to_owned(), port, usual: usual.join(", ") }
    }

    fn is_usual(&self, port: u16) -> bool {
        self.settings.ports.iter().any(|range| range.0.contains(&port))
    }
}

/// Names that RFC 2606 and RFC 6761 set aside for examples and tests.
fn is_reserved(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let beneath = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    ["example.com", "example.net", "example.org", "example", "test", "invalid"].into_iter().any(beneath)
}

/// Whether this machine itself has the address: a service that fetches itself can loop for ever, and a public
/// address of the machine reaches ports that no firewall in front of it would pass. Connecting a datagram socket
/// sends nothing; the kernel only says from which address it would, and to itself that is the same one.
fn is_own(address: IpAddr) -> bool {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_an_operator_writes_them_and_print_the_same() {
        let text = "allow = [\"127.0.0.1/32:8123\"]\nports = [443, \"8000-8999\"]\n";
        let settings: Settings = toml::from_str(text).expect("settings");
        let ports = vec![PortRange(443..=443), PortRange(8000..=8999)];
        assert_eq!(settings, Settings { allow: vec!["127.0.0.1:8123".parse().expect("a rule")], ports });
        assert_eq!(toml::from_str::<Settings>(&toml::to_string(&settings).expect("text")).expect("settings"), settings);
        for wrong in ["allow = [\"127.0.0.1\"]", "ports = [99999]", "ports = [\"9-8\"]", "prots = []"] {
            assert!(toml::from_str::<Settings>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reserved_names_are_known_with_everything_beneath_them_and_nothing_beside() {
        for host in ["example.com", "api.example.com", "example.org.", "a.b.test", "test", "x.invalid", "y.example"] {
            assert!(is_reserved(host), "{host}");
        }
        for host in ["notexample.com", "example.com.evil.net", "contest", "example.de", "invalid.net", ""] {
            assert!(!is_reserved(host), "{host}");
        }
    }

    #[test]
    fn the_machine_knows_its_own_addresses() {
        assert!(is_own(Ipv4Addr::LOCALHOST.into()));
        assert!(!is_own(Ipv4Addr::new(192, 0, 2, 1).into()));
    }
}
