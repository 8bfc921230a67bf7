//! The contract between the loader and a kernel: docs/HANDOFF.md, handoff 2.1. It is the file handoff.h in Rust.
//!
//! Addresses are physical, except `direct_map_base`, `kernel_entry` and the fields with `virtual` in their names.
//! A size or an offset that differs from the contract does not compile.
#![no_std]

use core::mem::size_of;
use core::slice;

/// "HANDOFF" and a NUL, read as a little-endian number.
pub const MAGIC: u64 = 0x0046_464f_444e_4148;
pub const VERSION_MAJOR: u16 = 2;
pub const VERSION_MINOR: u16 = 1;
pub const MACHINE_X86_64: u32 = 62;

/// Bits of `Region::facts`. Ignore other bits.
pub const FACT_RAM: u32 = 1;
pub const FACT_MAPPED: u32 = 2;
pub const FACT_WRITABLE: u32 = 4;
pub const FACT_LOADER_PLACED: u32 = 8;

/// Values of `Region::reuse`. Treat every other value as NEVER.
pub const REUSE_NEVER: u32 = 0;
pub const REUSE_AT_ENTRY: u32 = 1;
pub const REUSE_AFTER_LOADER: u32 = 2;
pub const REUSE_AFTER_COPY: u32 = 3;
pub const REUSE_AFTER_ACPI: u32 = 4;
pub const REUSE_AFTER_HEAP: u32 = 5;
pub const REUSE_AFTER_MODULES: u32 = 6;

/// Bits of `X86_64::flags`. Ignore other bits.
pub const X86_64_NO_EXECUTE: u32 = 1;
pub const X86_64_PAGES_1GIB: u32 = 2;
pub const X86_64_FIFTH_LEVEL: u32 = 4;

/// The words of a structure in which each word holds its own offset.
#[allow(dead_code)] // used only while the crate is compiled
const fn offsets<const COUNT: usize>() -> [u16; COUNT] {
    let mut words = [0; COUNT];
    let mut i = 0;
    while i < COUNT {
        words[i] = (i * 2) as u16;
        i += 1;
    }
    words
}

/// The first word of any field.
#[allow(dead_code)]
union FirstWord<T: Copy> {
    field: T,
    word: u16,
}

