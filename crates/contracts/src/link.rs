//! A late-bound handle to another service. Services depend on each other in cycles (identity accepts a login challenge of
//! oauth, oauth checks the session with identity), so each is built with links, which the service that
//! implements the contract sets when it is built.

use std::sync::{Arc, OnceLock};

pub struct Link<T: ?Sized>(Arc<OnceLock<Arc<T>>>);

impl<T: ?Sized> Link<T> {
    /// An unset link; see [`Link::set`], which may be called on a clone.
    pub fn unset() -> Self {
        Self(Arc::new(OnceLock::new()))
    }

    pub fn to(remote: Arc<T>) -> Self {
        let link = Self::unset();
        link.set(remote);
        link
    }

    /// Sets the link once, at start. Later calls have no effect.
    pub fn set(&self, remote: Arc<T>) {
        let _ = self.0.set(remote);
    }

    /// The other service, or `None` when this process does not use one.
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
