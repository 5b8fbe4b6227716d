//! Clearlist knows a customs white list of R&D materials and answers whether a material may
//! clear under it. Reading order and invariants: `docs/ARCHITECTURE.md`.

pub mod cli;
pub mod config;
pub mod domain;
pub mod formats;
pub mod grpc;
pub mod register;
pub mod server;
pub mod service;
pub mod store;
pub mod telemetry;