/// Define a structure of the contract, with its size and the offset of each field. The constant without a name checks
/// them when the crate is compiled: it fills the structure with `offsets()`, and reads the fields.
macro_rules! contract {
    ($(#[$text:meta])* $name:ident: $size:literal { $($offset:literal $field:ident: $type:ty,)* }) => {
        $(#[$text])*
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub struct $name {
            $(pub $field: $type,)*
        }

        const _: () = {
            union Pattern {
                words: [u16; $size / 2],
                structure: $name,
            }
            assert!(size_of::<$name>() == $size);
            let structure = unsafe { Pattern { words: offsets() }.structure };
            $(assert!(unsafe { FirstWord { field: structure.$field }.word } == $offset);)*
        };
    };
}

contract! {
    /// A region of physical memory.
    Region: 48 {
        0 base: u64,
        8 size_bytes: u64,
        16 r#type: u32,
        20 facts: u32,
        24 reuse: u32,
        28 efi_type: u32,
        32 attributes: u64,
        40 reserved: u64,
    }
}

contract! {
    /// `count` elements from the physical address `first` on, each `stride_bytes` after the one before.
    Array: 16 {
        0 first: u64,
        8 count: u32,
        12 stride_bytes: u32,
    }
}

contract! {
    /// Text that ends with a NUL, which the size does not count.
    Text: 16 {
        0 address: u64,
        8 size_bytes: u64,
    }
}

contract! {
    /// A range of physical memory; both fields are 0 if it does not exist.
    Range: 16 {
        0 base: u64,
        8 size_bytes: u64,
    }
}

contract! {
    /// A temporary heap.
    TempHeap: 16 {
        0 base: u64,
        8 size_bytes: u64,
    }
}

contract! {
    /// A file that the loader has loaded for the kernel.
    Module: 88 {
        0 base: u64,
        8 size_bytes: u64,
        16 name: Text,
        32 command_line: Text,
        48 sha256: [u8; 32],
        80 flags: u32,
        84 reserved: u32,
    }
}

contract! {
    /// A linear framebuffer.
    Framebuffer: 64 {
        0 base: u64,
        8 size_bytes: u64,
        16 width_pixels: u32,
        20 height_pixels: u32,
        24 pitch_bytes: u32,
        28 bits_per_pixel: u16,
        30 pixel_format: u16,
        32 red_mask: u32,
        36 green_mask: u32,
        40 blue_mask: u32,
        44 reserved_mask: u32,
        48 reserved: [u64; 2],
    }
}

contract! {
    /// A processor that the loader knows.
    Processor: 64 {
        0 hardware_id: u64,
        8 acpi_uid: u32,
        12 flags: u32,
        16 mailbox: u64,
        24 stack_virtual_base: u64,
        32 stack_size_bytes: u64,
        40 reserved: [u64; 3],
    }
}

contract! {
    /// The place where a started processor waits.
    Mailbox: 64 {
        0 entry: u64,
        8 argument: u64,
        16 stack_top: u64,
        24 page_table_root: u64,
        32 state: u32,
        36 reserved_0: u32,
        40 fault_instruction: u64,
        48 fault_address: u64,
        56 reserved_1: u64,
    }
}

contract! {
    /// A table of the firmware.
    FirmwareTable: 40 {
        0 guid: [u8; 16],
        16 address: u64,
        24 size_bytes: u64,
        32 mapping: u32,
        36 part: u32,
    }
}

contract! {
    /// The moment at which a phase began.
    Moment: 32 {
        0 ticks: u64,
        8 name: [u8; 24],
    }
}

contract! {
    /// The part of the structure for x86-64.
    X86_64: 128 {
        0 page_table_root: u64,
        8 tsc_frequency_hz: u64,
        16 flags: u32,
        20 physical_address_bits: u32,
        24 serial_port: u32,
        28 reserved_0: u32,
        32 reserved: [u64; 12],
    }
}

contract! {
    /// The structure that the loader gives to the kernel.
    Handoff: 768 {
        0 magic: u64,
        8 version_major: u16,
        10 version_minor: u16,
        12 size_bytes: u32,
        16 checksum: u32,
        20 machine: u32,
        24 loader_name: [u8; 32],
        56 direct_map_base: u64,
        64 direct_map_size_bytes: u64,
        72 page_tables_base: u64,
        80 page_tables_size_bytes: u64,
        88 temp_heap_base: u64,
        96 temp_heap_size: u64,
        104 kernel_physical_base: u64,
        112 kernel_virtual_base: u64,
        120 kernel_size_bytes: u64,
        128 kernel_entry: u64,
        136 kernel_slide: u64,
        144 stack_physical_base: u64,
        152 stack_virtual_base: u64,
        160 stack_size_bytes: u64,
        168 data_base: u64,
        176 data_size_bytes: u64,
        184 loader_physical_base: u64,
        192 loader_virtual_base: u64,
        200 loader_size_bytes: u64,
        208 processor_start_base: u64,
        216 processor_start_size_bytes: u64,
        224 regions: Array,
        240 timeline: Array,
        256 temp_heaps: Array,
        272 modules: Array,
        288 framebuffers: Array,
        304 processors: Array,
        320 firmware_tables: Array,
        336 command_line: Text,
        352 log: Text,
        368 efi_map: u64,
        376 efi_map_size_bytes: u64,
        384 efi_descriptor_size_bytes: u32,
        388 efi_descriptor_version: u32,
        392 efi_system_table: u64,
        400 rsdp: u64,
        408 smbios: u64,
        416 boot_source: u32,
        420 reserved_0: u32,
        424 boot_partition: [u8; 16],
        440 kernel_path: Text,
        456 previous_boot: Range,
        472 random_seed_source: u32,
        476 reserved_1: u32,
        480 random_seed: [u8; 32],
        512 arch: X86_64,
        640 kernel_symbols: Array,
        656 kernel_strings: Range,
        672 integrity_flags: u32,
        676 reserved_2: u32,
        680 parking: Range,
        696 reserved: [u64; 9],
    }
}

/// The reason why a handoff is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Refusal {
    Magic = 1,
    Version = 2,
    Size = 3,
    Checksum = 4,
    Machine = 5,
}

impl Refusal {
    pub fn text(self) -> &'static str {
        match self {
            Refusal::Magic => "this is no handoff",
            Refusal::Version => "the handoff has another major version than 2",
            Refusal::Size => "the handoff is smaller than its version demands",
            Refusal::Checksum => "the checksum of the handoff is wrong",
            Refusal::Machine => "the handoff is for another machine than x86-64",
        }
    }
}

impl Handoff {
    /// Check the structure, as every kernel has to do before it uses a field.
    ///
    /// # Safety
    /// `address` is the argument that the loader has passed to the kernel's entry.
    pub unsafe fn check(address: *const Handoff) -> Result<&'static Handoff, Refusal> {
        let handoff = &*address;
        if handoff.magic != MAGIC {
            return Err(Refusal::Magic);
        }
        if handoff.version_major != VERSION_MAJOR {
            return Err(Refusal::Version);
        }
        if (handoff.size_bytes as usize) < size_of::<Handoff>() {
            return Err(Refusal::Size);
        }
        let bytes = slice::from_raw_parts(address as *const u8, handoff.size_bytes as usize);
        if checksum(bytes) != handoff.checksum {
            return Err(Refusal::Checksum);
        }
        if handoff.machine != MACHINE_X86_64 {
            return Err(Refusal::Machine);
        }
        Ok(handoff)
    }

    /// The virtual address of a physical one. Only regions with FACT_MAPPED are readable there.
    pub fn pointer<T>(&self, physical: u64) -> *mut T {
        self.direct_map_base.wrapping_add(physical) as *mut T
    }

    /// The elements of an array. A newer loader may have appended fields to them, so the stride may be larger than T.
    pub fn elements<T: Copy + 'static>(&self, array: &Array) -> impl Iterator<Item = &'static T> {
        let first = self.direct_map_base.wrapping_add(array.first);
        let stride = array.stride_bytes as u64;
        let count = if stride < size_of::<T>() as u64 { 0 } else { array.count as u64 };
        (0..count).map(move |i| unsafe { &*((first + i * stride) as *const T) })
    }
}

/// CRC-32 (IEEE 802.3) of the structure. The four bytes of the checksum itself count as 0.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for (i, byte) in bytes.iter().enumerate() {
        crc ^= if i / 4 == 4 { 0 } else { *byte as u32 };
        for _ in 0..8 {
            crc = crc >> 1 ^ (crc & 1) * 0xedb8_8320;
        }
    }
    !crc
}
