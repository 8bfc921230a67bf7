/*
 * handoff.h - the contract between the loader and a kernel.
 *
 * The loader enters the kernel once. The first argument is the virtual address of a
 * `struct handoff`. docs/HANDOFF.md specifies every byte, the CPU state at entry, the mappings, and
 * the owner of all memory over time.
 *
 * Any kernel can use this header. It includes only two headers of the compiler, compiles as C11 and
 * as C++11, and has no bit-fields and no compiler extensions.
 *
 * Addresses: `direct_map_base`, `kernel_entry` and fields with `_virtual_` in their names hold
 * virtual addresses. Every other address is PHYSICAL. Regions with the fact MAPPED are readable at
 * `direct_map_base + physical` from the kernel's first instruction.
 *
 * Versions: another major version is another structure, and a reader must refuse it. A newer minor
 * version only appends fields, uses reserved fields, or adds numbers. So a reader
 *   - checks that `size_bytes` covers the fields that it knows, and ignores the bytes behind them;
 *   - verifies the checksum over all `size_bytes`;
 *   - treats a number that it does not know as this header says.
 */
#ifndef HANDOFF_H
#define HANDOFF_H

#include <stddef.h>
#include <stdint.h>

/* "HANDOFF" and a NUL, read as a little-endian 64-bit number. */
#define HANDOFF_MAGIC         UINT64_C(0x0046464f444e4148)
#define HANDOFF_VERSION_MAJOR 2
#define HANDOFF_VERSION_MINOR 1

/* All regions and blocks consist of whole pages, as the rows of the UEFI memory map do. */
#define HANDOFF_PAGE_SIZE_BYTES UINT64_C(4096)

/* handoff.machine: the numbers of e_machine in an ELF header. */
#define HANDOFF_MACHINE_X86_64  UINT32_C(62)
#define HANDOFF_MACHINE_AARCH64 UINT32_C(183) /* reserved: no loader writes it yet */

/* --- Regions ---------------------------------------------------------------------------------- */

/* The type of a region of physical memory. The numbers have gaps for new types, and their order has
 * no meaning. A kernel decides by `facts` and `reuse`. So it treats types correctly that it does
 * not know. */
enum handoff_region_type {
    /* Free RAM. */
    HANDOFF_REGION_USABLE = 0x100,
    /* EfiBootServicesCode/Data. */
    HANDOFF_REGION_BOOT_SERVICES = 0x110,
    /* EfiLoaderCode/Data without a type of its own below. The loader's image, with the GDT, TSS,
     * IDT and handlers in use at entry. */
    HANDOFF_REGION_LOADER = 0x120,
    /* EfiACPIReclaimMemory. */
    HANDOFF_REGION_ACPI_RECLAIM = 0x130,
    /* Memory below 1 MiB that would have one of the first three types. Firmware writes there, and
     * processors start there. */
    HANDOFF_REGION_LOW_MEMORY = 0x140,
    /* A temporary heap: [temp_heap_base, + temp_heap_size), and each other element of
     * `temp_heaps`. */
    HANDOFF_REGION_TEMP_HEAP = 0x200,
    /* The stack at entry. */
    HANDOFF_REGION_STACK = 0x210,
    /* The page tables at entry. */
    HANDOFF_REGION_PAGE_TABLES = 0x220,
    /* This structure and everything that it points to, except modules and kernel symbols. */
    HANDOFF_REGION_HANDOFF_DATA = 0x230,
    /* The kernel's loaded image. */
    HANDOFF_REGION_KERNEL_IMAGE = 0x240,
    /* [processor_start_base, + processor_start_size_bytes): a page below 1 MiB to start
     * processors. */
    HANDOFF_REGION_PROCESSOR_START = 0x250,
    /* `previous_boot`: two pages with the boot record, at the same address in each boot. */
    HANDOFF_REGION_BOOT_RECORD = 0x260,
    /* A module: the pages of one element of `modules`. */
    HANDOFF_REGION_MODULE = 0x270,
    /* `parking`: the code, mailboxes, stacks and page tables of started processors that wait. */
    HANDOFF_REGION_PARKING = 0x280,
    /* `kernel_symbols` and `kernel_strings` (since version 2.1). */
    HANDOFF_REGION_KERNEL_SYMBOLS = 0x290,
    /* EfiACPIMemoryNVS: RAM that the firmware owns for ever. */
    HANDOFF_REGION_ACPI_NVS = 0x300,
    /* EfiRuntimeServicesData, EfiRuntimeServicesCode: RAM of the firmware's runtime services. */
    HANDOFF_REGION_RUNTIME_DATA = 0x310,
    HANDOFF_REGION_RUNTIME_CODE = 0x320,
    /* EfiPersistentMemory, EfiUnacceptedMemoryType (UEFI 2.9): never plain RAM. */
    HANDOFF_REGION_PERSISTENT = 0x400,
    HANDOFF_REGION_UNACCEPTED = 0x410,
    /* EfiMemoryMappedIO, EfiMemoryMappedIOPortSpace, EfiPalCode. */
    HANDOFF_REGION_MMIO = 0x420,
    /* EfiUnusableMemory: broken RAM. */
    HANDOFF_REGION_BAD = 0x430,
    /* EfiReservedMemoryType, unknown types, and unknown combinations of attributes. */
    HANDOFF_REGION_RESERVED = 0x440,
    /* Pages outside of RAM with firmware tables (ACPI, SMBIOS). They are mapped, so that a kernel
     * can read the tables. */
    HANDOFF_REGION_FIRMWARE_TABLES = 0x450,
    /* A linear framebuffer, in RAM or in memory of a device. */
    HANDOFF_REGION_FRAMEBUFFER = 0x460,
};

