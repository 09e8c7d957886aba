//! What kind of network an IP address belongs to.
//!
//! An IPv6 address that carries an IPv4 address inside (mapped, compatible, 6to4, Teredo, NAT64, ISATAP) is judged by
//! the worse of the two, because a gateway on the way may unwrap it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads, the most harmless first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressClass {
    /// The public internet.
    Public,
    /// A network that is somebody's own: RFC 1918, ULA, carrier NAT, link-local, loopback. Reached only where granted.
    Private(&'static str),
    /// Nowhere that a connector has business: multicast, broadcast, reserved, documentation. Never reached.
    Unusable(&'static str),
    /// A cloud's metadata service, which hands out the machine's credentials. Never reached.
    Metadata,
}

/// Metadata and machine services of the clouds; the first two of AWS, GCP, Azure, OpenStack and others.
const METADATA_V4: [Ipv4Addr; 7] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 169, 253),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same over IPv6: AWS (instance, pod), GCP.
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x253),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
];

/// Classifies an address.
pub fn classify(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddressClass {
    use AddressClass::{Metadata, Private, Public, Unusable};
    if METADATA_V4.contains(&address) {
        return Metadata;
    }
    match address.octets() {
        [0, ..] => Unusable("unspecified"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private("private"),
        [100, 64..=127, ..] => Private("carrier-grade NAT"),
        [127, ..] => Private("loopback"),
        [169, 254, ..] => Private("link-local"),
        [192, 0, 0, _] => Unusable("reserved"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Unusable("documentation"),
        [192, 31, 196, _] | [192, 52, 193, _] | [192, 175, 48, _] => Unusable("reserved"),
        [192, 88, 99, _] => Unusable("6to4 relay"),
        [198, 18..=19, ..] => Private("benchmark"),
        [224..=239, ..] => Unusable("multicast"),
        [255, 255, 255, 255] => Unusable("broadcast"),
        [240..=255, ..] => Unusable("reserved"),
        _ => Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> AddressClass {
    let outer = classify_v6_outer(address);
    embedded_v4(address).map_or(outer, |inner| outer.max(classify_v4(inner)))
}

fn classify_v6_outer(address: Ipv6Addr) -> AddressClass {
    use AddressClass::{Metadata, Private, Public, Unusable};
    if METADATA_V6.contains(&address) {
        return Metadata;
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Unusable("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Private("loopback"),
        // Mapped: the inner address decides alone.
        [0, 0, 0, 0, 0, 0xffff, ..] => Public,
        // Compatible (deprecated) and SIIT forms have no use on a socket.
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => Unusable("IPv4-compatible"),
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => Public,
        [0x64, 0xff9b, 1, ..] => Private("local NAT64"),
        [0x100, 0, 0, 0 | 1, ..] => Unusable("discard-only"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Unusable("documentation"),
        [0x2001, 2, 0, ..] => Private("benchmark"),
        [0x2001, 0x10..=0x3f, ..] => Unusable("ORCHID"),
        // Teredo, which carries an IPv4 address, and the rest of the protocol assignments.
        [0x2001, 0, ..] => Public,
        [0x2001, 1..=0x1ff, ..] => Unusable("reserved"),
        [0x5f00, ..] => Unusable("segment routing"),
        [0xfc00..=0xfdff, ..] => Private("unique local"),
        [0xfe80..=0xfebf, ..] => Private("link-local"),
        [0xfec0..=0xfeff, ..] => Private("site-local"),
        [0xff00..=0xffff, ..] => Unusable("multicast"),
        // Only 2000::/3 is handed out as global unicast.
        [0x2000..=0x3fff, ..] => Public,
        _ => Unusable("reserved"),
    }
}

/// The IPv4 address inside an IPv6 address, if its form has one.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0..=1] => None,
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(join(high, low)),
        [0x64, 0xff9b, _, _, _, _, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => Some(join(!high, !low)),
        [_, _, _, _, 0 | 0x0200, 0x5efe, high, low] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::AddressClass::{Metadata, Private, Public, Unusable};
    use super::*;

    #[test]
    fn every_range_has_its_class() {
        let table: &[(&str, AddressClass)] = &[
            ("8.8.8.8", Public),
            ("1.1.1.1", Public),
            ("172.15.255.255", Public),
            ("172.32.0.0", Public),
            ("100.63.255.255", Public),
            ("100.128.0.0", Public),
            ("2606:4700:4700::1111", Public),
            ("0.0.0.0", Unusable("unspecified")),
            ("0.1.2.3", Unusable("unspecified")),
            ("10.0.0.1", Private("private")),
            ("172.16.0.1", Private("private")),
            ("172.31.255.255", Private("private")),
            ("192.168.1.1", Private("private")),
            ("100.64.0.1", Private("carrier-grade NAT")),
            ("127.0.0.1", Private("loopback")),
            ("127.255.255.254", Private("loopback")),
            ("169.254.1.1", Private("link-local")),
            ("169.254.169.254", Metadata),
            ("169.254.170.2", Metadata),
            ("168.63.129.16", Metadata),
            ("100.100.100.200", Metadata),
            ("192.0.0.1", Unusable("reserved")),
            ("192.0.2.1", Unusable("documentation")),
            ("198.51.100.1", Unusable("documentation")),
            ("203.0.113.1", Unusable("documentation")),
            ("198.18.0.1", Private("benchmark")),
            ("224.0.0.1", Unusable("multicast")),
            ("240.0.0.1", Unusable("reserved")),
            ("255.255.255.255", Unusable("broadcast")),
            ("::", Unusable("unspecified")),
            ("::1", Private("loopback")),
            ("fe80::1", Private("link-local")),
            ("fec0::1", Private("site-local")),
            ("fc00::1", Private("unique local")),
            ("fd12:3456::1", Private("unique local")),
            ("fd00:ec2::254", Metadata),
            ("fd20:ce::254", Metadata),
            ("ff02::1", Unusable("multicast")),
            ("2001:db8::1", Unusable("documentation")),
            ("3fff:1::1", Unusable("documentation")),
            ("100::1", Unusable("discard-only")),
            ("4000::1", Unusable("reserved")),
        ];
        for (text, class) in table {
            assert_eq!(classify(text.parse().unwrap()), *class, "{text}");
        }
    }

    #[test]
    fn an_address_inside_an_address_is_judged_too() {
        let table: &[(&str, AddressClass)] = &[
            ("::ffff:8.8.8.8", Public),
            ("::ffff:127.0.0.1", Private("loopback")),
            ("::ffff:169.254.169.254", Metadata),
            ("::ffff:10.1.2.3", Private("private")),
            ("::127.0.0.1", Unusable("IPv4-compatible")),
            ("::169.254.169.254", Metadata),
            ("::ffff:0:169.254.169.254", Metadata),
            ("64:ff9b::8.8.8.8", Public),
            ("64:ff9b::10.0.0.1", Private("private")),
            ("64:ff9b::169.254.169.254", Metadata),
            ("64:ff9b:1::8.8.8.8", Private("local NAT64")),
            ("64:ff9b:1::169.254.169.254", Metadata),
            // 6to4 of 127.0.0.1, 169.254.169.254 and 8.8.8.8.
            ("2002:7f00:1::1", Private("loopback")),
            ("2002:a9fe:a9fe::1", Metadata),
            ("2002:808:808::1", Public),
            // Teredo hides the client's address inverted: 10.0.0.1 and 169.254.169.254.
            ("2001:0:4136:e378:8000:63bf:f5ff:fffe", Private("private")),
            ("2001:0:4136:e378:8000:63bf:5601:5601", Metadata),
            ("2001:470:1::5efe:10.0.0.1", Private("private")),
        ];
        for (text, class) in table {
            assert_eq!(classify(text.parse().unwrap()), *class, "{text}");
        }
    }
}
