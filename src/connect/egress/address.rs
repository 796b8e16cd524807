//! Judges one address: is it global unicast, all its disguises removed? Pure.
//!
//! The tables follow the IANA special-purpose registries. IPv4 is judged by what is refused; IPv6 by what is
//! allowed (`2000::/3`) less what is refused within it, so a range assigned tomorrow is refused until somebody looks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not global unicast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objection {
    /// What kind of address it is, with its article: `a loopback address`.
    pub kind: &'static str,
    /// The IPv4 address inside an IPv6 address, when that is what the objection is about.
    pub carried: Option<Ipv4Addr>,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.carried {
            Some(inner) => write!(f, "it carries `{inner}`, {}", self.kind),
            None => write!(f, "it is {}", self.kind),
        }
    }
}

const PRIVATE: &str = "a private address";
const DOCUMENTATION: &str = "a documentation address";
const PROTOCOL: &str = "a protocol assignment";
const RESERVED: &str = "a reserved address";

const V4: &[(Ipv4Addr, u8, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "an address of this host"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, PRIVATE),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "a carrier-internal address"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "a loopback address"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "a link-local address, where cloud metadata lives"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, PRIVATE),
    (Ipv4Addr::new(192, 0, 0, 0), 24, PROTOCOL),
    (Ipv4Addr::new(192, 0, 2, 0), 24, DOCUMENTATION),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a retired 6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, PRIVATE),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "a benchmarking address"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, DOCUMENTATION),
    (Ipv4Addr::new(203, 0, 113, 0), 24, DOCUMENTATION),
    // Looks public, but inside Azure it is the host that hands out certificates and settings of the machine.
    (Ipv4Addr::new(168, 63, 129, 16), 32, "the host service of a cloud"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "a multicast address"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, RESERVED),
];

const V6: &[(Ipv6Addr, u8, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "the unspecified address"),
    (Ipv6Addr::LOCALHOST, 128, "a loopback address"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, PRIVATE),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "a link-local address"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, PRIVATE),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "a multicast address"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "a translator of the local network"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, PROTOCOL),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, DOCUMENTATION),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, DOCUMENTATION),
];

/// Whether this address is global unicast.
///
/// # Errors
/// What it is instead.
pub fn judge(address: IpAddr) -> Result<(), Objection> {
    match address {
        IpAddr::V4(address) => judge_v4(address),
        IpAddr::V6(address) => judge_v6(address),
    }
}

fn judge_v4(address: Ipv4Addr) -> Result<(), Objection> {
    let bits = u128::from(u32::from(address)) << 96;
    let found = V4.iter().find(|(net, length, _)| same_prefix(bits, u128::from(u32::from(*net)) << 96, *length));
    found.map_or(Ok(()), |(.., kind)| Err(Objection { kind, carried: None }))
}

fn judge_v6(address: Ipv6Addr) -> Result<(), Objection> {
    let carried = carried(address);
    for inner in carried.into_iter().flatten() {
        judge_v4(inner).map_err(|objection| Objection { carried: Some(inner), ..objection })?;
    }
    if carried != [None, None] {
        return Ok(());
    }
    let bits = u128::from(address);
    if let Some((.., kind)) = V6.iter().find(|(net, length, _)| same_prefix(bits, u128::from(*net), *length)) {
        return Err(Objection { kind, carried: None });
    }
    if bits >> 125 == 1 { Ok(()) } else { Err(Objection { kind: RESERVED, carried: None }) }
}

/// The IPv4 addresses that an IPv6 address stands for. Teredo carries two: its server and, inverted, its client.
fn carried(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let join = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None], // :: and ::1 are themselves
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => [join(high, low), None], // compatible, mapped
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [join(high, low), None], // NAT64
        [0x2002, high, low, ..] => [join(high, low), None], // 6to4
        [0x2001, 0, s1, s2, _, _, c1, c2] => [join(s1, s2), join(!c1, !c2)], // Teredo
        _ => [None, None],
    }
}

const fn same_prefix(a: u128, b: u128, length: u8) -> bool {
    (a ^ b) >> (128 - length) == 0
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn public_addresses_pass_in_every_disguise_that_a_translator_gives_them() {
        for text in ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"] {
            assert_eq!(judge(text.parse().expect("an address")), Ok(()), "{text}");
        }
    }

    #[test]
    fn an_objection_names_what_the_address_hides() {
        let of = |text: &str| judge(text.parse().expect("an address")).expect_err(text).to_string();
        assert_eq!(of("127.0.0.1"), "it is a loopback address");
        assert_eq!(of("64:ff9b::7f00:1"), "it carries `127.0.0.1`, a loopback address");
        assert_eq!(
            of("2002:a9fe:a9fe::"),
            "it carries `169.254.169.254`, a link-local address, where cloud metadata lives"
        );
        assert_eq!(of("2001:0:808:808::80ff:fffe"), "it carries `127.0.0.1`, a loopback address", "a Teredo client");
        assert_eq!(of("::1"), "it is a loopback address");
        assert_eq!(of("4000::1"), "it is a reserved address");
    }
}
