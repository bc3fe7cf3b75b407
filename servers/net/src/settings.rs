//! The settings of a start that concern the network: `net=ADDRESS/PREFIX[,GATEWAY]`.

use smoltcp::wire::{Ipv4Address, Ipv4Cidr};

/// Where the stack's address comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Settings {
    /// The network tells it, by DHCP.
    #[default]
    Network,
    /// It is this one.
    Fixed {
        /// The address and its network.
        own: Ipv4Cidr,
        /// Who passes on what goes to other networks.
        gateway: Option<Ipv4Address>,
    },
}

impl Settings {
    /// Returns the settings among lines of an environment.
    ///
    /// # Errors
    /// The line that is malformed.
    pub fn parse<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Self, &'a [u8]> {
        let found = lines.filter(|line| line.starts_with(b"net=")).last();
        let Some(line) = found else { return Ok(Settings::Network) };
        fixed(&line[4..]).ok_or(line)
    }
}

fn fixed(text: &[u8]) -> Option<Settings> {
    let text = core::str::from_utf8(text).ok()?;
    if text == "dhcp" {
        return Some(Settings::Network);
    }
    let (own, gateway) = match text.split_once(',') {
        Some((own, gateway)) => (own, Some(gateway.parse().ok()?)),
        None => (text, None),
    };
    let (address, prefix) = own.split_once('/')?;
    let prefix = prefix.parse().ok().filter(|prefix| (1..=30).contains(prefix))?;
    Some(Settings::Fixed { own: Ipv4Cidr::new(address.parse().ok()?, prefix), gateway })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_the_last_line_of_them() {
        let lines = [&b"mode=piped"[..], b"net=dhcp", b"net=10.0.2.15/24,10.0.2.2"];
        let own = Ipv4Cidr::new(Ipv4Address::new(10, 0, 2, 15), 24);
        let gateway = Some(Ipv4Address::new(10, 0, 2, 2));
        assert_eq!(Settings::parse(lines.into_iter()), Ok(Settings::Fixed { own, gateway }));
        let fixed = Settings::Fixed { own, gateway: None };
        assert_eq!(Settings::parse([&b"net=10.0.2.15/24"[..]].into_iter()), Ok(fixed));
        assert_eq!(Settings::parse(lines[..2].iter().copied()), Ok(Settings::Network));
        assert_eq!(Settings::parse(core::iter::empty()), Ok(Settings::Network));
    }

    #[test]
    fn malformed_lines_are_told() {
        for line in [
            "net=",
            "net=1.2.3.4",
            "net=1.2.3.4/0",
            "net=1.2.3.4/31",
            "net=1.2.3/24",
            "net=1.2.3.4/24,",
        ] {
            assert_eq!(Settings::parse([line.as_bytes()].into_iter()), Err(line.as_bytes()));
        }
    }
}
