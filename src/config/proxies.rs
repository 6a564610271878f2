//! Reverse proxies whose `X-Forwarded-For` is believed: single addresses, or networks such as `10.0.0.0/8`.

use std::net::IpAddr;

/// The addresses of trusted reverse proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
}

/// All addresses whose first `prefix` bits equal those of `base`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    prefix: u32,
}

impl TrustedProxies {
    /// # Errors
    /// What was found and what to do, for an entry that is no address or network.
    pub fn parse(entries: &[String]) -> Result<TrustedProxies, (String, String)> {
        let networks = entries.iter().map(|entry| Network::parse(entry).ok_or(entry));
        let networks = networks.collect::<Result<Vec<Network>, &String>>().map_err(|entry| {
            let found = format!("`{entry}` is no address of a proxy");
            (found, "write an IP address or a network: 192.0.2.7, 10.0.0.0/8, fd00::/8".to_owned())
        })?;
        Ok(TrustedProxies { networks })
    }

    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (base, prefix) = match text.trim().split_once('/') {
            Some((base, prefix)) => (base, Some(prefix.parse::<u32>().ok()?)),
            None => (text.trim(), None),
        };
        let base = base.parse::<IpAddr>().ok()?.to_canonical();
        let bits = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        // A prefix of 0 would believe every stranger.
        (1..=bits).contains(&prefix).then_some(Network { base, prefix })
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= self.prefix
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= self.prefix
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_the_addresses_that_share_its_prefix() {
        let entries = ["192.0.2.7", "10.0.0.0/8", "fd00::/8"].map(str::to_owned);
        let proxies = TrustedProxies::parse(&entries).unwrap();
        for (address, inside) in [
            ("192.0.2.7", true),
            ("::ffff:192.0.2.7", true),
            ("192.0.2.8", false),
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("fd12::1", true),
            ("fe80::1", false),
        ] {
            assert_eq!(proxies.contain(address.parse().unwrap()), inside, "{address}");
        }
    }

    #[test]
    fn an_entry_that_is_no_address_is_refused() {
        for entry in ["proxy.example", "10.0.0.0/33", "0.0.0.0/0", "10.0.0.0/-1", "", "::/129", "*"] {
            assert!(TrustedProxies::parse(&[entry.to_owned()]).is_err(), "{entry}");
        }
    }
}
