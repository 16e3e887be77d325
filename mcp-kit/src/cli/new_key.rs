//! `new-key`: makes a random API key, and the entry by which the server
//! recognises it.
//!
//! The entry has the key's digest, so the keys file contains nothing to call
//! with. It goes to stdout, for `new-key alice >> keys`; the key itself goes to
//! stderr, and is stored nowhere.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command as Clap};

use super::arguments::{Command, text};
use super::build::Failure;
use super::output;
use crate::auth::{ApiKeys, KeyDigest};
use crate::support::stderr;

/// In bytes; the key has twice as many digits.
const LENGTH: usize = 32;

pub(super) fn command() -> Clap {
    Clap::new("new-key")
        .about("Make an API key; its entry goes to stdout, the key to stderr")
        .after_help("Example: new-key alice files:read >> keys")
        .arg(
            Arg::new("mcp_kit_name")
                .value_name("NAME")
                .required(true)
                .help("Name of the caller that holds the key"),
        )
        .arg(
            Arg::new("mcp_kit_scopes")
                .value_name("SCOPE")
                .action(ArgAction::Append)
                .num_args(0..)
                .help("Scopes of the caller"),
        )
}

pub(super) fn of(matches: &ArgMatches) -> Command {
    let scopes = matches.try_get_many::<String>("mcp_kit_scopes").ok();
    Command::NewKey {
        name: text(matches, "mcp_kit_name"),
        scopes: scopes.flatten().into_iter().flatten().cloned().collect(),
    }
}

pub(super) fn new_key(name: &str, scopes: &[String]) -> Result<ExitCode, Failure> {
    let mut random = [0; LENGTH];
    getrandom::fill(&mut random).map_err(|error| {
        Failure(format!(
            "the operating system has no random bytes for a key: {error}"
        ))
    })?;
    let key: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = entry(name, scopes, &key)?;
    let done = output::print(&format!("{entry}\n"))?;
    // After the entry: a key without an entry in a file is useless.
    stderr::last_line(&format!("The key of {name}, shown this once: {key}"));
    Ok(done)
}

/// Returns the entry of a key in the format of the keys file.
fn entry(name: &str, scopes: &[String], key: &str) -> Result<String, Failure> {
    let mut entry = format!("{name}:sha256={}", KeyDigest::of(key).to_hex());
    if !scopes.is_empty() {
        entry = format!("{entry}:{}", scopes.join("+"));
    }
    // A comma would split it into two entries in a list, and is refused in a
    // file.
    match ApiKeys::from_list(&entry) {
        Ok(_) if !entry.contains(',') => Ok(entry),
        _ => Err(Failure(
            "the name or a scope is not valid: a name has 1 to 64 letters, digits and `._@-`, and is not `local` or `anonymous`; a scope is one word such as `files:read`".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_that_the_keys_file_takes() {
        let none = entry("alice", &[], "key").unwrap();
        assert!(none.starts_with("alice:sha256=") && none.len() == 13 + 64);
        let two = entry("alice", &["files:read".into(), "admin".into()], "key").unwrap();
        assert_eq!(two, format!("{none}:files:read+admin"));
        for (name, scope) in [
            ("a b", "x"),
            ("", "x"),
            ("local", "x"),
            ("a,b", "x"),
            ("a", "x y"),
        ] {
            assert!(
                entry(name, &[scope.into()], "key").is_err(),
                "{name} {scope}"
            );
        }
    }
}
