//! The command-line tool, and the local stack as a library.
//!
//! [`stack::Stack`] runs everything on one machine: it builds the functions, starts an AWS emulator and a message sink,
//! deploys `template.yaml`, and publishes a policy and a directory. `leadctl up` wraps it. The flow tests start a stack of
//! their own with it, in another directory and on other ports.
//!
//! A module per command holds its options (`Arguments`) and `run`.

pub mod api;
pub mod arguments;
pub mod audit;
pub mod backtest;
pub mod demo;
mod document_file;
pub mod down;
pub mod entries;
pub mod explain;
mod isolation;
mod logs;
pub mod output;
mod paint;
pub mod policy;
mod process_age;
pub mod progress;
pub mod publish;
pub mod seed;
pub mod send;
pub mod simulate;
pub mod sink;
pub mod stack;
pub mod state;
pub mod suggest;
pub mod token;
pub mod up;
