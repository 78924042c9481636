//! Ports to listen on.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context as _;

use crate::progress::Progress;

/// A port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// This one if it is free, otherwise any; a note names the other.
    Usually(u16),
    /// Any free one.
    Any,
}

impl Port {
    /// Listens on this machine alone. `what` names the listener in notes and errors.
    pub(super) fn listen(self, what: &str, progress: Progress) -> anyhow::Result<TcpListener> {
        let Self::Usually(number) = self else {
            return TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .with_context(|| format!("no port is free for the {what}"));
        };
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, number)) {
            return Ok(listener);
        }
        let listener = Self::Any.listen(what, progress)?;
        let other = listener.local_addr()?.port();
        progress.note(&format!("port {number} is taken; the {what} listens on {other}"));
        Ok(listener)
    }
}
