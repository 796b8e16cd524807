//! What the operator opens on purpose: an exact range of addresses together with one port. Pure.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `10.20.0.0/16:8443`, `127.0.0.1/32:8123`, `[fd00::]/8:443`; an address without a length stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowRule {
    net: IpAddr,
    length: u8,
    port: u16,
}

/// Why a text is not an allow rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an allow rule: {reason}; write ADDRESS/LENGTH:PORT as in `10.20.0.0/16:8443` or `[fd00::]/8:443`"
)]
pub struct AllowError {
    text: String,
    reason: &'static str,
}

impl AllowRule {
    /// Whether the rule opens this address. An IPv4 address written as `::ffff:a.b.c.d` is that IPv4 address.
    #[must_use]
    pub fn opens(&self, address: SocketAddr) -> bool {
        self.port == address.port() && self.contains(address.ip().to_canonical())
    }

    /// The port it is about.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    fn contains(&self, address: IpAddr) -> bool {
        let shift = |bits: u128, width: u32| bits.checked_shr(width - u32::from(self.length)).unwrap_or(0);
        match (self.net, address) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                shift(u32::from(net).into(), 32) == shift(u32::from(address).into(), 32)
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => shift(net.into(), 128) == shift(address.into(), 128),
            _ => false,
        }
    }
}

impl FromStr for AllowRule {
    type Err = AllowError;

    fn from_str(text: &str) -> Result<Self, AllowError> {
        let error = |reason| AllowError { text: text.chars().take(80).collect(), reason };
        let (range, port) = text.trim().rsplit_once(':').ok_or_else(|| error("the port is missing"))?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(|| error("the port is no port number"))?;
        let (net, length) = range.split_once('/').map_or((range, None), |(net, length)| (net, Some(length)));
        let net = net.strip_prefix('[').and_then(|net| net.strip_suffix(']')).unwrap_or(net);
        let net: IpAddr = net.parse().map_err(|_| error("the address is no IP address"))?;
        let width = if net.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => width,
            Some(length) => length
                .parse()
                .ok()
                .filter(|length| *length <= width)
                .ok_or_else(|| error("the length is out of range"))?,
        };
        let rule = Self { net, length, port };
        if rule.has_host_bits() {
            return Err(error("the address has bits beyond its length"));
        }
        Ok(rule)
    }
}

impl AllowRule {
    /// `10.0.0.5/8` opens far more than its author sees.
    fn has_host_bits(&self) -> bool {
        let below = |bits: u128, width: u32| bits & !u128::MAX.checked_shl(width - u32::from(self.length)).unwrap_or(0);
        match self.net {
            IpAddr::V4(net) => below(u32::from(net).into(), 32) != 0,
            IpAddr::V6(net) => below(net.into(), 128) != 0,
        }
    }
}

impl fmt::Display for AllowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.net {
            IpAddr::V4(net) => write!(f, "{net}/{}:{}", self.length, self.port),
            IpAddr::V6(net) => write!(f, "[{net}]/{}:{}", self.length, self.port),
        }
    }
}

/// A range of ports: `443` or `8000-8999`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortRange(pub RangeInclusive<u16>);

impl FromStr for PortRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write a port as `443` or a range as `8000-8999`";
        let port = |text: &str| text.trim().parse::<u16>().map_err(|_| FORM);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (port(first)?, port(last)?);
        if first <= last { Ok(Self(first..=last)) } else { Err(FORM) }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0.start(), self.0.end());
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}

impl<'de> Deserialize<'de> for AllowRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for AllowRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PortRange {
    /// A number, or a text that holds a range.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a port as 443 or a range as \"8000-8999\"")]
        enum Written {
            Port(u16),
            Range(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Port(port) => Ok(Self(port..=port)),
            Written::Range(text) => text.parse().map_err(de::Error::custom),
        }
    }
}

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(rule: &str, address: &str) -> bool {
        rule.parse::<AllowRule>().expect(rule).opens(address.parse().expect(address))
    }

    #[test]
    fn a_rule_opens_its_range_on_its_port_and_nothing_else() {
        assert!(opens("127.0.0.1/32:8123", "127.0.0.1:8123"));
        assert!(opens("127.0.0.1:8123", "[::ffff:127.0.0.1]:8123"), "the same socket in another spelling");
        assert!(!opens("127.0.0.1/32:8123", "127.0.0.1:8124"));
        assert!(!opens("127.0.0.1/32:8123", "127.0.0.2:8123"));
        assert!(!opens("127.0.0.1/32:8123", "[64:ff9b::7f00:1]:8123"), "a translator is another machine");
        assert!(opens("10.20.0.0/16:443", "10.20.255.1:443") && !opens("10.20.0.0/16:443", "10.21.0.1:443"));
        assert!(opens("0.0.0.0/0:443", "10.0.0.1:443") && !opens("0.0.0.0/0:443", "[::1]:443"));
        assert!(opens("[fd00::]/8:443", "[fd12::1]:443") && opens("[::1]:80", "[::1]:80"));
    }

    #[test]
    fn a_rule_that_cannot_be_meant_is_refused_with_its_reason() {
        for (rule, reason) in [
            ("127.0.0.1", "port is missing"),
            ("127.0.0.1:0", "no port number"),
            ("127.0.0.1:99999", "no port number"),
            ("localhost:80", "no IP address"),
            ("127.0.0.1/33:80", "out of range"),
            ("10.0.0.5/8:80", "bits beyond"),
            ("", "port is missing"),
        ] {
            let error = rule.parse::<AllowRule>().expect_err(rule).to_string();
            assert!(error.contains(reason), "{rule}: {error}");
        }
    }

    #[test]
    fn rules_and_ranges_print_as_they_are_written() {
        for text in ["10.20.0.0/16:8443", "[fd00::]/8:443"] {
            assert_eq!(text.parse::<AllowRule>().map(|rule| rule.to_string()).as_deref(), Ok(text));
        }
        for text in ["443", "8000-8999"] {
            assert_eq!(text.parse::<PortRange>().map(|range| range.to_string()).as_deref(), Ok(text));
        }
        assert!("80-x".parse::<PortRange>().is_err());
    }
}
