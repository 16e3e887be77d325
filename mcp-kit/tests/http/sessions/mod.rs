//! Sessions of the older revisions.

mod batches;
mod calls;
mod drain;
mod hosts;
mod idle;
mod life;
#[cfg(target_os = "linux")]
mod memory;
mod mounted;
mod replay;
mod requests;
mod resume;
mod room;
pub mod tools;
