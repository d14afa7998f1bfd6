//! A buffer of the thread, for what is written in one go and copied from there.

use std::cell::Cell;
use std::mem;
use std::ops::{Deref, DerefMut};

/// The largest buffer that a thread keeps.
const KEPT_BYTES: usize = 64 * 1_024;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Goes back to its thread when it is dropped; a second one beside it is freed.
#[derive(Debug, Default)]
pub(super) struct Scratch(Vec<u8>);

impl Scratch {
    pub(super) fn of_thread() -> Self {
        // A thread that ends has none.
        Self(SPARE.try_with(Cell::take).unwrap_or_default())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if (1..=KEPT_BYTES).contains(&self.0.capacity()) {
            self.0.clear();
            let spare = mem::take(&mut self.0);
            let _ = SPARE.try_with(|kept| kept.set(spare));
        }
    }
}

impl Deref for Scratch {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}
