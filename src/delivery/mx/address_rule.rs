//! Which addresses mail may be taken to when the DNS of a stranger names them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether mail may go to addresses that are not public.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AddressRule {
    /// It may not: whoever writes a zone could otherwise have us speak to any server of our own network.
    #[default]
    PublicOnly,
    /// It may: for test beds, and for installations whose mail hosts stand in a private network.
    Any,
}

impl AddressRule {
    /// Whether mail may go there.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        self == Self::Any || is_public(address)
    }
}

/// Whether an address may stand for a host on the public network (the special-purpose registries of RFC 6890).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

const fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || a == 0
        // RFC 6598: shared by a provider's customers.
        || (a == 100 && b & 0b1100_0000 == 64)
        // RFC 6890: protocol assignments.
        || (a == 192 && b == 0 && c == 0)
        // RFC 2544: benchmarks.
        || (a == 198 && b & 0b1111_1110 == 18)
        // Reserved, and the broadcast address.
        || a >= 240)
}

const fn is_public_v6(address: Ipv6Addr) -> bool {
    // An address that carries another leads to where that one leads.
    if let Some(v4) = carried_v4(address) {
        return is_public_v4(v4);
    }
    let [first, second, ..] = address.segments();
    // RFC 4291 §2.4: global unicast is 2000::/3, all that is given out.
    first & 0xe000 == 0x2000
        // RFC 2928: protocol assignments, Teredo among them.
        && !(first == 0x2001 && second < 0x0200)
}

/// The IPv4 address within a mapped (RFC 4291), translated (RFC 6052) or 6to4 address (RFC 3056).
const fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, _, _, _, _, _] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for public in [
            "9.9.9.9",
            "100.63.255.255",
            "100.128.0.0",
            "172.32.0.1",
            "198.20.0.1",
            "2a00:1450::1",
            "2001:4860::8888",
            "::ffff:9.9.9.9",
            "64:ff9b::9.9.9.9",
            "2002:909:909::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for own in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::1",
            "2001::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!is_public(own.parse().unwrap()), "{own}");
            assert!(!AddressRule::PublicOnly.allows(own.parse().unwrap()));
            assert!(AddressRule::Any.allows(own.parse().unwrap()));
        }
    }
}
