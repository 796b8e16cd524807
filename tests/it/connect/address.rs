//! Judging an address twice: by the tables of the guard, and by somebody who has not seen them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use workflow::connect::egress::judge;

/// A second opinion in another style: octets and the standard library's questions instead of tables.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, d] = v4.octets();
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || [a, b, c, d] == [168, 63, 129, 16])
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let o = v6.octets();
    let v4 = |at: usize| Ipv4Addr::new(o[at], o[at + 1], o[at + 2], o[at + 3]);
    if v6.is_loopback() || v6.is_unspecified() {
        return false;
    }
    if o[..10] == [0; 10] && (o[10..12] == [0, 0] || o[10..12] == [255, 255]) {
        return is_public_v4(v4(12));
    }
    if o[..12] == [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0] {
        return is_public_v4(v4(12));
    }
    if o[..2] == [0x20, 0x02] {
        return is_public_v4(v4(2));
    }
    if o[..4] == [0x20, 0x01, 0, 0] {
        let client = Ipv4Addr::from(!u32::from(v4(12)));
        return is_public_v4(v4(4)) && is_public_v4(client);
    }
    let protocol = o[0] == 0x20 && o[1] == 0x01 && o[2] < 2;
    let documentation = o[..4] == [0x20, 0x01, 0x0d, 0xb8] || (o[..2] == [0x3f, 0xff] && o[2] < 0x10);
    (0x20..0x40).contains(&o[0]) && !protocol && !documentation
}

/// Random addresses alone would almost never meet the interesting ranges: most begin like one.
fn address() -> impl Strategy<Value = IpAddr> {
    let v4_starts: Vec<u32> = [
        "0.0.0.0",
        "9.255.255.255",
        "10.0.0.0",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.0",
        "172.32.0.0",
        "192.0.0.0",
        "192.0.2.0",
        "192.88.99.0",
        "192.168.0.0",
        "198.18.0.0",
        "198.20.0.0",
        "198.51.100.0",
        "203.0.113.0",
        "224.0.0.0",
        "240.0.0.0",
        "8.8.8.8",
    ]
    .iter()
    .map(|text| u32::from(text.parse::<Ipv4Addr>().expect("an address")))
    .collect();
    let v6_starts: Vec<u128> = [
        "::",
        "::1",
        "::ffff:0:0",
        "64:ff9b::",
        "64:ff9b:1::",
        "100::",
        "2001::",
        "2001:1ff::",
        "2001:200::",
        "2001:db8::",
        "2002::",
        "2606:4700::",
        "3fff::",
        "3fff:1000::",
        "5f00::",
        "fc00::",
        "fe80::",
        "fec0::",
        "ff00::",
    ]
    .iter()
    .map(|text| u128::from(text.parse::<Ipv6Addr>().expect("an address")))
    .collect();
    let v4 = (proptest::sample::select(v4_starts), any::<u32>(), 0u32..33)
        .prop_map(|(start, noise, keep)| start ^ noise.checked_shr(keep).unwrap_or(0));
    let inner = (v4.clone(), any::<bool>()).prop_map(|(v4, invert)| if invert { !v4 } else { v4 });
    let v6 = (proptest::sample::select(v6_starts), any::<u128>(), 0u32..129, inner, 0u32..5).prop_map(
        |(start, noise, keep, inner, place)| {
            let bits = start ^ noise.checked_shr(keep).unwrap_or(0);
            let shift = place * 16;
            if place == 4 { bits } else { bits & !(0xffff_ffff << shift) | u128::from(inner) << shift }
        },
    );
    let six_to_four = v4.clone().prop_map(|inner| 0x2002 << 112 | u128::from(inner) << 80);
    prop_oneof![
        v4.prop_map(|bits| IpAddr::V4(bits.into())),
        v6.prop_map(|bits| IpAddr::V6(bits.into())),
        six_to_four.prop_map(|bits| IpAddr::V6(bits.into())),
        any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
        any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_ways_of_judging_an_address_agree(address in address()) {
        prop_assert_eq!(judge(address).is_ok(), is_public(address), "{}", address);
    }
}

#[test]
fn every_range_is_judged_alike_at_both_of_its_edges() {
    let ranges = [
        "0.0.0.0-0.255.255.255",
        "10.0.0.0-10.255.255.255",
        "100.64.0.0-100.127.255.255",
        "127.0.0.0-127.255.255.255",
        "169.254.0.0-169.254.255.255",
        "172.16.0.0-172.31.255.255",
        "192.0.0.0-192.0.0.255",
        "192.0.2.0-192.0.2.255",
        "192.88.99.0-192.88.99.255",
        "192.168.0.0-192.168.255.255",
        "198.18.0.0-198.19.255.255",
        "198.51.100.0-198.51.100.255",
        "203.0.113.0-203.0.113.255",
        "168.63.129.16-168.63.129.16",
        "224.0.0.0-255.255.255.255",
    ];
    for range in ranges {
        let (first, last) = range.split_once('-').expect("two addresses");
        let bits = |text: &str| u32::from(text.parse::<Ipv4Addr>().expect("an address"));
        for inside in [bits(first), bits(last)] {
            assert!(judge(IpAddr::V4(inside.into())).is_err(), "{range}");
        }
        for outside in [bits(first).checked_sub(1), bits(last).checked_add(1)].into_iter().flatten() {
            let outside = IpAddr::V4(outside.into());
            assert_eq!(judge(outside).is_ok(), is_public(outside), "{outside}");
        }
    }
    for (first, last) in
        [("2001::", "2001:1ff:ffff::"), ("2001:db8::", "2001:db8:ffff::"), ("3fff::", "3fff:fff:ffff::")]
    {
        for inside in [first, last] {
            assert!(judge(inside.parse().expect("an address")).is_err(), "{inside}");
        }
    }
    for edge in ["2000::", "2001:200::", "2001:db7:ffff::", "2001:db9::", "3ffe:ffff::", "3fff:1000::"] {
        assert!(judge(edge.parse().expect("an address")).is_ok(), "{edge}");
    }
}
