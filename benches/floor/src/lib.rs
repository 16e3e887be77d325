//! What both floors answer, whichever way a message came.

mod message;

pub use message::answer;
