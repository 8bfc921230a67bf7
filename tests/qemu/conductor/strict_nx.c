/*
 * strict_nx.c - make the firmware's live page tables as strict as on strict firmware.
 *
 * Plan: `strict-nx`. OVMF maps all memory readable, writable and executable. Other firmware does
 * not. There, a loader faults if it runs code in its data or writes to its text.
 */
#include "tests/qemu/conductor/arch/x86_64/control.h"
#include "tests/qemu/conductor/stage.h"

#define ENTRY_PRESENT    (UINT64_C(1) << 0)
#define ENTRY_WRITE      (UINT64_C(1) << 1)
#define ENTRY_LARGE      (UINT64_C(1) << 7)
#define ENTRY_NO_EXECUTE (UINT64_C(1) << 63)
#define ENTRY_ADDRESS    UINT64_C(0x000ffffffffff000)
#define PAGE_SIZE_BYTES  UINT64_C(4096)
#define TABLE_ENTRIES    512
/* Splitting needs tables. Allocating them would change the map during the walk, so they are
 * allocated before. */
#define TABLE_STOCK 256

static EFI_PHYSICAL_ADDRESS stock;
static uint64_t stock_used;

static uint64_t level_size_bytes(unsigned level)
{
    return PAGE_SIZE_BYTES << (9 * (level - 1));
}

/* Replace a large entry of `level` by a table of entries with the same meaning. */
static bool split(uint64_t *entry, unsigned level)
{
    if (stock_used == TABLE_STOCK)
        return false;
    uint64_t *table = (uint64_t *)(uintptr_t)(stock + stock_used++ * PAGE_SIZE_BYTES);
    uint64_t flags = *entry & ~ENTRY_ADDRESS;
    uint64_t base = *entry & ENTRY_ADDRESS & ~(level_size_bytes(level) - 1);
    if (level == 2)
        flags &= ~ENTRY_LARGE;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        table[i] = (base + i * level_size_bytes(level - 1)) | flags;
    *entry = (uint64_t)(uintptr_t)table | ENTRY_PRESENT | ENTRY_WRITE;
    return true;
}

/* Change one leaf in [address, end). Return the first address behind it. */
static uint64_t protect_leaf(uint64_t address, uint64_t end, uint64_t set, uint64_t clear)
{
    uint64_t *table = (uint64_t *)(uintptr_t)control_table_root();
    for (unsigned level = 4;; level--) {
        uint64_t size_bytes = level_size_bytes(level);
        uint64_t *entry = &table[(address / size_bytes) % TABLE_ENTRIES];
        uint64_t next = (address / size_bytes + 1) * size_bytes;
        if ((*entry & ENTRY_PRESENT) == 0)
            return next;
        bool is_leaf = level == 1 || (*entry & ENTRY_LARGE) != 0;
        if (is_leaf && address % size_bytes == 0 && next <= end) {
            *entry = (*entry | set) & ~clear;
            return next;
        }
        if (is_leaf && !split(entry, level)) {
            say("strict-nx: out of tables");
            return next;
        }
        table = (uint64_t *)(uintptr_t)(*entry & ENTRY_ADDRESS);
    }
}

static void protect(uint64_t base, uint64_t size_bytes, uint64_t set, uint64_t clear)
{
    uint64_t end = base + size_bytes;
    for (uint64_t address = base; address < end;)
        address = protect_leaf(address, end, set, clear);
}

static bool is_data(UINT32 type)
{
    return type == EfiConventionalMemory || type == EfiLoaderData || type == EfiBootServicesData ||
           type == EfiRuntimeServicesData || type == EfiACPIReclaimMemory ||
           type == EfiACPIMemoryNVS;
}

static void protect_data(void)
{
    static uint8_t map[64 * 1024] __attribute__((aligned(16)));
    UINTN size_bytes = sizeof map, key, row_bytes;
    UINT32 version;
    if (EFI_ERROR(stage.firmware->GetMemoryMap(&size_bytes, (EFI_MEMORY_DESCRIPTOR *)map, &key,
                                               &row_bytes, &version))) {
        say("strict-nx: no memory map");
        return;
    }
    for (UINTN offset = 0; offset < size_bytes; offset += row_bytes) {
        const EFI_MEMORY_DESCRIPTOR *row = (const EFI_MEMORY_DESCRIPTOR *)(map + offset);
        if (is_data(row->Type))
            protect(row->PhysicalStart, row->NumberOfPages * PAGE_SIZE_BYTES, ENTRY_NO_EXECUTE, 0);
    }
}

static uint32_t read32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* The loader's sections as its PE headers describe them (PE format, "Section Table"). */
static void protect_loader(void)
{
    const uint8_t *image = stage.loader->ImageBase;
    const uint8_t *header = image + read32(image + 0x3c);
    uint32_t section_count = read32(header + 6) & 0xffff;
    const uint8_t *section = header + 24 + (read32(header + 20) & 0xffff);
    uint64_t base = (uint64_t)(uintptr_t)image;
    protect(base, PAGE_SIZE_BYTES, ENTRY_NO_EXECUTE, ENTRY_WRITE);
    for (uint32_t i = 0; i < section_count; i++, section += 40) {
        uint64_t size_bytes = (read32(section + 8) + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
        bool execute = (read32(section + 36) & 0x20000000) != 0;
        bool write = (read32(section + 36) & 0x80000000) != 0;
        protect(base + read32(section + 12), size_bytes, execute ? 0 : ENTRY_NO_EXECUTE,
                write ? 0 : ENTRY_WRITE);
        say("strict-nx: section %u %s%s", i, write ? "w" : "-", execute ? "x" : "-");
    }
}

void strict_nx_enable(void)
{
    if (EFI_ERROR(stage.firmware->AllocatePages(AllocateAnyPages, EfiBootServicesData, TABLE_STOCK,
                                                &stock))) {
        say("strict-nx: no memory");
        return;
    }
    control_enable_no_execute();
    control_write_protect(false);
    protect_data();
    protect_loader();
    control_write_protect(true);
    control_flush_translations();
    say("strict-nx: on, %llu tables", stock_used);
}