/* handoff_region.facts. A kernel ignores bits that it does not know. */
#define HANDOFF_FACT_RAM           UINT32_C(1) /* ordinary memory, write-back cacheable */
#define HANDOFF_FACT_MAPPED        UINT32_C(2) /* readable in the direct map at entry */
#define HANDOFF_FACT_WRITABLE      UINT32_C(4) /* also writable there; only with MAPPED */
#define HANDOFF_FACT_LOADER_PLACED UINT32_C(8) /* a block that the loader placed */

/* handoff_region.reuse: the time from which the kernel may use the region for its own purposes. A
 * kernel treats a value that it does not know as NEVER. */
enum handoff_reuse {
    HANDOFF_REUSE_NEVER = 0,
    HANDOFF_REUSE_AT_ENTRY = 1,
    /* When the kernel runs on its own page tables, stack, GDT, TSS and IDT. */
    HANDOFF_REUSE_AFTER_LOADER = 2,
    /* As AFTER_LOADER, and the kernel has copied the handoff data that it needs. */
    HANDOFF_REUSE_AFTER_COPY = 3,
    /* When the kernel has read the ACPI tables. */
    HANDOFF_REUSE_AFTER_ACPI = 4,
    /* When the kernel no longer uses the temporary heaps. At entry if it never uses them. */
    HANDOFF_REUSE_AFTER_HEAP = 5,
    /* When the kernel no longer uses the modules. At entry if it never uses them. */
    HANDOFF_REUSE_AFTER_MODULES = 6,
    /* When each started processor runs on the kernel's own page tables, stack, GDT, TSS and IDT. */
    HANDOFF_REUSE_AFTER_PARKING = 7,
};

/* One region of the loader's memory map. The regions are sorted by base, disjoint and page-aligned,
 * and never empty. Their ends do not wrap. Two neighbours that touch differ in more than base and
 * size. Memory without a region is unknown: it is not RAM, it is not mapped, and it must never be
 * reused. */
struct handoff_region {
    uint64_t base;
    uint64_t size_bytes;
    uint32_t type;       /* enum handoff_region_type */
    uint32_t facts;      /* HANDOFF_FACT_* */
    uint32_t reuse;      /* enum handoff_reuse */
    uint32_t efi_type;   /* EFI_MEMORY_TYPE of the firmware's row, or HANDOFF_EFI_TYPE_NONE */
    uint64_t attributes; /* EFI_MEMORY_* bits of the firmware's row */
    uint64_t reserved;   /* written as 0, ignored by readers */
};
#define HANDOFF_EFI_TYPE_NONE UINT32_C(0xffffffff)

