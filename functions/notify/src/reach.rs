//! Decides which addresses webhooks may reach: all of them, or only public ones, which a resolver enforces.

use policy::address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;

/// The addresses that webhooks may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookReach {
    /// Machines on the internet, over https.
    PublicOnly,
    /// This machine and private networks too.
    Anywhere,
}

impl WebhookReach {
    /// The reach for the deployment's setting on private addresses.
    #[must_use]
    pub fn of(takes_private: bool) -> Self {
        if takes_private { Self::Anywhere } else { Self::PublicOnly }
    }
}

/// A name resolves to no public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name resolves to a private network")]
pub struct NotPublic;

/// The system's resolver without private addresses.
#[derive(Debug, Clone, Copy)]
pub struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public = public(found)?;
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// The public addresses. A name that resolves to both kinds is used as far as it is public.
fn public(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    let public: Vec<SocketAddr> = found.into_iter().filter(|address| is_public(address.ip())).collect();
    if public.is_empty() { Err(NotPublic) } else { Ok(public) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(addresses: &[&str]) -> Vec<SocketAddr> {
        addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect()
    }

    #[test]
    fn private_addresses_of_a_name_are_left_out() {
        let mixed = at(&["127.0.0.1", "93.184.216.34", "::ffff:10.0.0.1", "169.254.169.254"]);
        assert_eq!(public(mixed), Ok(at(&["93.184.216.34"])));
        assert_eq!(public(at(&["10.0.0.1", "fd00:ec2::254"])), Err(NotPublic));
        assert_eq!(public(Vec::new()), Err(NotPublic));
    }
}
