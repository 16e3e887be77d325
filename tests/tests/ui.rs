//! Every mistake that a user can make with the macros has one readable message.
//!
//! `TRYBUILD=overwrite cargo test -p mcp-kit-tests --test ui` records the
//! messages; read them before committing.

#[test]
fn every_mistake_has_one_message() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/tool/*.rs");
    cases.compile_fail("ui/prompt/*.rs");
    cases.compile_fail("ui/resource/*.rs");
    cases.compile_fail("ui/args/*.rs");
    cases.compile_fail("ui/elicit/*.rs");
}