/* --- Types of several fields ------------------------------------------------------------------ */

/* `count` elements. The first is at `first`, and each is `stride_bytes` behind the one before. The
 * stride may be larger than the element that a reader knows, because a newer loader has appended
 * fields. All three are 0 if the array is empty. */
struct handoff_array {
    uint64_t first;
    uint32_t count;
    uint32_t stride_bytes;
};

/* Text that ends with a NUL. The size does not count the NUL. An empty text has an address, too. */
struct handoff_text {
    uint64_t address;
    uint64_t size_bytes;
};

/* A range of physical memory. Both fields are 0 if it does not exist. */
struct handoff_range {
    uint64_t base;
    uint64_t size_bytes;
};

/* --- Elements of the arrays ------------------------------------------------------------------- */

/* A temporary heap: a range of pages in regions of the type TEMP_HEAP. */
struct handoff_temp_heap {
    uint64_t base;
    uint64_t size_bytes;
};

/* A file that the loader has loaded for the kernel. It lies in pages of its own, and the rest of
 * the last page is zero. Two modules may have one name. */
struct handoff_module {
    uint64_t base;       /* page-aligned */
    uint64_t size_bytes; /* of the file, not 0 */
    struct handoff_text name;
    struct handoff_text command_line;
    uint8_t sha256[32]; /* valid if flags has HANDOFF_MODULE_HASHED */
    uint32_t flags;     /* HANDOFF_MODULE_* */
    uint32_t reserved;
};
#define HANDOFF_MODULE_HASHED UINT32_C(1)

enum handoff_pixel_format {
    HANDOFF_PIXEL_FORMAT_NONE = 0,     /* for readers: no framebuffer; never in the array */
    HANDOFF_PIXEL_FORMAT_RGBX8888 = 1, /* byte 0 red, 1 green, 2 blue, 3 unused */
    HANDOFF_PIXEL_FORMAT_BGRX8888 = 2, /* byte 0 blue, 1 green, 2 red, 3 unused */
    HANDOFF_PIXEL_FORMAT_MASKS = 3,    /* the masks below; bits_per_pixel 8, 16, 24 or 32 */
};

/* A linear framebuffer. The loader's own output is on the first of the array. */
struct handoff_framebuffer {
    uint64_t base;       /* physical; mapped write-combining at direct_map_base + base */
    uint64_t size_bytes; /* of the whole mapped framebuffer, a multiple of the page */
    uint32_t width_pixels;
    uint32_t height_pixels;
    uint32_t pitch_bytes; /* from one line to the next */
    uint16_t bits_per_pixel;
    uint16_t pixel_format; /* enum handoff_pixel_format */
    uint32_t red_mask;
    uint32_t green_mask;
    uint32_t blue_mask;
    uint32_t reserved_mask;
    uint64_t reserved[2];
};

/* A processor that the loader knows. */
struct handoff_processor {
    uint64_t hardware_id; /* x86-64: the APIC ID. AArch64: the affinity fields of MPIDR */
    uint32_t acpi_uid;
    uint32_t flags;   /* HANDOFF_PROCESSOR_* */
    uint64_t mailbox; /* the place where the started processor waits; 0 if it was not started */
    uint64_t stack_virtual_base;
    uint64_t stack_size_bytes;
    uint64_t reserved[3];
};
#define HANDOFF_PROCESSOR_BOOT    UINT32_C(1) /* it runs the kernel's entry */
#define HANDOFF_PROCESSOR_STARTED UINT32_C(2) /* it waits at its mailbox */

/* acpi_uid of a boot processor that ACPI does not list. */
#define HANDOFF_ACPI_UID_NONE UINT32_C(0xffffffff)

/* handoff_mailbox.state. Only the processor writes it. */
enum handoff_mailbox_state {
    HANDOFF_MAILBOX_ABSENT = 0, /* the processor has not come here */
    HANDOFF_MAILBOX_WAITS = 1,
    HANDOFF_MAILBOX_TAKEN = 2,   /* it has read the mailbox, and goes to `entry` */
    HANDOFF_MAILBOX_FAULTED = 3, /* it went to `entry`, and stopped at a fault */
};

