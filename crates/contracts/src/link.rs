//! A late-bound handle to another service. Services ask each other in circles (identity accepts a login challenge of oauth,
//! oauth asks identity for the session behind it), so each is built with links that `server` ties afterwards.

use std::sync::{Arc, OnceLock};

pub struct Link<T: ?Sized>(Arc<OnceLock<Arc<T>>>);

impl<T: ?Sized> Link<T> {
    /// A link to nobody, until [`Link::set`] is called on it or on a clone.
    pub fn unset() -> Self {
        Self(Arc::new(OnceLock::new()))
    }

    pub fn to(remote: Arc<T>) -> Self {
        let link = Self::unset();
        link.set(remote);
        link
    }

    /// Ties the link. The first remote stays: a link is tied once, at start.
    pub fn set(&self, remote: Arc<T>) {
        let _ = self.0.set(remote);
    }

    /// The other service, or `None` when this process serves without one.
    pub fn get(&self) -> Option<&Arc<T>> {
        self.0.get()
    }
}

impl<T: ?Sized> Clone for Link<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Default for Link<T> {
    fn default() -> Self {
        Self::unset()
    }
}

impl<T: ?Sized> std::fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.get().is_some() { "Link(set)" } else { "Link(unset)" })
    }
}
