/*
 * handoff.h - the contract between the loader and a kernel.
 *
 * The loader enters the kernel once, with the virtual address of one `struct handoff` in RDI.
 * docs/HANDOFF.md specifies every byte, the CPU state at entry, what is mapped and who owns which
 * memory until when. This header is freestanding and includes nothing of this project, so that a
 * kernel which nobody here wrote can take it alone.
 *
 * Addresses: a field named `…_virtual…`, `direct_map_base` or `kernel_entry` is a virtual address.
 * Every other address is PHYSICAL; what the loader placed in RAM is readable at
 * `direct_map_base + physical` from the kernel's first instruction.
 *
 * Versions: a different major version is a different structure and must be refused. A newer minor
 * version only appends fields: a reader checks `size_bytes` against the fields that it knows,
 * verifies the checksum over all `size_bytes`, and ignores the tail.
 */
#ifndef HANDOFF_H
#define HANDOFF_H

#include <stddef.h>
#include <stdint.h>

/* "HANDOFF" and a NUL, read as a little-endian 64-bit number. */
#define HANDOFF_MAGIC         UINT64_C(0x0046464f444e4148)
#define HANDOFF_VERSION_MAJOR 1
#define HANDOFF_VERSION_MINOR 0

/* The page is the unit of everything that is handed over, as it is of the UEFI memory map. */
#define HANDOFF_PAGE_SIZE_BYTES UINT64_C(4096)

/* What a region of physical memory is, and who holds it at the kernel's first instruction.
 *
 * The numbers are ordered by restrictiveness: where firmware rows (or what the loader placed)
 * overlap, the highest number wins. A number that a kernel does not know is to be treated as
 * HANDOFF_REGION_RESERVED. */
enum handoff_region_type {
    /* Free RAM: write-back cacheable, nobody's. */
    HANDOFF_REGION_USABLE = 1,
    /* EfiBootServicesCode/Data: RAM, free for the kernel from its first instruction on. */
    HANDOFF_REGION_BOOT_SERVICES = 2,
    /* EfiLoaderCode/Data that is none of the kinds below: RAM; the loader's own image with the
     * GDT, TSS, IDT and code in use at entry. Free once the kernel has its own of all of these. */
    HANDOFF_REGION_LOADER = 3,
    /* EfiACPIReclaimMemory: RAM; free once the ACPI tables have been read. */
    HANDOFF_REGION_ACPI_RECLAIM = 4,
    /* The temporary heap [temp_heap_base, + temp_heap_size): the kernel's. */
    HANDOFF_REGION_TEMP_HEAP = 5,
    /* The stack at entry: free once the kernel runs on another. */
    HANDOFF_REGION_STACK = 6,
    /* The page tables at entry: free once CR3 points elsewhere. */
    HANDOFF_REGION_PAGE_TABLES = 7,
    /* This structure and everything that it points to: free once read or copied. */
    HANDOFF_REGION_HANDOFF_DATA = 8,
    /* The kernel's loaded image. */
    HANDOFF_REGION_KERNEL_IMAGE = 9,
    /* EfiACPIMemoryNVS: RAM that belongs to the firmware for ever. */
    HANDOFF_REGION_ACPI_NVS = 10,
    /* EfiRuntimeServicesData / Code: RAM that belongs to the firmware's runtime services. */
    HANDOFF_REGION_RUNTIME_DATA = 11,
    HANDOFF_REGION_RUNTIME_CODE = 12,
    /* EfiPersistentMemory, and EfiUnacceptedMemoryType (UEFI 2.9): never plain RAM. */
    HANDOFF_REGION_PERSISTENT = 13,
    HANDOFF_REGION_UNACCEPTED = 14,
    /* EfiMemoryMappedIO, EfiMemoryMappedIOPortSpace, EfiPalCode. */
    HANDOFF_REGION_MMIO = 15,
    /* EfiUnusableMemory: RAM that was found broken. */
    HANDOFF_REGION_BAD = 16,
    /* EfiReservedMemoryType, every type and every combination of attributes that is unknown. */
    HANDOFF_REGION_RESERVED = 17,
    /* The linear framebuffer, wherever it lies. */
    HANDOFF_REGION_FRAMEBUFFER = 18,
};