/* The place where a started processor waits, aligned to 64 bytes. To take the processor over, a
 * kernel writes the other fields first, and `entry` last with release order. Then it wakes the
 * processor: on x86-64 with an NMI. docs/HANDOFF.md, "Started processors", has the rules. */
struct handoff_mailbox {
    uint64_t entry;             /* virtual: where it goes; 0: it waits */
    uint64_t argument;          /* the first argument of `entry` */
    uint64_t stack_top;         /* virtual; the loader has written the top of its own stack */
    uint64_t page_table_root;   /* the loader has written that of the boot processor's at entry */
    uint32_t state;             /* enum handoff_mailbox_state */
    uint32_t reserved_0;        /* written as 0, ignored by readers */
    uint64_t fault_instruction; /* virtual; valid after a fault */
    uint64_t fault_address;     /* x86-64: CR2 at the fault */
    uint64_t reserved_1;        /* written as 0, ignored by readers */
};

/* How a kernel reaches a firmware table. */
enum handoff_table_mapping {
    HANDOFF_TABLE_UNMAPPED = 0, /* not reachable at entry */
    HANDOFF_TABLE_MAPPED = 1,   /* readable at direct_map_base + address, all size_bytes of it */
};

/* A table of the firmware: an entry of EFI's configuration table, or a table to which it leads. */
struct handoff_firmware_table {
    uint8_t guid[16];    /* of the configuration table's entry, in memory order */
    uint64_t address;    /* physical */
    uint64_t size_bytes; /* 0 if the loader does not know it */
    uint32_t mapping;    /* enum handoff_table_mapping */
    /* 0 for the table of the entry itself. For an ACPI table to which it leads: the four letters of
     * the signature, the first in the lowest byte. For the SMBIOS structures:
     * HANDOFF_TABLE_PART_SMBIOS. */
    uint32_t part;
};
#define HANDOFF_TABLE_PART_SMBIOS UINT32_C(0x424d535f) /* "_SMB" */

/* The moment at which the phase `name` began, on the clock that loader and kernel share. On x86-64
 * it is the time-stamp counter. */
struct handoff_moment {
    uint64_t ticks;
    char name[24]; /* NUL-terminated ASCII */
};

/* --- Parts for one architecture --------------------------------------------------------------- */

/* handoff_x86_64.flags. A kernel ignores bits that it does not know. */
#define HANDOFF_X86_64_NO_EXECUTE  UINT32_C(1) /* the CPU has NX, and EFER.NXE is set */
#define HANDOFF_X86_64_PAGES_1GIB  UINT32_C(2) /* the CPU has 1 GiB pages; the map uses them */
#define HANDOFF_X86_64_FIFTH_LEVEL UINT32_C(4) /* CR4.LA57 is on: 5 levels of page tables */

struct handoff_x86_64 {
    uint64_t page_table_root;  /* the value of CR3 */
    uint64_t tsc_frequency_hz; /* of the time-stamp counter; 0 if unknown */
    uint32_t flags;            /* HANDOFF_X86_64_* */
    uint32_t physical_address_bits;
    uint32_t serial_port; /* I/O port of a UART of type 16550 for text; 0: write to none */
    uint32_t reserved_0;
    uint64_t reserved[12];
};

#define HANDOFF_ARCH_SIZE_BYTES 128

/* The part for the machine: `machine` selects the member. */
union handoff_arch {
    struct handoff_x86_64 x86_64;
    uint8_t bytes[HANDOFF_ARCH_SIZE_BYTES];
};

/* --- The structure ---------------------------------------------------------------------------- */

enum handoff_seed_source {
    HANDOFF_SEED_NONE = 0,    /* random_seed is all zero; do not use it */
    HANDOFF_SEED_EFI_RNG = 1, /* EFI_RNG_PROTOCOL */
    HANDOFF_SEED_CPU = 2,     /* an instruction of the CPU (x86-64: RDRAND) */
};

