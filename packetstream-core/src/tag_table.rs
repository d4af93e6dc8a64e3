//! Values by tag, for tags that only grow.
//!
//! A value lives in the slot `tag & mask` of a ring whose size is a power of two. Tags in use lie close
//! together, so slots rarely meet; when they do the ring doubles while it is half full, and otherwise
//! the newcomer goes to a map. That keeps one request that is never answered from growing the ring for
//! as long as others come and go, and a peer which picks its tags to collide from costing more than the
//! map does.
#![expect(clippy::arithmetic_side_effects, reason = "counts the slots of its own ring")]

use std::collections::HashMap;
use std::mem;

const SMALLEST_RING: usize = 8;

#[derive(Debug)]
pub(crate) struct TagTable<T> {
    /// Empty, or a power of two slots.
    ring: Vec<Option<(u64, T)>>,
    in_ring: usize,
    /// Values whose slot another tag holds. Hashed with a secret key: the peer may have picked the tags.
    displaced: HashMap<u64, T>,
}

impl<T> Default for TagTable<T> {
    fn default() -> Self {
        Self { ring: Vec::new(), in_ring: 0, displaced: HashMap::new() }
    }
}

impl<T> TagTable<T> {
    /// Where the tag's slot is; meaningless while the ring is empty.
    #[inline]
    fn index(&self, tag: u64) -> usize {
        let mask = self.ring.len().wrapping_sub(1) as u64;
        usize::try_from(tag & mask).unwrap_or(0)
    }

    #[inline]
    pub(crate) fn get(&self, tag: u64) -> Option<&T> {
        match self.ring.get(self.index(tag)) {
            Some(Some((held, value))) if *held == tag => Some(value),
            _ if self.displaced.is_empty() => None,
            _ => self.displaced.get(&tag),
        }
    }

    #[inline]
    pub(crate) fn contains(&self, tag: u64) -> bool {
        self.get(tag).is_some()
    }

    /// Stores `value` unless the tag is taken, and says whether it did.
    #[inline]
    pub(crate) fn insert(&mut self, tag: u64, value: T) -> bool {
        let index = self.index(tag);
        if let Some(slot @ None) = self.ring.get_mut(index)
            && self.displaced.is_empty()
        {
            *slot = Some((tag, value));
            self.in_ring += 1;
            return true;
        }
        if self.contains(tag) {
            return false;
        }
        self.place(tag, value);
        true
    }

    #[cold]
    fn place(&mut self, tag: u64, value: T) {
        loop {
            let index = self.index(tag);
            let half_full = self.in_ring >= self.ring.len() / 2;
            match self.ring.get_mut(index) {
                Some(slot @ None) => {
                    *slot = Some((tag, value));
                    self.in_ring += 1;
                    return;
                }
                Some(Some(_)) if !half_full => {
                    self.displaced.insert(tag, value);
                    return;
                }
                _ => self.grow(),
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.ring.len() * 2).max(SMALLEST_RING);
        let old = mem::replace(&mut self.ring, (0..size).map(|_| None).collect());
        self.in_ring = 0;
        let displaced = mem::take(&mut self.displaced);
        for (tag, value) in old.into_iter().flatten().chain(displaced) {
            self.place(tag, value);
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, tag: u64) -> Option<T> {
        let index = self.index(tag);
        if let Some(slot) = self.ring.get_mut(index)
            && let Some((_, value)) = slot.take_if(|(held, _)| *held == tag)
        {
            self.in_ring -= 1;
            return Some(value);
        }
        if self.displaced.is_empty() { None } else { self.displaced.remove(&tag) }
    }

    /// Empties the table; the values come in the order of their tags.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        let Self { ring, displaced, .. } = mem::take(self);
        let mut entries: Vec<(u64, T)> = ring.into_iter().flatten().chain(displaced).collect();
        entries.sort_unstable_by_key(|(tag, _)| *tag);
        entries.into_iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_request_that_is_never_answered_does_not_grow_the_ring() {
        let mut table = TagTable::default();
        table.insert(2, ());
        for tag in 3..1_000_000 {
            assert!(table.insert(tag, ()));
            assert_eq!(table.remove(tag), Some(()));
        }
        assert!(table.contains(2));
        assert!(table.ring.len() <= 2 * SMALLEST_RING, "{}", table.ring.len());
    }

    #[test]
    fn tags_that_follow_each_other_lie_in_the_ring_alone() {
        let mut table = TagTable::default();
        for tag in 2..10_000 {
            assert!(table.insert(tag, ()));
            assert_eq!(table.remove(tag.wrapping_sub(32)).is_some(), tag >= 34);
            assert!(table.displaced.is_empty(), "at tag {tag}");
        }
        assert_eq!(table.ring.len(), 64);
    }

    #[test]
    fn tags_that_collide_on_purpose_cost_a_map_and_not_a_huge_ring() {
        let mut table = TagTable::default();
        for i in 0..1_000 {
            assert!(table.insert(i << 32, i));
        }
        assert!(table.ring.len() <= 4_096, "{}", table.ring.len());
        assert_eq!(table.drain().collect::<Vec<_>>(), (0..1_000).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn a_table_is_a_map(steps in prop::collection::vec((any::<bool>(), 0_u64..64, 0_u32..40), 0..400)) {
            let mut table = TagTable::default();
            let mut map = BTreeMap::new();
            for (step, (insert, low, high)) in steps.into_iter().enumerate() {
                let tag = low | u64::from(high & 1) << high;
                if insert {
                    let new = !map.contains_key(&tag);
                    if new {
                        map.insert(tag, step);
                    }
                    prop_assert_eq!(table.insert(tag, step), new);
                } else {
                    prop_assert_eq!(table.remove(tag), map.remove(&tag));
                }
                prop_assert_eq!(table.in_ring + table.displaced.len(), map.len());
                prop_assert_eq!(table.contains(tag), map.contains_key(&tag));
            }
            prop_assert_eq!(table.drain().collect::<Vec<_>>(), map.into_values().collect::<Vec<_>>());
        }
    }
}
