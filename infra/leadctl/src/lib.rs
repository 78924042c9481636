//! leadctl
