//! The order in which the hosts of a plan and their addresses are tried. Equal draws give equal orders.

use std::net::IpAddr;

use crate::actors::PlannedHost;

/// Draws numbers for one attempt: SplitMix64, which is enough to spread load and never decides anything else.
pub(super) struct Draws(u64);

impl Draws {
    pub(super) const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The hosts by rising preference; equal ones in a drawn order, so that they share the load (RFC 5321 §5.1).
pub(super) fn hosts<'a>(hosts: &'a [PlannedHost], draws: &mut Draws) -> Vec<&'a PlannedHost> {
    let mut drawn: Vec<(u16, u64, &PlannedHost)> =
        hosts.iter().map(|host| (host.preference, draws.next(), host)).collect();
    drawn.sort_by_key(|(preference, draw, _)| (*preference, *draw));
    drawn.into_iter().map(|(_, _, host)| host).collect()
}

/// The addresses of a host, one of each family in turn, beginning with a drawn one: a family that leads nowhere from
/// here costs one time limit and not the attempt.
pub(super) fn addresses(addresses: &[IpAddr], draws: &mut Draws) -> Vec<IpAddr> {
    let mut drawn: Vec<(u64, IpAddr)> = addresses.iter().map(|address| (draws.next(), *address)).collect();
    drawn.sort_by_key(|(draw, _)| *draw);
    let (mut first, mut second): (Vec<IpAddr>, Vec<IpAddr>) =
        drawn.into_iter().map(|(_, address)| address).partition(IpAddr::is_ipv4);
    if draws.next() & 1 == 0 {
        std::mem::swap(&mut first, &mut second);
    }
    let mut ordered: Vec<(usize, IpAddr)> = first
        .into_iter()
        .enumerate()
        .chain(second.into_iter().enumerate())
        .collect();
    // Stable: of equal places the first family's comes first.
    ordered.sort_by_key(|(place, _)| *place);
    ordered.into_iter().map(|(_, address)| address).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::actors::{Addresses, Authenticity};

    fn host(name: &str, preference: u16) -> PlannedHost {
        PlannedHost {
            name: name.to_owned(),
            preference,
            addresses: Addresses::AskSystem,
            authenticity: Authenticity::Insecure,
        }
    }

    #[test]
    fn preference_decides_and_equal_ones_take_turns() {
        let plan = [host("a", 10), host("b", 10), host("c", 10), host("d", 20), host("e", 5)];
        let mut firsts = BTreeSet::new();
        for seed in 0..100 {
            let ordered = hosts(&plan, &mut Draws::seeded(seed));
            let names: Vec<&str> = ordered.iter().map(|host| host.name.as_str()).collect();
            assert_eq!((names[0], names[4]), ("e", "d"), "{seed}");
            firsts.insert(names[1].to_owned());
            assert_eq!(
                ordered,
                hosts(&plan, &mut Draws::seeded(seed)),
                "equal draws, equal orders"
            );
        }
        assert_eq!(firsts.len(), 3, "each of the equal ones comes first at times");
    }

    #[test]
    fn families_alternate_and_either_begins() {
        let known: Vec<IpAddr> = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let mut beginnings = BTreeSet::new();
        for seed in 0..100 {
            let ordered = addresses(&known, &mut Draws::seeded(seed));
            assert_eq!(ordered.iter().collect::<BTreeSet<_>>(), known.iter().collect());
            let families: Vec<bool> = ordered.iter().map(IpAddr::is_ipv4).collect();
            let expected = if families[0] {
                [true, false, true, false, true]
            } else {
                [false, true, false, true, true]
            };
            assert_eq!(families, expected, "{seed}");
            beginnings.insert(families[0]);
        }
        assert_eq!(beginnings.len(), 2);
    }
}
