//! Webhooks from CRMs, verified over their raw bytes before anything is parsed.

pub mod signature;
