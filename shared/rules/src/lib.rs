//! rules

pub mod calendar;