enum handoff_boot_source {
    HANDOFF_BOOT_SOURCE_UNKNOWN = 0,
    HANDOFF_BOOT_SOURCE_PARTITION = 1, /* boot_partition is the GUID of a GPT partition */
    HANDOFF_BOOT_SOURCE_VOLUME = 2,    /* a volume without such a GUID: MBR, CD, whole disk */
};

/* handoff.integrity_flags. A kernel ignores bits that it does not know. */
#define HANDOFF_INTEGRITY_SECURE_BOOT UINT32_C(1) /* the signed loader has the hash of each file */
#define HANDOFF_INTEGRITY_CHECKED     UINT32_C(2) /* the kernel has the SHA-256 that was wanted */
#define HANDOFF_INTEGRITY_MEASURED    UINT32_C(4) /* a TPM has all files and the command line */

struct handoff {
    uint64_t magic; /* HANDOFF_MAGIC */
    uint16_t version_major;
    uint16_t version_minor;
    uint32_t size_bytes;  /* of this structure in the version of the loader */
    uint32_t checksum;    /* CRC-32 (IEEE 802.3) of size_bytes bytes, with this field taken as 0 */
    uint32_t machine;     /* HANDOFF_MACHINE_* */
    char loader_name[32]; /* NUL-terminated ASCII: name and version */

    /* Address translation at entry. */
    uint64_t direct_map_base;       /* virtual */
    uint64_t direct_map_size_bytes; /* one past the highest physical address that it maps */
    uint64_t page_tables_base;      /* one block of pages that holds every table */
    uint64_t page_tables_size_bytes;

    /* The first temporary heap. Both are 0 if the loader has not reserved one. */
    uint64_t temp_heap_base;
    uint64_t temp_heap_size; /* bytes */

    /* The whole image of the kernel: one block of pages, mapped at the kernel's link address +
     * kernel_slide. */
    uint64_t kernel_physical_base;
    uint64_t kernel_virtual_base;
    uint64_t kernel_size_bytes;
    uint64_t kernel_entry; /* virtual */
    uint64_t kernel_slide; /* 0 for a static executable (ET_EXEC) */

    /* The stack at entry. The page below stack_virtual_base is not mapped. */
    uint64_t stack_physical_base;
    uint64_t stack_virtual_base;
    uint64_t stack_size_bytes;

    /* The block of pages that holds this structure and all data that it points to, except
     * modules. */
    uint64_t data_base;
    uint64_t data_size_bytes;

    /* The loader's image, with the descriptor tables and fault handlers in use at entry. It is
     * mapped in the upper half, and at its physical address. */
    uint64_t loader_physical_base;
    uint64_t loader_virtual_base;
    uint64_t loader_size_bytes;

    /* A page below 1 MiB to start processors. Both are 0 if the firmware had no such page. */
    uint64_t processor_start_base;
    uint64_t processor_start_size_bytes;

    struct handoff_array regions;         /* of struct handoff_region, sorted by base */
    struct handoff_array timeline;        /* of struct handoff_moment, in order of time */
    struct handoff_array temp_heaps;      /* of struct handoff_temp_heap */
    struct handoff_array modules;         /* of struct handoff_module */
    struct handoff_array framebuffers;    /* of struct handoff_framebuffer */
    struct handoff_array processors;      /* of struct handoff_processor */
    struct handoff_array firmware_tables; /* of struct handoff_firmware_table */

    struct handoff_text command_line;
    struct handoff_text log;

    /* The last memory map of the firmware, with which ExitBootServices succeeded. */
    uint64_t efi_map;
    uint64_t efi_map_size_bytes;
    uint32_t efi_descriptor_size_bytes;
    uint32_t efi_descriptor_version;

    /* Entry points of the firmware; 0 if absent. `firmware_tables` says how to reach the last
     * two. */
    uint64_t efi_system_table;
    uint64_t rsdp;   /* of ACPI 2.0; of ACPI 1.0 if the former is absent or damaged */
    uint64_t smbios; /* of SMBIOS 3; the 32-bit entry point if the former is absent or damaged */

