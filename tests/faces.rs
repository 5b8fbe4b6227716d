//! One port for all: whatever is asked by gRPC, asked again in JSON and by gRPC-Web, gets the same
//! answer, decisions and errors alike; and what is no question is told so.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so"
)]

mod support;

#[path = "faces/asking.rs"]
mod asking;
#[path = "faces/browser.rs"]
mod browser;
#[path = "faces/each_error.rs"]
mod each_error;
#[path = "faces/grpc_web.rs"]
mod grpc_web;
#[path = "faces/heads.rs"]
mod heads;
#[path = "faces/hostile.rs"]
mod hostile;
#[path = "faces/http_1.rs"]
mod http_1;
#[path = "faces/openapi.rs"]
mod openapi;
#[path = "faces/pages.rs"]
mod pages;
#[path = "faces/same_answers.rs"]
mod same_answers;
