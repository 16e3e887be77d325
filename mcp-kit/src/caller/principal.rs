//! The principal: the caller of a request, with the values that its authenticator
//! attached.

use std::any::{Any, TypeId};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
#[cfg(feature = "http")]
use std::net::IpAddr;
use std::sync::Arc;
#[cfg(feature = "http")]
use std::sync::Weak;
#[cfg(feature = "http")]
use std::time::{Duration, SystemTime};

/// The caller: a name and the scopes it holds.
///
/// Over stdio the caller is `local`, which holds every scope unless the server
/// is built with [`local_scopes`](crate::server::ServerBuilder::local_scopes).
/// Cloning is cheap.
#[derive(Clone)]
pub struct Principal {
    inner: Arc<Inner>,
    /// Whether a token named the caller, which can then request another one
    /// that has more scopes.
    #[cfg(feature = "http")]
    has_token: bool,
    /// The host that it counts as, in place of its name.
    #[cfg(feature = "http")]
    host: Option<Host>,
}

#[derive(Clone)]
struct Inner {
    name: String,
    scopes: Scopes,
    extensions: Extensions,
    #[cfg(feature = "http")]
    shown: Shown,
}

/// The credential of the caller, and how long it is valid.
#[cfg(feature = "http")]
#[derive(Clone, Default)]
struct Shown {
    expires: Option<SystemTime>,
    /// Its authenticator keeps it for as long as it is valid.
    credential: Option<Weak<dyn Credential>>,
}

/// A credential, such as a key; kept by the authenticator that knows it.
#[cfg(feature = "http")]
pub(crate) trait Credential: Send + Sync {
    /// Whether it is still valid, as far as is known. The server checks again
    /// soon.
    fn is_in_force(&self) -> bool;
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scopes {
    Every,
    These(BTreeSet<String>),
}

/// A cheap clone.
impl From<&Self> for Principal {
    fn from(principal: &Self) -> Self {
        principal.clone()
    }
}

impl Principal {
    /// Creates a caller with exactly these scopes.
    pub fn new<S: Into<String>>(
        name: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::with(name.into(), Scopes::of(scopes))
    }

    /// Creates a caller that holds every scope.
    pub fn unrestricted(name: impl Into<String>) -> Self {
        Self::with(name.into(), Scopes::Every)
    }

    /// Sets the time until which the key or token of the caller is valid.
    ///
    /// Streams on which the caller only listens end then. Calls in flight
    /// continue, except those of the 2024-11-05 transport, whose stream is the
    /// session. Later requests must be refused by their authenticator.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use mcp_kit::Principal;
    ///
    /// let in_an_hour = SystemTime::now() + Duration::from_secs(3600);
    /// let alice = Principal::new("alice", ["read"]).with_expiry(in_an_hour);
    /// ```
    #[cfg(feature = "http")]
    #[must_use]
    pub fn with_expiry(mut self, time: SystemTime) -> Self {
        Arc::make_mut(&mut self.inner).shown.expires = Some(time);
        self
    }

    /// Sets the credential of the caller, which is valid until its
    /// authenticator drops it.
    #[cfg(feature = "http")]
    pub(crate) fn having_shown(mut self, credential: &Arc<dyn Credential>) -> Self {
        Arc::make_mut(&mut self.inner).shown.credential = Some(Arc::downgrade(credential));
        self
    }

    /// Whether the caller's credential is still valid, as far as is known; the
    /// server checks again soon.
    #[cfg(feature = "http")]
    pub(crate) fn is_still_good(&self) -> bool {
        let Shown {
            expires,
            credential,
        } = &self.inner.shown;
        if expires.is_some_and(|expires| expires <= SystemTime::now()) {
            return false;
        }
        let Some(credential) = credential else {
            return true;
        };
        (credential.upgrade()).is_some_and(|credential| credential.is_in_force())
    }

    /// Returns when the caller's credential expires.
    #[cfg(feature = "http")]
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        self.inner.shown.expires
    }

    /// Returns how long the caller's credential need not be checked again:
    /// until it expires, and for `look` if it can be revoked.
    #[cfg(feature = "http")]
    pub(crate) fn good_for(&self, look: Duration) -> Duration {
        /// The system clock may be set meanwhile.
        const MOST: Duration = Duration::from_secs(3600);
        let most = match self.inner.shown.credential {
            Some(_) => look,
            None => MOST,
        };
        let left = (self.expiry())
            .map(|expiry| expiry.duration_since(SystemTime::now()).unwrap_or_default());
        left.map_or(most, |left| left.min(most))
    }

    /// Marks the caller as named by a token of an authorization server.
    #[cfg(feature = "http")]
    pub(crate) fn with_token(mut self) -> Self {
        self.has_token = true;
        self
    }

    /// Marks the caller as having no name of its own, so that it counts as the
    /// host of this address.
    #[cfg(feature = "http")]
    pub(crate) fn at(mut self, address: IpAddr) -> Self {
        self.host = Some(Host::of(address));
        self
    }

