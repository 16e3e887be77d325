//! Which functions a query may call.
//!
//! SQLite looks at the stop flag between the steps of a query, and a function is
//! one step. Most functions are fast on a value of [`limits::ROW_BYTES`]; those
//! that compare all parts of two long values would run for minutes. They are
//! refused, or replaced by one that does not.
//!
//! [`limits::ROW_BYTES`]: crate::limits::ROW_BYTES

use std::collections::{BTreeSet, HashSet};

use rusqlite::{
    Connection, Result,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};

/// Functions of full-text search. SQLite does not list them as built in.
const SEARCH: &[&str] = &["bm25", "highlight", "match", "snippet"];

/// Slow on long values, or with an effect: `sqlite_log` writes to a log.
const REFUSED: &[&str] = &["json_patch", "jsonb_patch", "sqlite_log", "unhex"];

/// The functions that SQLite itself is built with, less those that it marks as
/// for direct use only (0x80000), such as `load_extension`. Names are in lower
/// case.
pub(super) fn allowed(connection: &Connection) -> Result<BTreeSet<String>> {
    let mut statement = connection.prepare(
        "SELECT lower(name) FROM pragma_function_list WHERE builtin
         EXCEPT SELECT lower(name) FROM pragma_function_list WHERE flags & 0x80000",
    )?;
    let names = statement.query_map([], |row| row.get(0))?;
    let mut names: BTreeSet<String> = names.collect::<Result<_>>()?;
    names.extend(SEARCH.iter().map(|&name| name.to_owned()));
    for name in REFUSED {
        names.remove(*name);
    }
    replace_trim(connection)?;
    Ok(names)
}

/// `trim(text, characters)` and its like, in one pass.
fn replace_trim(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, left, right) in [
        ("trim", true, true),
        ("ltrim", true, false),
        ("rtrim", false, true),
    ] {
        connection.create_scalar_function(name, 2, flags, move |context| {
            let (Some(text), Some(characters)) = (text(context, 0), text(context, 1)) else {
                return Ok(None);
            };
            let characters: HashSet<_> = characters.chars().collect();
            let mut trimmed = text.as_str();
            if left {
                trimmed = trimmed.trim_start_matches(|c| characters.contains(&c));
            }
            if right {
                trimmed = trimmed.trim_end_matches(|c| characters.contains(&c));
            }
            Ok(Some(trimmed.to_owned()))
        })?;
    }
    Ok(())
}

/// An argument as text; None for NULL.
fn text(context: &Context<'_>, index: usize) -> Option<String> {
    Some(match context.get_raw(index) {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    })
}
