//! The transport of 2024-11-05.

mod calls;
mod client;
mod doors;
mod end;
mod handshake;
mod tools;
mod unread;
