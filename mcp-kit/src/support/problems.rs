//! The errors that list every problem of a server, each with the fix.

use std::fmt;

/// Defines an error that lists problems; its text begins with the given one.
macro_rules! problems {
    ($(#[$doc:meta])* $name:ident, $begins:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            pub(crate) problems: Vec<String>,
        }

        impl $name {
            /// Returns each problem.
            #[must_use]
            pub fn problems(&self) -> &[String] {
                &self.problems
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::support::problems::write_list(f, $begins, &self.problems)
            }
        }

        /// Prints what `Display` does, since `unwrap` and a failing `main` print it.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::error::Error for $name {}
    };
}

pub(crate) use problems;

pub(crate) fn write_list(
    f: &mut fmt::Formatter<'_>,
    begins: &str,
    problems: &[String],
) -> fmt::Result {
    f.write_str(begins)?;
    for problem in problems {
        write!(f, "\n  - {problem}")?;
    }
    Ok(())
}