    /// Attaches a value that belongs to the caller, such as the id or the
    /// tenant that an authenticator has looked up. An earlier value of the same
    /// type is replaced.
    ///
    /// Handlers take it with [`Extension`](crate::extract::Extension),
    /// middlewares read it with [`extension`](Self::extension). It is in no log
    /// and no `Debug`, and is ignored when principals are compared.
    ///
    /// ```
    /// use mcp_kit::{Extension, Principal, tool};
    ///
    /// #[derive(Clone)]
    /// struct Tenant(u32);
    ///
    /// /// Names the tenant.
    /// #[tool]
    /// async fn tenant(Extension(Tenant(id)): Extension<Tenant>) -> String {
    ///     format!("Tenant {id}")
    /// }
    ///
    /// let alice = Principal::new("alice", ["read"]).with_extension(Tenant(7));
    /// assert_eq!(alice.extension::<Tenant>().unwrap().0, 7);
    /// ```
    #[must_use]
    pub fn with_extension<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        Arc::make_mut(&mut self.inner).extensions.insert(value);
        self
    }

    /// Sets these values, in place of all before.
    #[cfg(feature = "http")]
    pub(crate) fn with_extensions(mut self, extensions: &Extensions) -> Self {
        if !extensions.is_empty() {
            Arc::make_mut(&mut self.inner).extensions = extensions.clone();
        }
        self
    }

    /// Returns the value of this type that was attached to the caller.
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.inner.extensions.get()
    }

    /// Returns the caller's name, as logs and limits use it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Whether the caller holds `scope`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        match &self.inner.scopes {
            Scopes::Every => true,
            Scopes::These(scopes) => scopes.contains(scope),
        }
    }

    /// Returns the caller's identity in limits: its name, or its host if it has
    /// no name of its own.
    pub(crate) fn limit_key(&self) -> &[u8] {
        #[cfg(feature = "http")]
        if let Some(host) = &self.host {
            return host.key();
        }
        self.inner.name.as_bytes()
    }

    /// Whether a token named the caller, which can request another one: never
    /// without HTTP.
    pub(crate) fn has_token(&self) -> bool {
        #[cfg(feature = "http")]
        return self.has_token;
        #[cfg(not(feature = "http"))]
        false
    }

    /// Returns the scopes by name, in order; none for a caller that holds every
    /// scope.
    #[cfg(feature = "http")]
    pub(crate) fn named_scopes(&self) -> impl Iterator<Item = &str> {
        let scopes = match &self.inner.scopes {
            Scopes::Every => None,
            Scopes::These(scopes) => Some(scopes),
        };
        scopes.into_iter().flatten().map(String::as_str)
    }

    fn with(name: String, scopes: Scopes) -> Self {
        Self {
            inner: Arc::new(Inner {
                name,
                scopes,
                extensions: Extensions::default(),
                #[cfg(feature = "http")]
                shown: Shown::default(),
            }),
            #[cfg(feature = "http")]
            has_token: false,
            #[cfg(feature = "http")]
            host: None,
        }
    }
}

/// Compares callers by their names and scopes, and ignores their address, their
/// credential and their attached values.
impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&*self.inner, &*other.inner);
        std::ptr::eq(one, other) || (one.name == other.name && one.scopes == other.scopes)
    }
}

impl Eq for Principal {}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("name", &self.inner.name)
            .field("scopes", &self.inner.scopes)
            .finish()
    }
}

impl Scopes {
    fn of<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self::These(scopes.into_iter().map(Into::into).collect())
    }
}

/// Values by their types, one of each. Cloning is cheap, and copies none of them.
#[derive(Clone, Default)]
pub(crate) struct Extensions(Option<Arc<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Extensions {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        let values = self.0.get_or_insert_default();
        Arc::make_mut(values).insert(TypeId::of::<T>(), Arc::new(value));
    }

    #[cfg(feature = "http")]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn get<T: 'static>(&self) -> Option<&T> {
        self.0.as_ref()?.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

/// Without the values, which may be secret.
impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.as_ref().map_or(0, |values| values.len());
        write!(f, "Extensions({count} values)")
    }
}

/// A host's address: one of IPv4, or a /64 of IPv6, which belongs to one host.
/// A host can use more IPv6 addresses than any table could hold, so the /64
/// counts.
#[cfg(feature = "http")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    /// The first byte is in no name: names are UTF-8.
    bytes: [u8; 9],
    length: u8,
}

#[cfg(feature = "http")]
impl Host {
    pub(crate) fn of(address: IpAddr) -> Self {
        let mut bytes = [0xFF; 9];
        let length = match address.to_canonical() {
            IpAddr::V4(address) => {
                bytes[1..5].copy_from_slice(&address.octets());
                5
            }
            IpAddr::V6(address) => {
                bytes[1..].copy_from_slice(&address.octets()[..8]);
                9
            }
        };
        Self { bytes, length }
    }

    /// Returns its key in limits; no name of a caller is equal to it.
    pub(crate) fn key(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn a_caller_without_a_name_counts_as_its_host() {
        let anonymous = Principal::new("anonymous", [""; 0]);
        assert_eq!(anonymous.limit_key(), b"anonymous");
        let at = |address: &str| anonymous.clone().at(address.parse().unwrap());
        for (one, same) in [
            ("192.0.2.1", "::ffff:192.0.2.1"),
            ("2001:db8::1", "2001:db8::ffff:2"),
        ] {
            assert_eq!(at(one).limit_key(), at(same).limit_key());
            // A key is not text, so it equals no caller's name.
            assert!(std::str::from_utf8(at(one).limit_key()).is_err());
        }
        assert_ne!(at("192.0.2.1").limit_key(), at("192.0.2.2").limit_key());
        assert_ne!(
            at("2001:db8::1").limit_key(),
            at("2001:db8:0:1::1").limit_key()
        );
        assert_eq!(at("192.0.2.1"), anonymous);
    }
}