/* One row of the loader's memory map. The rows are sorted by base, disjoint, page-aligned, never
 * empty, never wrap, and maximal (two neighbours that touch differ in type, efi_type or
 * attributes). What no row covers is unknown and must be treated as reserved. */
struct handoff_region {
    uint64_t base;
    uint64_t size_bytes;
    uint32_t type;       /* enum handoff_region_type */
    uint32_t efi_type;   /* EFI_MEMORY_TYPE of the firmware's row; HANDOFF_EFI_TYPE_NONE if none */
    uint64_t attributes; /* EFI_MEMORY_* bits of the firmware's row */
};
#define HANDOFF_EFI_TYPE_NONE UINT32_C(0xffffffff)

enum handoff_pixel_format {
    HANDOFF_PIXEL_FORMAT_NONE = 0,     /* no linear framebuffer: every other field is 0 */
    HANDOFF_PIXEL_FORMAT_RGBX8888 = 1, /* byte 0 red, 1 green, 2 blue, 3 unused */
    HANDOFF_PIXEL_FORMAT_BGRX8888 = 2, /* byte 0 blue, 1 green, 2 red, 3 unused */
    HANDOFF_PIXEL_FORMAT_MASKS = 3,    /* the masks below; bits_per_pixel 8, 16, 24 or 32 */
};

struct handoff_framebuffer {
    uint64_t base;       /* physical; mapped write-combining at direct_map_base + base */
    uint64_t size_bytes; /* of the whole mapped framebuffer, a multiple of the page */
    uint32_t width_pixels;
    uint32_t height_pixels;
    uint32_t pitch_bytes; /* from one line to the next */
    uint16_t bits_per_pixel;
    uint16_t pixel_format; /* enum handoff_pixel_format */
    uint32_t red_mask;     /* valid for every pixel format but NONE */
    uint32_t green_mask;
    uint32_t blue_mask;
    uint32_t reserved_mask;
};

/* One moment on the common time axis: the time-stamp counter when the phase `name` began. */
struct handoff_moment {
    uint64_t tsc;
    char name[24]; /* NUL-terminated ASCII */
};

enum handoff_seed_source {
    HANDOFF_SEED_NONE = 0,    /* random_seed is all zero and must not be used */
    HANDOFF_SEED_EFI_RNG = 1, /* EFI_RNG_PROTOCOL */
    HANDOFF_SEED_RDRAND = 2,  /* the RDRAND instruction */
};

/* Bits of handoff.flags. Bits that a kernel does not know are to be ignored. */
#define HANDOFF_FLAG_NO_EXECUTE  UINT32_C(1) /* the CPU has NX and it is enabled (EFER.NXE) */
#define HANDOFF_FLAG_PAGES_1GIB  UINT32_C(2) /* the CPU has 1 GiB pages (used in the map) */
#define HANDOFF_FLAG_FIFTH_LEVEL UINT32_C(4) /* CR4.LA57 is on: 5 levels of page tables */

struct handoff {
    uint64_t magic; /* HANDOFF_MAGIC */
    uint16_t version_major;
    uint16_t version_minor;
    uint32_t size_bytes;  /* of this structure as the loader wrote it */
    uint32_t checksum;    /* CRC-32 (IEEE 802.3) of size_bytes bytes, with this field taken as 0 */
    uint32_t flags;       /* HANDOFF_FLAG_* */
    char loader_name[32]; /* NUL-terminated ASCII: name and version */

    /* Address translation at entry. */
    uint64_t direct_map_base;       /* virtual */
    uint64_t direct_map_size_bytes; /* one past the highest physical address that it maps */
    uint64_t page_table_root;       /* the value of CR3; its low 12 bits are 0 */
    uint64_t page_tables_base;      /* one block of pages that holds every table */
    uint64_t page_tables_size_bytes;

