//! Reports a derive that is missing beside `ToolArgs`, and only if the compiler
//! found no other error.
//!
//! A derive that fails, or that was not imported, implements nothing: a trait
//! bound would also report the missing implementation. So the expansion of
//! `ToolArgs` calls functions of [`Derived`]. They exist where the trait is
//! implemented; where it is not, the calls reach [`NotDerived`], whose results
//! must be used. The compiler looks for unused results last, and its message
//! shows the paths of the traits here.
#![allow(missing_docs)]

use std::marker::PhantomData;

use serde::de::Error as _;

use crate::args::shape::{Shape, Shaped};
use crate::args::{ArgsSpec, DecodeError, DerivesDeserialize, DerivesJsonSchema, DerivesValidate};

#[must_use = "derive `Deserialize`, `JsonSchema` and `Validate`"]
pub trait Deserialize: MissingDerive {}

#[must_use = "derive `Deserialize`, `JsonSchema` and `Validate`"]
pub trait JsonSchema: MissingDerive {}

#[must_use = "derive `Deserialize`, `JsonSchema` and `Validate`, without `#[garde(context(…))]`"]
pub trait Validate {}

#[must_use = "a call's arguments move between threads: use `Arc` in place of `Rc`, `Mutex` in place of `RefCell`"]
pub trait ArgumentsMustBeSend {}

impl Deserialize for () {}
impl JsonSchema for () {}
impl Validate for () {}
impl ArgumentsMustBeSend for () {}

/// A result that must be used, in place of a missing derive: one is enough for
/// a message.
pub trait MissingDerive: Sized {
    fn json_schema(self) -> Self {
        self
    }

    fn validate(self) -> Self {
        self
    }
}

impl MissingDerive for () {}

/// The derives that `T` has.
#[derive(Debug)]
pub struct Derived<T>(PhantomData<T>);

impl<T: DerivesDeserialize> Derived<T> {
    pub fn deserialize() -> Self {
        Self(PhantomData)
    }
}

impl<T: DerivesJsonSchema> Derived<T> {
    pub fn json_schema(self) -> Self {
        self
    }
}

impl<T: DerivesValidate> Derived<T> {
    pub const VALIDATED: bool = true;

    pub fn validate(self) {}
}

impl<T: Send> Derived<T> {
    pub fn send() {}
}

impl<T> Derived<T>
where
    T: DerivesDeserialize + DerivesJsonSchema + DerivesValidate + Shaped + Send + 'static,
{
    #[must_use]
    pub fn of() -> ArgsSpec {
        ArgsSpec::of::<T>()
    }
}

impl<T> Derived<T>
where
    T: DerivesDeserialize + DerivesJsonSchema + Shaped + Send + 'static,
{
    #[must_use]
    pub fn of_names() -> ArgsSpec {
        ArgsSpec::of_names::<T>()
    }
}

/// The functions for a type that lacks a derive of [`Derived`].
pub trait NotDerived: Sized {
    const VALIDATED: bool = false;

    fn deserialize() -> impl Deserialize {}

    fn json_schema(self) -> impl JsonSchema {}

    fn validate(self) -> impl Validate {}

    /// For a type that garde's derive would refuse.
    fn unvalidated() -> impl Validate {}

    fn send() -> impl ArgumentsMustBeSend {}

    /// For a crate whose lints are capped: `build()` reports what is missing.
    #[must_use]
    fn of() -> ArgsSpec {
        ArgsSpec {
            type_name: std::any::type_name::<Self>(),
            schema: |_| schemars::Schema::default(),
            shape: || &Shape::Leaf,
            decode: |_| Err(DecodeError::Json(serde_json::Error::custom("not derived"))),
            missing: Some(
                "`Deserialize`, `JsonSchema` or `Validate` is missing beside `ToolArgs`: derive all four",
            ),
        }
    }

    #[must_use]
    fn of_names() -> ArgsSpec {
        Self::of()
    }
}

impl<T> NotDerived for Derived<T> {}
