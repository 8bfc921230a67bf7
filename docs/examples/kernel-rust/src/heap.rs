//! The simplest heap: each block begins after the one before. Nothing can be freed yet.
use core::slice;

const ALIGNMENT_BYTES: u64 = 16;

pub struct Heap {
    next: *mut u8,
    free_bytes: u64,
}

impl Heap {
    /// # Safety
    /// `size_bytes` bytes from `first` on are mapped and writable, and nothing else uses them. Both are multiples of 16.
    pub unsafe fn new(first: *mut u8, size_bytes: u64) -> Heap {
        Heap { next: first, free_bytes: size_bytes }
    }

    pub fn allocate(&mut self, size_bytes: u64) -> Option<&'static mut [u8]> {
        if size_bytes > self.free_bytes {
            return None;
        }
        // free_bytes is a multiple of the alignment, so the rounded size is not above it.
        let used_bytes = (size_bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
        let block = unsafe { slice::from_raw_parts_mut(self.next, size_bytes as usize) };
        self.next = self.next.wrapping_add(used_bytes as usize);
        self.free_bytes -= used_bytes;
        Some(block)
    }
}