    /* The volume and the file from which the kernel was loaded. */
    uint32_t boot_source; /* enum handoff_boot_source */
    uint32_t reserved_0;
    uint8_t boot_partition[16]; /* GUID, in memory order; all zero without a GPT partition */
    struct handoff_text kernel_path;

    /* The boot record (post-mortem): shared/post_mortem.h. The loader has shown the record of the
     * previous boot, and has begun one for this boot. Both fields are 0 without such pages. */
    struct handoff_range previous_boot;

    uint32_t random_seed_source; /* enum handoff_seed_source */
    uint32_t reserved_1;
    uint8_t random_seed[32];

    union handoff_arch arch;

    /* Since 2.1. The kernel's ELF symbol table (Elf64_Sym, 24 bytes each) and its names, as the file
     * has them: add kernel_slide to each value. Both are 0 without `symbols=on`. */
    struct handoff_array kernel_symbols;
    struct handoff_range kernel_strings;

    uint32_t integrity_flags; /* since 2.1: HANDOFF_INTEGRITY_* */
    uint32_t reserved_2;

    /* Since 2.1: the memory in which started processors wait. Both are 0 if none was started. */
    struct handoff_range parking;

    uint64_t reserved[9]; /* written as 0, ignored by readers */
};

/* Assert the offset of every field, so that a change of the layout does not compile. */
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
HANDOFF_ASSERT_OFFSET(handoff_region, facts, 20);
HANDOFF_ASSERT_OFFSET(handoff_region, reuse, 24);
HANDOFF_ASSERT_OFFSET(handoff_region, efi_type, 28);
HANDOFF_ASSERT_OFFSET(handoff_region, attributes, 32);
HANDOFF_ASSERT_OFFSET(handoff_region, reserved, 40);
HANDOFF_ASSERT(sizeof(struct handoff_region) == 48);

HANDOFF_ASSERT_OFFSET(handoff_array, first, 0);
HANDOFF_ASSERT_OFFSET(handoff_array, count, 8);
HANDOFF_ASSERT_OFFSET(handoff_array, stride_bytes, 12);
HANDOFF_ASSERT(sizeof(struct handoff_array) == 16);

HANDOFF_ASSERT_OFFSET(handoff_text, address, 0);
HANDOFF_ASSERT_OFFSET(handoff_text, size_bytes, 8);
HANDOFF_ASSERT(sizeof(struct handoff_text) == 16);

HANDOFF_ASSERT_OFFSET(handoff_range, base, 0);
HANDOFF_ASSERT_OFFSET(handoff_range, size_bytes, 8);
HANDOFF_ASSERT(sizeof(struct handoff_range) == 16);

HANDOFF_ASSERT_OFFSET(handoff_temp_heap, base, 0);
HANDOFF_ASSERT_OFFSET(handoff_temp_heap, size_bytes, 8);
HANDOFF_ASSERT(sizeof(struct handoff_temp_heap) == 16);

HANDOFF_ASSERT_OFFSET(handoff_module, base, 0);
HANDOFF_ASSERT_OFFSET(handoff_module, size_bytes, 8);
HANDOFF_ASSERT_OFFSET(handoff_module, name, 16);
HANDOFF_ASSERT_OFFSET(handoff_module, command_line, 32);
HANDOFF_ASSERT_OFFSET(handoff_module, sha256, 48);
HANDOFF_ASSERT_OFFSET(handoff_module, flags, 80);
HANDOFF_ASSERT_OFFSET(handoff_module, reserved, 84);
HANDOFF_ASSERT(sizeof(struct handoff_module) == 88);

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
HANDOFF_ASSERT_OFFSET(handoff_framebuffer, reserved, 48);
HANDOFF_ASSERT(sizeof(struct handoff_framebuffer) == 64);

