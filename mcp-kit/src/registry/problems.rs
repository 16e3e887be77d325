//! The errors that list every problem of a server, each with the fix.

use std::fmt;

/// Defines an error of problems; its text begins with the given one.
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

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($begins)?;
                for problem in &self.problems {
                    write!(f, "\n  - {problem}")?;
                }
                Ok(())
            }
        }

        /// Prints what `Display` does, since `unwrap` and a failing `main` print it.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::error::Error for $name {}
    };
}

problems! {
    /// Why a server could not be built: every problem, each with the fix.
    BuildError, "the server cannot be built:"
}

problems! {
    /// Why a registry could not be changed: every problem, each with the fix.
    RegistryError, "the registry cannot be changed:"
}
