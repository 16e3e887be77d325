//! The other derives that an argument type needs, as trait bounds whose
//! messages name the missing derive. `crate::missing_derive` checks them
//! without a second error.
#![allow(missing_docs)]

use garde::Validate;
use schemars::JsonSchema;
use serde::de::{Deserialize, DeserializeOwned};

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not derive `serde::Deserialize`",
    label = "`Deserialize` is missing",
    note = "derive `Deserialize`, `JsonSchema` and `Validate`"
)]
pub trait DerivesDeserialize: DeserializeOwned {}

// Not for `T: DeserializeOwned`: serde's own blanket implementation of that
// would take the compiler's message past this trait's.
#[diagnostic::do_not_recommend]
impl<T> DerivesDeserialize for T where T: for<'de> Deserialize<'de> {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not derive `schemars::JsonSchema`",
    label = "`JsonSchema` is missing",
    note = "derive `Deserialize`, `JsonSchema` and `Validate`"
)]
pub trait DerivesJsonSchema: JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: JsonSchema> DerivesJsonSchema for T {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not derive `garde::Validate` with the context `()`",
    label = "`Validate` is missing, or has another context",
    note = "derive `Deserialize`, `JsonSchema` and `Validate`, without `#[garde(context(…))]`"
)]
pub trait DerivesValidate: Validate<Context = ()> {}

#[diagnostic::do_not_recommend]
impl<T: Validate<Context = ()>> DerivesValidate for T {}
