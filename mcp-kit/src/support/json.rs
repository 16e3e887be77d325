//! Reading and writing members of JSON objects, compiled once.
//!
//! serde_json's own methods are compiled into each of their callers, with the whole search of
//! the map: about 250 bytes for each `get`, and 100 kB in the binary of a server with one tool.
//! Code that runs for every call may still use them.

use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// The members of an object. A [`Value`] of another kind has none and takes none.
pub(crate) trait Members {
    fn object(&self) -> Option<&Object>;
    fn object_mut(&mut self) -> Option<&mut Object>;

    fn member(&self, name: &str) -> Option<&Value> {
        get(self.object()?, name)
    }

    fn member_mut(&mut self, name: &str) -> Option<&mut Value> {
        get_mut(self.object_mut()?, name)
    }

    fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// Returns a member, or `null` in its place.
    fn at(&self, name: &str) -> &Value {
        self.member(name).unwrap_or(&Value::Null)
    }

    /// Returns the text of a member that is a string.
    fn text(&self, name: &str) -> Option<&str> {
        self.member(name).and_then(Value::as_str)
    }

    /// Returns the names and values, in the order of the names.
    fn each(&self) -> Each<'_> {
        Each(self.object().map(Object::iter))
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.each().map(|(name, _)| name)
    }

    /// Sets a member, in place of an earlier one.
    fn set_member(&mut self, name: &str, value: Value) {
        if let Some(object) = self.object_mut() {
            set(object, name, value);
        }
    }

    /// Returns a member, which is set first if there is none.
    fn member_or(&mut self, name: &str, default: Value) -> Option<&mut Value> {
        Some(get_or(self.object_mut()?, name, default))
    }

    fn remove_member(&mut self, name: &str) -> Option<Value> {
        remove(self.object_mut()?, name)
    }

    /// Takes the value of a member and leaves `null`, which it also returns for none.
    #[cfg(any(feature = "cli", feature = "testing"))]
    fn take_at(&mut self, name: &str) -> Value {
        self.member_mut(name).map(Value::take).unwrap_or_default()
    }
}

impl Members for Object {
    fn object(&self) -> Option<&Object> {
        Some(self)
    }

    fn object_mut(&mut self) -> Option<&mut Object> {
        Some(self)
    }
}

impl Members for Value {
    fn object(&self) -> Option<&Object> {
        self.as_object()
    }

    fn object_mut(&mut self) -> Option<&mut Object> {
        self.as_object_mut()
    }
}

/// The members of an object, one after another.
pub(crate) struct Each<'a>(Option<serde_json::map::Iter<'a>>);

impl<'a> Iterator for Each<'a> {
    type Item = (&'a String, &'a Value);

    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.as_mut()?.next()
    }
}

/// Writes a value as JSON text. `Value::to_string` would add a second serializer.
#[inline(never)]
pub(crate) fn to_text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[inline(never)]
fn get<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name)
}

#[inline(never)]
fn get_mut<'a>(object: &'a mut Object, name: &str) -> Option<&'a mut Value> {
    object.get_mut(name)
}

#[inline(never)]
fn get_or<'a>(object: &'a mut Object, name: &str, default: Value) -> &'a mut Value {
    object.entry(name).or_insert(default)
}

#[inline(never)]
fn set(object: &mut Object, name: &str, value: Value) {
    object.insert(name.to_owned(), value);
}

#[inline(never)]
fn remove(object: &mut Object, name: &str) -> Option<Value> {
    object.remove(name)
}
