//! The functions on memory that the compiler calls. A program takes them from the C library. A kernel has no library.
use core::arch::asm;

#[no_mangle]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, size_bytes: usize) -> *mut u8 {
    asm!("rep movsb", inout("rdi") to => _, inout("rsi") from => _, inout("rcx") size_bytes => _);
    to
}

#[no_mangle]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, size_bytes: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= size_bytes {
        return memcpy(to, from, size_bytes);
    }
    let (to_last, from_last) = (to.wrapping_add(size_bytes - 1), from.wrapping_add(size_bytes - 1));
    asm!("std", "rep movsb", "cld", inout("rdi") to_last => _, inout("rsi") from_last => _,
        inout("rcx") size_bytes => _);
    to
}

#[no_mangle]
unsafe extern "C" fn memset(to: *mut u8, value: i32, size_bytes: usize) -> *mut u8 {
    asm!("rep stosb", inout("rdi") to => _, in("al") value as u8, inout("rcx") size_bytes => _);
    to
}

#[no_mangle]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, size_bytes: usize) -> i32 {
    for i in 0..size_bytes {
        let (a, b) = (left.add(i).read_volatile(), right.add(i).read_volatile());
        if a != b {
            return a as i32 - b as i32;
        }
    }
    0
}

#[no_mangle]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, size_bytes: usize) -> i32 {
    memcmp(left, right, size_bytes)
}
