//! Leadwatch on the command line, and the local stack as a library.
//!
//! [`stack::Stack`] runs the whole bundle on one machine: it builds the functions, starts an AWS emulator and a message
//! sink, deploys `template.yaml` and fills it. `leadctl up` is a thin shell around it, and the flow tests start a stack
//! of their own with it, in a directory and on ports of their own.

pub mod api;
pub mod audit;
pub mod backtest;
pub mod demo;
pub mod down;
pub mod explain;
pub mod history;
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
