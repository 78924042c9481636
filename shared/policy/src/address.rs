//! Web addresses in a directory: which of them a message may go to.
//!
//! An address is judged by what a client makes of it, and not by how it begins:
//! `http://127.0.0.1@evil.test/` goes to `evil.test`, and `https://0x7f.1/` goes to this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Endings of names that never lead to a public machine.
const PRIVATE_ENDINGS: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// Where an address leads, as far as its text says. A public name can still resolve to a private
/// machine: whoever connects checks what it resolved to with [`is_public`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A machine on the internet.
    Public,
    /// This machine, a private network, or a service of the cloud itself.
    Private,
}

/// Why a message cannot go to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no address, or is not plain http.
    #[error("is not an address that starts with `https://`")]
    NotHttps,
    /// A password in an address ends up in logs, and a name before `@` hides where it leads.
    #[error("has a user name before `@`; remove it")]
    Credentials,
}

/// Reads an address: https, or http to this machine itself.
///
/// # Errors
/// [`AddressError`].
pub fn read(text: &str) -> Result<(Url, Reach), AddressError> {
    // Clients drop line ends and tabs in the middle of an address; a person does not see them.
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(AddressError::NotHttps);
    }
    let url = Url::parse(text).map_err(|_| AddressError::NotHttps)?;
    let host = url.host().ok_or(AddressError::NotHttps)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    let (reach, is_here) = match host {
        Host::Ipv4(address) => reach_of(address.into()),
        Host::Ipv6(address) => reach_of(address.into()),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let ends_in = |ending: &str| {
                name.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            let is_private = !name.contains('.') || PRIVATE_ENDINGS.into_iter().any(ends_in);
            (if is_private { Reach::Private } else { Reach::Public }, ends_in("localhost"))
        }
    };
    match url.scheme() {
        "https" => Ok((url, reach)),
        "http" if is_here => Ok((url, reach)),
        _ => Err(AddressError::NotHttps),
    }
}

/// Where an address leads, and whether that is this machine.
fn reach_of(address: IpAddr) -> (Reach, bool) {
    let reach = if is_public(address) { Reach::Public } else { Reach::Private };
    (reach, address.to_canonical().is_loopback())
}

/// Whether an address belongs to a machine on the internet: not loopback, private, shared
/// (RFC 6598), link-local with the metadata service of a cloud, multicast, reserved or for
/// documentation, and none of these inside another form of address.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_reserved = a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !is_reserved
        && !address.is_private()
        && !address.is_loopback()
        && !address.is_link_local()
        && !address.is_documentation()
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address to which they lead.
        (0x64, 0xff9b) => [c, d, e, f] == [0; 4] && embedded(g, h),
        (0x2002, _) => embedded(b, c),
        // Of protocols (Teredo among them) and of documentation (RFC 3849, RFC 9637).
        (0x2001, 0..0x200 | 0xdb8) | (0x3fff, 0..0x1000) => false,
        // All that is handed out for the internet is in 2000::/3.
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(text: &str) -> Option<Reach> {
        read(text).ok().map(|(_, reach)| reach)
    }

    #[test]
    fn an_address_is_judged_by_where_it_leads() {
        for public in [
            "https://example.com/hook",
            "https://example.com.:8443/x?sig=1",
            "https://93.184.216.34/",
            "https://[2606:2800:220:1::1]/",
            "https://127.0.0.1.example.com/",
            "https://localhost.example.com/",
            "HTTPS://EXAMPLE.COM/",
        ] {
            assert_eq!(reach(public), Some(Reach::Public), "{public}");
        }
        for private in [
            "http://127.0.0.1:4580/outgoing",
            "http://localhost./",
            "http://LOCALHOST/",
            "http://x.localhost:4566/",
            "http://[::1]:1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://017700000001/",
            "http://[::ffff:127.0.0.1]/",
            "https://127.1/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://[::]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:1::1]/",
            "https://[ff02::1]/",
            "https://metadata.google.internal/",
            "https://printer.local/",
            "https://metadata/",
            "https:///metadata",
            "https://１２７.０.０.１/",
        ] {
            assert_eq!(reach(private), Some(Reach::Private), "{private}");
        }
    }

    #[test]
    fn what_hides_where_it_leads_or_goes_in_the_clear_is_no_address() {
        for refused in [
            "",
            "x",
            "http://example.com/",
            "http://10.0.0.1/",
            "http://169.254.169.254/",
            "http://127.0.0.1.evil.test/",
            "http://localhost.evil.test/",
            "ftp://localhost/",
            "file:///etc/passwd",
            "https://",
            " https://example.com/",
            "https://exam\tple.com/",
            "https://example.com/\n",
        ] {
            assert_eq!(read(refused), Err(AddressError::NotHttps), "{refused}");
        }
        for hidden in [
            "http://127.0.0.1@evil.test/",
            "https://example.com@10.0.0.1/",
            "https://user:word@example.com/",
            "https://:word@example.com/",
        ] {
            assert_eq!(read(hidden), Err(AddressError::Credentials), "{hidden}");
        }
    }
}