HANDOFF_ASSERT_OFFSET(handoff_processor, hardware_id, 0);
HANDOFF_ASSERT_OFFSET(handoff_processor, acpi_uid, 8);
HANDOFF_ASSERT_OFFSET(handoff_processor, flags, 12);
HANDOFF_ASSERT_OFFSET(handoff_processor, mailbox, 16);
HANDOFF_ASSERT_OFFSET(handoff_processor, stack_virtual_base, 24);
HANDOFF_ASSERT_OFFSET(handoff_processor, stack_size_bytes, 32);
HANDOFF_ASSERT_OFFSET(handoff_processor, reserved, 40);
HANDOFF_ASSERT(sizeof(struct handoff_processor) == 64);

HANDOFF_ASSERT_OFFSET(handoff_mailbox, entry, 0);
HANDOFF_ASSERT_OFFSET(handoff_mailbox, argument, 8);
HANDOFF_ASSERT_OFFSET(handoff_mailbox, stack_top, 16);
HANDOFF_ASSERT_OFFSET(handoff_mailbox, page_table_root, 24);
HANDOFF_ASSERT_OFFSET(handoff_mailbox, state, 32);
HANDOFF_ASSERT_OFFSET(handoff_mailbox, reserved_0, 36);
HANDOFF_ASSERT_OFFSET(handoff_mailbox, fault_instruction, 40);
HANDOFF_ASSERT_OFFSET(handoff_mailbox, fault_address, 48);
HANDOFF_ASSERT_OFFSET(handoff_mailbox, reserved_1, 56);
HANDOFF_ASSERT(sizeof(struct handoff_mailbox) == 64);

HANDOFF_ASSERT_OFFSET(handoff_firmware_table, guid, 0);
HANDOFF_ASSERT_OFFSET(handoff_firmware_table, address, 16);
HANDOFF_ASSERT_OFFSET(handoff_firmware_table, size_bytes, 24);
HANDOFF_ASSERT_OFFSET(handoff_firmware_table, mapping, 32);
HANDOFF_ASSERT_OFFSET(handoff_firmware_table, part, 36);
HANDOFF_ASSERT(sizeof(struct handoff_firmware_table) == 40);

HANDOFF_ASSERT_OFFSET(handoff_moment, ticks, 0);
HANDOFF_ASSERT_OFFSET(handoff_moment, name, 8);
HANDOFF_ASSERT(sizeof(struct handoff_moment) == 32);

HANDOFF_ASSERT_OFFSET(handoff_x86_64, page_table_root, 0);
HANDOFF_ASSERT_OFFSET(handoff_x86_64, tsc_frequency_hz, 8);
HANDOFF_ASSERT_OFFSET(handoff_x86_64, flags, 16);
HANDOFF_ASSERT_OFFSET(handoff_x86_64, physical_address_bits, 20);
HANDOFF_ASSERT_OFFSET(handoff_x86_64, serial_port, 24);
HANDOFF_ASSERT_OFFSET(handoff_x86_64, reserved_0, 28);
HANDOFF_ASSERT_OFFSET(handoff_x86_64, reserved, 32);
HANDOFF_ASSERT(sizeof(struct handoff_x86_64) == 128);

