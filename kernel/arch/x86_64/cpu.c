/*
 * cpu.c - the features of the CPU, the protections in force, and the ways to stop.
 */
#include "kernel/arch/x86_64/cpu.h"

#include "kernel/arch.h"
#include "kernel/handoff/entry_state.h"
#include "shared/arch/x86_64/cache.h"
#include "shared/arch/x86_64/control.h"
#include "shared/arch/x86_64/cpuid.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/arch/x86_64/page_entry.h"
#include "shared/arch/x86_64/page_features.h"
#include "shared/direct_map.h"
#include "shared/text/format.h"

#define CR0_WRITE_PROTECT control_mask(CR0_BIT_WRITE_PROTECT)
#define CR4_GLOBAL_PAGES  control_mask(CR4_BIT_GLOBAL_PAGES)
#define CR4_UMIP          control_mask(CR4_BIT_UMIP)
#define CR4_SMEP          control_mask(CR4_BIT_SMEP)
#define CR4_SMAP          control_mask(CR4_BIT_SMAP)

/* Above this number of pages all translations are dropped. This is cheaper than one INVLPG per
 * page, even with the misses that follow. Source: `measure` on the command line. With 64
 * translations in use, QEMU (TCG) breaks even at 65 to 67 pages. No real CPU was measured. */
#define INVALIDATE_PAGE_LIMIT 64

#define RESET_CONTROL             0xcf9
#define RESET_CONTROL_SYSTEM      0x02
#define RESET_CONTROL_NOW         0x04
#define KEYBOARD_CONTROLLER       0x64
#define KEYBOARD_CONTROLLER_RESET 0xfe
/* A few milliseconds: the pulse takes time. */
#define RESET_PAUSE_COUNT 1000000

/* The features that the CPU has and the loader has switched on, so the tables in force use them. */
void arch_page_features(struct page_table_features *ret_features)
{
    page_features_read(ret_features);
    if ((msr_read(MSR_EFER) & control_mask(EFER_BIT_NO_EXECUTE)) == 0)
        ret_features->no_execute = false;
    if (ret_features->write_combining && msr_read(MSR_PAT) != PAGE_ENTRY_PAT_MSR_VALUE)
        ret_features->write_combining = false;
}

void arch_flush_cache(const void *start, size_t size_bytes)
{
    cache_flush(start, size_bytes);
}

void cpu_enable_protections(void)
{
    struct cpuid_result more = cpuid_read(CPUID_MORE_FEATURES, 0);
    uint64_t cr4 = cr4_read();

    if ((cpuid_read(CPUID_FEATURES, 0).edx & CPUID_EDX_GLOBAL_PAGES) != 0)
        cr4 |= CR4_GLOBAL_PAGES;
    if ((more.ebx & CPUID_EBX_SMEP) != 0)
        cr4 |= CR4_SMEP;
    if ((more.ebx & CPUID_EBX_SMAP) != 0)
        cr4 |= CR4_SMAP;
    if ((more.ecx & CPUID_ECX_UMIP) != 0)
        cr4 |= CR4_UMIP;

    cr4_write(cr4);
    cr0_write(cr0_read() | CR0_WRITE_PROTECT);
}

void arch_describe_features(char *text, size_t capacity_bytes)
{
    struct page_table_features features;
    arch_page_features(&features);
    uint64_t cr4 = cr4_read();

    format_text(text, capacity_bytes, "wp=%s nx=%s smep=%s smap=%s umip=%s global=%s pages_1gib=%s",
                (cr0_read() & CR0_WRITE_PROTECT) != 0 ? "on" : "off",
                features.no_execute ? "on" : "absent", (cr4 & CR4_SMEP) != 0 ? "on" : "absent",
                (cr4 & CR4_SMAP) != 0 ? "on" : "absent", (cr4 & CR4_UMIP) != 0 ? "on" : "absent",
                (cr4 & CR4_GLOBAL_PAGES) != 0 ? "on" : "absent",
                features.largest_leaf_level >= PAGE_LEVEL_1GIB ? "yes" : "no");
}

uint64_t arch_timestamp(void)
{
    return timestamp_read();
}

/* CR3 has flags below and above the address (Intel SDM Vol. 3A, table 4-12). */
struct phys_addr arch_page_table_root(void)
{
    return phys_addr(cr3_read() & PAGE_ENTRY_ADDRESS_MASK);
}

/* A table that would wrap is described by a range that lies in no block. */
static struct virt_range descriptor_table_range(struct descriptor_table_register table)
{
    struct virt_range range = virt_range(0, UINT64_MAX);
    (void)virt_range_from_base_size(virt_addr(table.base), (uint64_t)table.limit + 1, &range);
    return range;
}

void arch_entry_state(struct entry_state *state)
{
    arch_page_features(&state->features);
    state->page_table_root = arch_page_table_root();
    state->stack_pointer = virt_addr(stack_pointer_read());
    state->cpu_tables[0] = descriptor_table_range(gdt_read());
    state->cpu_tables[1] = descriptor_table_range(idt_read());
    state->cpu_table_count = 2;
    state->direct_map_base = direct_map_base(state->features.levels);
    state->memory_base = (uintptr_t)state->direct_map_base.value;
}

/* A change of CR4.PGE drops every translation, global ones too. Without PGE there are no global
 * ones, so a write to CR3 is enough (Intel SDM Vol. 3A, 4.10.4.1). */
static void invalidate_everything(void)
{
    uint64_t cr4 = cr4_read();
    if ((cr4 & CR4_GLOBAL_PAGES) != 0) {
        cr4_write(cr4 & ~CR4_GLOBAL_PAGES);
        cr4_write(cr4);
    } else {
        cr3_write(cr3_read());
    }
}

void arch_invalidate_pages(void *context, struct virt_addr start, uint64_t size_bytes)
{
    (void)context;
    if (size_bytes / PAGE_SIZE_BYTES > INVALIDATE_PAGE_LIMIT) {
        invalidate_everything();
        return;
    }
    for (uint64_t offset = 0; offset < size_bytes; offset += PAGE_SIZE_BYTES)
        invalidate_page(start.value + offset);
}

void arch_flush_pixels(void)
{
    write_combining_flush();
}

_Noreturn void arch_halt(void)
{
    halt_forever();
}

void arch_interrupts_enable(void)
{
    interrupts_on();
}

void arch_interrupts_disable(void)
{
    interrupts_off();
}

void arch_interrupts_save_and_restore(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t flags = flags_read();
        interrupts_off();
        flags_write(flags);
    }
}

void arch_pause(void)
{
    spin_pause();
}

void arch_wait_for_interrupt(void)
{
    wait_for_interrupt();
}

/* Try three ways; the first resets the most hardware. They are the chipset's reset control register
 * (Intel ICH9 data sheet, 13.7.5), the keyboard controller's pulse on the reset line, and a fault
 * without a handler. */
_Noreturn void arch_reset(void)
{
    static const struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } no_handlers = {0, 0};
    port_write_8(RESET_CONTROL, RESET_CONTROL_SYSTEM);
    port_write_8(RESET_CONTROL, RESET_CONTROL_SYSTEM | RESET_CONTROL_NOW);
    port_write_8(KEYBOARD_CONTROLLER, KEYBOARD_CONTROLLER_RESET);
    for (unsigned i = 0; i < RESET_PAUSE_COUNT; i++)
        spin_pause();
    __asm__ volatile("lidt %0\n\tud2" : : "m"(no_handlers));
    __builtin_unreachable();
}

void arch_debug_exit(uint16_t port, uint32_t value)
{
    port_write_32(port, value);
}
