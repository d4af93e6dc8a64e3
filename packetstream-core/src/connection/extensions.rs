//! What an application keeps with a connection.

use crate::sync::{Mutex, MutexGuard};
use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError};

/// What an application keeps with a connection, a value for each type: who the peer is, what it has opened,
/// how much it may still ask. Every handler and every handle of the connection sees the same values.
///
/// They are dropped after the last handle, the driver and the last handler. A value that holds a handle to
/// its own connection keeps it open: have it hold something else, or [`remove`](Self::remove) it.
///
/// ```
/// use packetstream_core::{Extensions, PacketConnection};
///
/// struct User(&'static str);
///
/// let (here, _there) = tokio::io::duplex(64);
/// let (connection, _driver) = PacketConnection::builder().extension(User("me")).build(here);
/// assert_eq!(connection.extensions().get::<User>().unwrap().0, "me");
/// ```
#[derive(Default)]
pub struct Extensions {
    values: Mutex<Values>,
}

type Values = BTreeMap<TypeId, Value>;

type Value = Arc<dyn Any + Send + Sync>;

impl Extensions {
    /// Puts a value in and returns the one of this type that was there.
    pub fn insert<T: Send + Sync + 'static>(&self, value: T) -> Option<Arc<T>> {
        let former = self.lock().insert(TypeId::of::<T>(), Arc::new(value));
        former.and_then(typed)
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let value = self.lock().get(&TypeId::of::<T>()).cloned();
        value.and_then(typed)
    }

    /// Takes the value of this type out. Whoever got it before keeps it.
    pub fn remove<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let former = self.lock().remove(&TypeId::of::<T>());
        former.and_then(typed)
    }

    /// The value of this type, which `make` makes if there is none. All who ask at once get the same one; what
    /// others have made meanwhile is dropped.
    pub fn get_or_insert_with<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(value) = self.get() {
            return value;
        }
        // Not under the lock: `make` may look at other values.
        let ours = Arc::new(make());
        let value = self.lock().entry(TypeId::of::<T>()).or_insert_with(|| ours.clone()).clone();
        typed(value).unwrap_or(ours)
    }

    fn lock(&self) -> MutexGuard<'_, Values> {
        // No code of others runs under the lock, so there is nothing half done to be afraid of.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value is where its type says, so there always is one.
fn typed<T: Send + Sync + 'static>(value: Value) -> Option<Arc<T>> {
    value.downcast().ok()
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({} values)", self.lock().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_value_for_each_type() {
        let extensions = Extensions::default();
        assert_eq!(extensions.get::<u32>(), None);
        assert_eq!(extensions.insert(1_u32), None);
        assert_eq!(extensions.insert("text"), None);
        assert_eq!(extensions.insert(2_u32).as_deref(), Some(&1));
        assert_eq!(extensions.get::<u32>().as_deref(), Some(&2));
        assert_eq!(extensions.get::<&str>().as_deref(), Some(&"text"));
        assert_eq!(extensions.remove::<u32>().as_deref(), Some(&2));
        assert_eq!(extensions.remove::<u32>(), None);
        assert_eq!(format!("{extensions:?}"), "Extensions(1 values)");
    }

    #[test]
    fn a_value_is_made_once_and_may_look_at_others() {
        let extensions = Extensions::default();
        extensions.insert(20_u32);
        let made = extensions.get_or_insert_with(|| u64::from(*extensions.get::<u32>().unwrap()) + 1);
        assert_eq!(*made, 21);
        assert!(Arc::ptr_eq(&made, &extensions.get_or_insert_with(|| 0_u64)));
    }

    #[test]
    fn what_others_have_put_in_meanwhile_wins() {
        let extensions = Extensions::default();
        let value = extensions.get_or_insert_with(|| {
            extensions.insert(1_u32);
            2_u32
        });
        assert_eq!(*value, 1);
    }
}