HANDOFF_ASSERT_OFFSET(handoff, magic, 0);
HANDOFF_ASSERT_OFFSET(handoff, version_major, 8);
HANDOFF_ASSERT_OFFSET(handoff, version_minor, 10);
HANDOFF_ASSERT_OFFSET(handoff, size_bytes, 12);
HANDOFF_ASSERT_OFFSET(handoff, checksum, 16);
HANDOFF_ASSERT_OFFSET(handoff, machine, 20);
HANDOFF_ASSERT_OFFSET(handoff, loader_name, 24);
HANDOFF_ASSERT_OFFSET(handoff, direct_map_base, 56);
HANDOFF_ASSERT_OFFSET(handoff, direct_map_size_bytes, 64);
HANDOFF_ASSERT_OFFSET(handoff, page_tables_base, 72);
HANDOFF_ASSERT_OFFSET(handoff, page_tables_size_bytes, 80);
HANDOFF_ASSERT_OFFSET(handoff, temp_heap_base, 88);
HANDOFF_ASSERT_OFFSET(handoff, temp_heap_size, 96);
HANDOFF_ASSERT_OFFSET(handoff, kernel_physical_base, 104);
HANDOFF_ASSERT_OFFSET(handoff, kernel_virtual_base, 112);
HANDOFF_ASSERT_OFFSET(handoff, kernel_size_bytes, 120);
HANDOFF_ASSERT_OFFSET(handoff, kernel_entry, 128);
HANDOFF_ASSERT_OFFSET(handoff, kernel_slide, 136);
HANDOFF_ASSERT_OFFSET(handoff, stack_physical_base, 144);
HANDOFF_ASSERT_OFFSET(handoff, stack_virtual_base, 152);
HANDOFF_ASSERT_OFFSET(handoff, stack_size_bytes, 160);
HANDOFF_ASSERT_OFFSET(handoff, data_base, 168);
HANDOFF_ASSERT_OFFSET(handoff, data_size_bytes, 176);
HANDOFF_ASSERT_OFFSET(handoff, loader_physical_base, 184);
HANDOFF_ASSERT_OFFSET(handoff, loader_virtual_base, 192);
HANDOFF_ASSERT_OFFSET(handoff, loader_size_bytes, 200);
HANDOFF_ASSERT_OFFSET(handoff, processor_start_base, 208);
HANDOFF_ASSERT_OFFSET(handoff, processor_start_size_bytes, 216);
HANDOFF_ASSERT_OFFSET(handoff, regions, 224);
HANDOFF_ASSERT_OFFSET(handoff, timeline, 240);
HANDOFF_ASSERT_OFFSET(handoff, temp_heaps, 256);
HANDOFF_ASSERT_OFFSET(handoff, modules, 272);
HANDOFF_ASSERT_OFFSET(handoff, framebuffers, 288);
HANDOFF_ASSERT_OFFSET(handoff, processors, 304);
HANDOFF_ASSERT_OFFSET(handoff, firmware_tables, 320);
HANDOFF_ASSERT_OFFSET(handoff, command_line, 336);
HANDOFF_ASSERT_OFFSET(handoff, log, 352);
HANDOFF_ASSERT_OFFSET(handoff, efi_map, 368);
HANDOFF_ASSERT_OFFSET(handoff, efi_map_size_bytes, 376);
HANDOFF_ASSERT_OFFSET(handoff, efi_descriptor_size_bytes, 384);
HANDOFF_ASSERT_OFFSET(handoff, efi_descriptor_version, 388);
HANDOFF_ASSERT_OFFSET(handoff, efi_system_table, 392);
HANDOFF_ASSERT_OFFSET(handoff, rsdp, 400);
HANDOFF_ASSERT_OFFSET(handoff, smbios, 408);
HANDOFF_ASSERT_OFFSET(handoff, boot_source, 416);
HANDOFF_ASSERT_OFFSET(handoff, reserved_0, 420);
HANDOFF_ASSERT_OFFSET(handoff, boot_partition, 424);
HANDOFF_ASSERT_OFFSET(handoff, kernel_path, 440);
HANDOFF_ASSERT_OFFSET(handoff, previous_boot, 456);
HANDOFF_ASSERT_OFFSET(handoff, random_seed_source, 472);
HANDOFF_ASSERT_OFFSET(handoff, reserved_1, 476);
HANDOFF_ASSERT_OFFSET(handoff, random_seed, 480);
HANDOFF_ASSERT_OFFSET(handoff, arch, 512);
HANDOFF_ASSERT_OFFSET(handoff, kernel_symbols, 640);
HANDOFF_ASSERT_OFFSET(handoff, kernel_strings, 656);
HANDOFF_ASSERT_OFFSET(handoff, integrity_flags, 672);
HANDOFF_ASSERT_OFFSET(handoff, reserved_2, 676);
HANDOFF_ASSERT_OFFSET(handoff, parking, 680);
HANDOFF_ASSERT_OFFSET(handoff, reserved, 696);
HANDOFF_ASSERT(sizeof(struct handoff) == 768);

HANDOFF_ASSERT(sizeof(union handoff_arch) == HANDOFF_ARCH_SIZE_BYTES);

/* The size of the structure in version 2.0: a reader refuses anything smaller. */
#define HANDOFF_SIZE_V2_BYTES UINT32_C(768)

#endif