    /* The temporary heap; both 0 if the loader could not reserve it. */
    uint64_t temp_heap_base;
    uint64_t temp_heap_size; /* bytes */

    /* The kernel's image, all of it as it was linked: one block of pages, mapped at the kernel's
     * link address. */
    uint64_t kernel_physical_base;
    uint64_t kernel_virtual_base;
    uint64_t kernel_size_bytes;
    uint64_t kernel_entry; /* virtual */

    /* The stack at entry. The page below stack_virtual_base is not mapped. */
    uint64_t stack_physical_base;
    uint64_t stack_virtual_base;
    uint64_t stack_size_bytes;

    /* The block of pages that holds this structure and everything that it points to. */
    uint64_t data_base;
    uint64_t data_size_bytes;

    /* The loader's image, identity-mapped: GDT, TSS, IDT and fault handlers in use at entry. */
    uint64_t loader_base;
    uint64_t loader_size_bytes;

    /* struct handoff_region[region_count], region_stride_bytes apart. */
    uint64_t regions;
    uint32_t region_count;
    uint32_t region_stride_bytes;

    /* The firmware's memory map as ExitBootServices accepted it. */
    uint64_t efi_map;
    uint64_t efi_map_size_bytes;
    uint32_t efi_descriptor_size_bytes;
    uint32_t efi_descriptor_version;

    /* NUL-terminated; the size counts the text without its NUL. */
    uint64_t command_line;
    uint64_t command_line_size_bytes;
    uint64_t log;
    uint64_t log_size_bytes;

    /* struct handoff_moment[timeline_count], timeline_stride_bytes apart, in order of time. */
    uint64_t timeline;
    uint32_t timeline_count;
    uint32_t timeline_stride_bytes;
    uint64_t tsc_frequency_hz; /* 0 if unknown */

    /* Firmware tables; 0 if absent. They may lie in any type of region, mapped or not. */
    uint64_t efi_system_table;
    uint64_t rsdp;
    uint64_t smbios; /* the 64-bit (SMBIOS 3) entry point if there is one, else the 32-bit one */

    struct handoff_framebuffer framebuffer;

    uint32_t random_seed_source; /* enum handoff_seed_source */
    uint32_t reserved;           /* written as 0, ignored by readers */
    uint8_t random_seed[32];
};

/* The layout, byte by byte, so that no compiler, packing or renaming can change it unseen. */
#if defined(__cplusplus)
#define HANDOFF_ASSERT(condition) static_assert(condition, #condition)
#else
#define HANDOFF_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define HANDOFF_ASSERT_OFFSET(structure, field, offset)                                            \
    HANDOFF_ASSERT(offsetof(struct structure, field) == (offset))

HANDOFF_ASSERT_OFFSET(handoff_region, base, 0);
HANDOFF_ASSERT_OFFSET(handoff_region, size_bytes, 8);
HANDOFF_ASSERT_OFFSET(handoff_region, type, 16);
HANDOFF_ASSERT_OFFSET(handoff_region, efi_type, 20);
HANDOFF_ASSERT_OFFSET(handoff_region, attributes, 24);
HANDOFF_ASSERT(sizeof(struct handoff_region) == 32);

HANDOFF_ASSERT_OFFSET(handoff_framebuffer, base, 0);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, size_bytes, 8);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, width_pixels, 16);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, height_pixels, 20);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, pitch_bytes, 24);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, bits_per_pixel, 28);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, pixel_format, 30);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, red_mask, 32);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, green_mask, 36);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, blue_mask, 40);
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, reserved_mask, 44);
HANDOFF_ASSERT(sizeof(struct handoff_framebuffer) == 48);

HANDOFF_ASSERT_OFFSET(handoff_moment, tsc, 0);
HANDOFF_ASSERT_OFFSET(handoff_moment, name, 8);
HANDOFF_ASSERT(sizeof(struct handoff_moment) == 32);

