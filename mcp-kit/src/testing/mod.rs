//! Helpers for the tests of users' own servers.

mod agreement;

pub use agreement::assert_schema_agrees;
