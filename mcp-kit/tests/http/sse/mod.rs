//! The transport of 2024-11-05.

mod admission;
mod calls;
mod client;
mod end;
mod handshake;
mod tools;
mod unread;
