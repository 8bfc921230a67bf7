//! A first kernel. It checks the handoff, prints the size of its memory, takes a block from the loader's heap, and
//! ends.
#![no_std]
#![no_main]

mod console;
mod heap;
mod memory;

use core::arch::asm;
use core::fmt::Write;
use core::panic::PanicInfo;

use console::console;
use handoff::{Handoff, Region, REUSE_AT_ENTRY};
use heap::Heap;

/// QEMU with the device isa-debug-exit ends with the status 2 * code + 1.
const DEBUG_EXIT_PORT: u16 = 0xf4;
const PASSED: u32 = 0x10;
const FAILED: u32 = 0x11;

/// The entry: kernel.ld names it. The loader calls it once, and it must not return.
#[no_mangle]
pub extern "C" fn kernel_main(address: *const Handoff) -> ! {
    let handoff = match unsafe { Handoff::check(address) } {
        Ok(handoff) => handoff,
        Err(refusal) => {
            let _ = writeln!(console(), "\nconformance: refused {} {}", refusal as u32, refusal.text());
            end(FAILED)
        }
    };
    console().start(handoff);
    let _ = writeln!(console(), "\nconformance: ready\nHello from a kernel.");

    let regions = handoff.elements::<Region>(&handoff.regions);
    let free_bytes: u64 = regions.filter(|region| region.reuse == REUSE_AT_ENTRY).map(|region| region.size_bytes).sum();
    let _ = writeln!(console(), "Free memory: KiB {}", free_bytes / 1024);
    let _ = writeln!(console(), "First heap: KiB {}", handoff.temp_heap_size / 1024);

    let mut heap = unsafe { Heap::new(handoff.pointer(handoff.temp_heap_base), handoff.temp_heap_size) };
    match heap.allocate(100) {
        Some(block) => {
            block.fill(0x5a);
            let _ = writeln!(console(), "A block of 100 bytes: {:p}", block.as_ptr());
        }
        None => {
            let _ = writeln!(console(), "There is no room for a block.");
        }
    }
    let _ = writeln!(console(), "conformance: end passed");
    end(PASSED)
}

fn end(code: u32) -> ! {
    loop {
        unsafe { asm!("out dx, eax", "cli", "hlt", in("dx") DEBUG_EXIT_PORT, in("eax") code) };
    }
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let _ = writeln!(console(), "\n{}\nconformance: end failed panic", info);
    end(FAILED)
}
