//! Networks as key limits name them (CIDR), and as newness counts them (/24, /64).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NetworkRefusal {
    /// Not an address with an optional `/prefix`.
    #[error("a network has the form address or address/prefix")]
    NotCidr,
    /// The prefix is longer than the address.
    #[error("the prefix is longer than the address")]
    PrefixTooLong,
}

/// A block of addresses, RFC 4632. IPv4-mapped IPv6 addresses count as IPv4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `192.0.2.0/24`, `2001:db8::/32` or a single address.
    ///
    /// # Errors
    /// As [`NetworkRefusal`] says.
    pub fn parse(text: &str) -> Result<Self, NetworkRefusal> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| NetworkRefusal::NotCidr)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(text) => text.parse::<u8>().map_err(|_| NetworkRefusal::NotCidr)?,
        };
        if prefix > bits {
            return Err(NetworkRefusal::PrefixTooLong);
        }
        // RFC 4291 §2.5.5.2: the IPv4 address stands in the last 32 bits, so a shorter prefix is a block of IPv6.
        let (address, prefix) = match (address.to_canonical(), prefix.checked_sub(96)) {
            (mapped @ IpAddr::V4(_), Some(prefix)) if address.is_ipv6() => (mapped, prefix),
            _ => (address, prefix),
        };
        Ok(Self {
            base: masked(address, prefix),
            prefix,
        })
    }

    /// The block in which an address counts as "the same network": /24 of IPv4, /64 of IPv6.
    #[must_use]
    pub fn around(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 24 } else { 64 };
        Self {
            base: masked(address, prefix),
            prefix,
        }
    }

    /// Whether the address lies in the block.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4() && masked(address, self.prefix) == self.base
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix.into())).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX
                .checked_shl(128_u32.saturating_sub(prefix.into()))
                .unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_its_addresses_and_no_others() {
        let block = Network::parse("192.0.2.77/24").unwrap();
        assert_eq!(block.to_string(), "192.0.2.0/24");
        assert!(block.contains("192.0.2.255".parse().unwrap()));
        assert!(block.contains("::ffff:192.0.2.1".parse().unwrap()));
        assert!(!block.contains("192.0.3.0".parse().unwrap()));
        assert!(!block.contains("2001:db8::1".parse().unwrap()));
        assert!(
            Network::parse("0.0.0.0/0")
                .unwrap()
                .contains("203.0.113.9".parse().unwrap())
        );
        assert_eq!(Network::parse("192.0.2.1/33"), Err(NetworkRefusal::PrefixTooLong));
        assert_eq!(Network::parse("here"), Err(NetworkRefusal::NotCidr));
        assert_eq!(
            Network::parse("::ffff:192.0.2.0/120"),
            Network::parse("192.0.2.0/24"),
            "a mapped block is one of IPv4, or it would hold nobody"
        );
        assert!(
            Network::parse("::ffff:0.0.0.0/95")
                .unwrap()
                .contains("::fffe:1:2".parse().unwrap())
        );
        assert_eq!(
            Network::around("2001:db8::5".parse().unwrap()).to_string(),
            "2001:db8::/64"
        );
    }
}