HANDOFF_ASSERT_OFFSET(handoff, magic, 0);
HANDOFF_ASSERT_OFFSET(handoff, version_major, 8);
HANDOFF_ASSERT_OFFSET(handoff, version_minor, 10);
HANDOFF_ASSERT_OFFSET(handoff, size_bytes, 12);
HANDOFF_ASSERT_OFFSET(handoff, checksum, 16);
HANDOFF_ASSERT_OFFSET(handoff, flags, 20);
HANDOFF_ASSERT_OFFSET(handoff, loader_name, 24);
HANDOFF_ASSERT_OFFSET(handoff, direct_map_base, 56);
HANDOFF_ASSERT_OFFSET(handoff, direct_map_size_bytes, 64);
HANDOFF_ASSERT_OFFSET(handoff, page_table_root, 72);
HANDOFF_ASSERT_OFFSET(handoff, page_tables_base, 80);
HANDOFF_ASSERT_OFFSET(handoff, page_tables_size_bytes, 88);
HANDOFF_ASSERT_OFFSET(handoff, temp_heap_base, 96);
HANDOFF_ASSERT_OFFSET(handoff, temp_heap_size, 104);
HANDOFF_ASSERT_OFFSET(handoff, kernel_physical_base, 112);
HANDOFF_ASSERT_OFFSET(handoff, kernel_virtual_base, 120);
HANDOFF_ASSERT_OFFSET(handoff, kernel_size_bytes, 128);
HANDOFF_ASSERT_OFFSET(handoff, kernel_entry, 136);
HANDOFF_ASSERT_OFFSET(handoff, stack_physical_base, 144);
HANDOFF_ASSERT_OFFSET(handoff, stack_virtual_base, 152);
HANDOFF_ASSERT_OFFSET(handoff, stack_size_bytes, 160);
HANDOFF_ASSERT_OFFSET(handoff, data_base, 168);
HANDOFF_ASSERT_OFFSET(handoff, data_size_bytes, 176);
HANDOFF_ASSERT_OFFSET(handoff, loader_base, 184);
HANDOFF_ASSERT_OFFSET(handoff, loader_size_bytes, 192);
HANDOFF_ASSERT_OFFSET(handoff, regions, 200);
HANDOFF_ASSERT_OFFSET(handoff, region_count, 208);
HANDOFF_ASSERT_OFFSET(handoff, region_stride_bytes, 212);
HANDOFF_ASSERT_OFFSET(handoff, efi_map, 216);
HANDOFF_ASSERT_OFFSET(handoff, efi_map_size_bytes, 224);
HANDOFF_ASSERT_OFFSET(handoff, efi_descriptor_size_bytes, 232);
HANDOFF_ASSERT_OFFSET(handoff, efi_descriptor_version, 236);
HANDOFF_ASSERT_OFFSET(handoff, command_line, 240);
HANDOFF_ASSERT_OFFSET(handoff, command_line_size_bytes, 248);
HANDOFF_ASSERT_OFFSET(handoff, log, 256);
HANDOFF_ASSERT_OFFSET(handoff, log_size_bytes, 264);
HANDOFF_ASSERT_OFFSET(handoff, timeline, 272);
HANDOFF_ASSERT_OFFSET(handoff, timeline_count, 280);
HANDOFF_ASSERT_OFFSET(handoff, timeline_stride_bytes, 284);
HANDOFF_ASSERT_OFFSET(handoff, tsc_frequency_hz, 288);
HANDOFF_ASSERT_OFFSET(handoff, efi_system_table, 296);
HANDOFF_ASSERT_OFFSET(handoff, rsdp, 304);
HANDOFF_ASSERT_OFFSET(handoff, smbios, 312);
HANDOFF_ASSERT_OFFSET(handoff, framebuffer, 320);
HANDOFF_ASSERT_OFFSET(handoff, random_seed_source, 368);
HANDOFF_ASSERT_OFFSET(handoff, reserved, 372);
HANDOFF_ASSERT_OFFSET(handoff, random_seed, 376);
HANDOFF_ASSERT(sizeof(struct handoff) == 408);

/* The size that version 1.0 was born with: a reader refuses anything smaller. */
#define HANDOFF_SIZE_V1_BYTES UINT32_C(408)

#endif
