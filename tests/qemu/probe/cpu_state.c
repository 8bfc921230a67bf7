#include "tests/qemu/probe/cpu_state.h"

#include "tests/qemu/probe/arch/x86_64/cpu.h"
#include "tests/qemu/probe/block.h"
#include "tests/qemu/probe/page_walk.h"

#define MSR_PAT            0x277
#define MSR_EFER           UINT32_C(0xc0000080)
#define MSR_FS_BASE        UINT32_C(0xc0000100)
#define MSR_GS_BASE        UINT32_C(0xc0000101)
#define MSR_KERNEL_GS_BASE UINT32_C(0xc0000102)

#define EXPECTED_CR0  UINT64_C(0x80010033) /* PG, WP, NE, ET, MP, PE */
#define EXPECTED_CR4  UINT64_C(0x620)      /* PAE, OSFXSR, OSXMMEXCPT */
#define CR4_MCE       UINT64_C(0x40)
#define CR4_PGE       UINT64_C(0x80)
#define CR4_LA57      UINT64_C(0x1000)
#define EXPECTED_EFER UINT64_C(0x500) /* LME, LMA */
#define EFER_NXE      UINT64_C(0x800)
#define EXPECTED_PAT  UINT64_C(0x0007010600070406)

#define CPUID_MACHINE_CHECK (UINT32_C(1) << 7)
#define CPUID_GLOBAL_PAGES  (UINT32_C(1) << 13)
#define CPUID_PAT           (UINT32_C(1) << 16)

#define CPUID_EXTENDED_FEATURES UINT32_C(0x80000001)
#define CPUID_NO_EXECUTE        (UINT32_C(1) << 20)
#define CPUID_PAGES_1GIB        (UINT32_C(1) << 26)

#define CODE_SELECTOR UINT64_C(0x08)
#define DATA_SELECTOR UINT64_C(0x10)
#define TSS_SELECTOR  UINT64_C(0x18)

#define VECTOR_NMI           2
#define VECTOR_DOUBLE_FAULT  8
#define VECTOR_MACHINE_CHECK 18
#define EXCEPTION_COUNT      32

static bool in_loader(const struct handoff *handoff, uint64_t start, uint64_t size_bytes)
{
    return size_bytes <= handoff->loader_size_bytes && start >= handoff->loader_virtual_base &&
           start - handoff->loader_virtual_base <= handoff->loader_size_bytes - size_bytes;
}

static bool is_loader_code(const struct handoff *handoff, uint64_t address)
{
    struct page_leaf leaf;
    return in_loader(handoff, address, 1) && page_walk_find(handoff, address, &leaf) &&
           leaf.execute &&
           leaf.physical - handoff->loader_physical_base ==
               leaf.virtual - handoff->loader_virtual_base;
}

static bool is_loader_data(const struct handoff *handoff, uint64_t start, uint64_t size_bytes)
{
    struct page_leaf leaf;
    for (uint64_t page = start & ~(PAGE - 1); page < start + size_bytes; page += PAGE) {
        if (!in_loader(handoff, page, PAGE) || !page_walk_find(handoff, page, &leaf) || !leaf.write)
            return false;
    }
    return true;
}

static void check_general_registers(const struct handoff *handoff, struct promises *promises)
{
    const struct entry_state *entry = &entry_state;
    uint64_t others = entry->rax | entry->rbx | entry->rcx | entry->rdx | entry->rsi | entry->rbp |
                      entry->r8 | entry->r9 | entry->r10 | entry->r11 | entry->r12 | entry->r13 |
                      entry->r14 | entry->r15;

    promise_begin(promises, "cpu-rdi");
    promise_require_equal(promises, handoff->direct_map_base + handoff->data_base, entry->rdi);
    promise_require(promises, entry->rdi % PAGE == 0, "a page-aligned address", entry->rdi);
    promise_end(promises);
    promise_equal(promises, "cpu-rsp", handoff->stack_virtual_base + handoff->stack_size_bytes - 8,
                  entry->rsp);
    promise_that(promises, "cpu-return-word", is_loader_code(handoff, entry->return_word),
                 "an address in executable memory of the loader", entry->return_word);
    promise_equal(promises, "cpu-other-registers", 0, others);
    promise_equal(promises, "cpu-rflags", 2, entry->rflags);
}

static uint64_t expected_cr4(const struct handoff *handoff)
{
    uint32_t features = cpu_basic_features();
    uint64_t cr4 = EXPECTED_CR4;
    if ((features & CPUID_MACHINE_CHECK) != 0)
        cr4 |= CR4_MCE;
    if ((features & CPUID_GLOBAL_PAGES) != 0)
        cr4 |= CR4_PGE;
    if ((handoff->arch.x86_64.flags & HANDOFF_X86_64_FIFTH_LEVEL) != 0)
        cr4 |= CR4_LA57;
    return cr4;
}

static void check_control_registers(const struct handoff *handoff, struct promises *promises)
{
    bool no_execute = (handoff->arch.x86_64.flags & HANDOFF_X86_64_NO_EXECUTE) != 0;
    bool has_pat = (cpu_basic_features() & CPUID_PAT) != 0;

    promise_equal(promises, "cpu-cr0", EXPECTED_CR0, cpu_read_cr0());
    promise_equal(promises, "cpu-cr3", handoff->arch.x86_64.page_table_root, cpu_read_cr3());
    promise_equal(promises, "cpu-cr4", expected_cr4(handoff), cpu_read_cr4());
    promise_equal(promises, "cpu-efer", EXPECTED_EFER | (no_execute ? EFER_NXE : 0),
                  cpu_read_msr(MSR_EFER));
    promise_equal(promises, "cpu-pat", EXPECTED_PAT,
                  has_pat ? cpu_read_msr(MSR_PAT) : EXPECTED_PAT);
    promise_equal(promises, "cpu-dr7", 0x400, cpu_read_dr7());
}

static void check_flags(const struct handoff *handoff, struct promises *promises)
{
    uint32_t features = cpu_extended_features(CPUID_EXTENDED_FEATURES);
    uint32_t flags = 0;
    if ((features & CPUID_NO_EXECUTE) != 0)
        flags |= HANDOFF_X86_64_NO_EXECUTE;
    if ((features & CPUID_PAGES_1GIB) != 0)
        flags |= HANDOFF_X86_64_PAGES_1GIB;
    if ((cpu_read_cr4() & CR4_LA57) != 0)
        flags |= HANDOFF_X86_64_FIFTH_LEVEL;
    promise_equal(promises, "flags-are-those-of-the-cpu", flags, handoff->arch.x86_64.flags);
    promise_equal(promises, "physical-address-bits-are-those-of-the-cpu",
                  cpu_physical_address_bits(), handoff->arch.x86_64.physical_address_bits);
}

static void check_selectors(struct promises *promises)
{
    const struct entry_state *entry = &entry_state;
    promise_equal(promises, "cpu-cs", CODE_SELECTOR, entry->cs);
    promise_begin(promises, "cpu-ss-ds-es");
    promise_require_equal(promises, DATA_SELECTOR, entry->ss);
    promise_require_equal(promises, DATA_SELECTOR, entry->ds);
    promise_require_equal(promises, DATA_SELECTOR, entry->es);
    promise_end(promises);
    promise_begin(promises, "cpu-fs-gs");
    promise_require_equal(promises, 0, entry->fs);
    promise_require_equal(promises, 0, entry->gs);
    promise_require_equal(promises, 0, cpu_read_msr(MSR_FS_BASE));
    promise_require_equal(promises, 0, cpu_read_msr(MSR_GS_BASE));
    promise_require_equal(promises, 0, cpu_read_msr(MSR_KERNEL_GS_BASE));
    promise_end(promises);
    promise_equal(promises, "cpu-tr", TSS_SELECTOR, entry->tr);
    promise_equal(promises, "cpu-ldtr", 0, entry->ldtr);
}

static void check_floating_point(struct promises *promises)
{
    promise_equal(promises, "cpu-mxcsr", 0x1f80, entry_state.mxcsr);
    /* The values that FNINIT sets (Intel SDM Vol. 1, 8.1.5). */
    promise_begin(promises, "cpu-x87");
    promise_require_equal(promises, 0x037f, entry_state.x87_control & 0xffff);
    promise_require_equal(promises, 0, entry_state.x87_status & 0xffff);
    promise_require_equal(promises, 0xffff, entry_state.x87_tags & 0xffff);
    promise_end(promises);
}

/* Return the offset in a 64-bit interrupt gate (Intel SDM Vol. 3A, 6.14.1). */
static uint64_t gate_offset(const uint64_t gate[2])
{
    return (gate[0] & 0xffff) | (gate[0] >> 48 & 0xffff) << 16 | (gate[1] & 0xffffffff) << 32;
}

static unsigned gate_stack_index(const uint64_t gate[2])
{
    return gate[0] >> 32 & 7;
}

static uint64_t tss_base(const struct entry_state *entry)
{
    const uint64_t *descriptor = (const uint64_t *)(entry->gdt.base + (entry->tr & 0xfff8));
    return (descriptor[0] >> 16 & 0xffffff) | (descriptor[0] >> 56) << 24 |
           (descriptor[1] & 0xffffffff) << 32;
}

static void check_gdt(const struct handoff *handoff, struct promises *promises)
{
    const struct entry_state *entry = &entry_state;
    bool lies_there = in_loader(handoff, entry->gdt.base, entry->gdt.limit + UINT64_C(1)) &&
                      entry->gdt.limit >= TSS_SELECTOR + 15;
    promise_begin(promises, "cpu-gdt");
    promise_require(promises, lies_there, "a GDT in the loader's image", entry->gdt.base);
    if (lies_there) {
        const uint64_t *descriptors = (const uint64_t *)entry->gdt.base;
        uint64_t code = descriptors[CODE_SELECTOR / 8];
        uint64_t data = descriptors[DATA_SELECTOR / 8];
        /* Code: present, ring 0, 64-bit. Data: present, ring 0, writable. */
        promise_require(promises, (code >> 40 & 0xf8) == 0x98 && (code >> 53 & 3) == 1,
                        "a 64-bit code segment of ring 0 at 0x08", code);
        promise_require(promises, (data >> 40 & 0xfa) == 0x92, "a data segment of ring 0 at 0x10",
                        data);
        promise_require(promises, in_loader(handoff, tss_base(entry), 104),
                        "a TSS in the loader's image", tss_base(entry));
    }
    promise_end(promises);
}

static void check_idt(const struct handoff *handoff, struct promises *promises)
{
    const struct entry_state *entry = &entry_state;
    bool lies_there = in_loader(handoff, entry->idt.base, entry->idt.limit + UINT64_C(1)) &&
                      entry->idt.limit >= EXCEPTION_COUNT * 16 - 1;
    promise_begin(promises, "cpu-idt");
    promise_require(promises, lies_there, "an IDT in the loader's image", entry->idt.base);
    for (uint64_t vector = 0; lies_there && vector < EXCEPTION_COUNT; vector++) {
        const uint64_t *gate = (const uint64_t *)(entry->idt.base + vector * 16);
        promise_require(promises, (gate[0] >> 40 & 0xff) == 0x8e,
                        "a present interrupt gate for every exception", vector);
        promise_require(promises, (gate[0] >> 16 & 0xffff) == CODE_SELECTOR,
                        "a gate with the selector 0x08", vector);
        promise_require(promises, is_loader_code(handoff, gate_offset(gate)),
                        "a handler in the loader's executable memory", vector);
    }
    promise_end(promises);
}

/* Return the top of the stack that a vector switches to, or 0 if it does not switch. */
static uint64_t vector_stack(unsigned vector)
{
    const uint64_t *gate = (const uint64_t *)(entry_state.idt.base + vector * 16);
    unsigned index = gate_stack_index(gate);
    if (index == 0)
        return 0;
    uint64_t field = tss_base(&entry_state) + 36 + (index - 1) * UINT64_C(8);
    const uint32_t *halves = (const uint32_t *)field; /* the field is only 4-byte aligned */
    return halves[0] | (uint64_t)halves[1] << 32;
}

/* Precondition: the promises of the IDT and of the TSS hold. */
static void check_fault_stacks(const struct handoff *handoff, struct promises *promises)
{
    const unsigned vectors[] = {VECTOR_NMI, VECTOR_DOUBLE_FAULT, VECTOR_MACHINE_CHECK};
    promise_begin(promises, "cpu-fault-stacks");
    for (unsigned i = 0; i < 3; i++) {
        uint64_t stack = vector_stack(vectors[i]);
        promise_require(promises, stack != 0, "a separate stack for the vector", vectors[i]);
        promise_require(promises, is_loader_data(handoff, stack - 1024, 1024),
                        "a stack in the loader's writable memory", stack);
        for (unsigned j = 0; j < i; j++)
            promise_require(promises, stack != vector_stack(vectors[j]),
                            "a different stack for each of these vectors", stack);
    }
    promise_end(promises);
}

static void check_interrupt_controllers(struct promises *promises)
{
    promise_begin(promises, "cpu-pics-masked");
    promise_require_equal(promises, 0xff, cpu_port_read8(0x21));
    promise_require_equal(promises, 0xff, cpu_port_read8(0xa1));
    promise_end(promises);
}

void cpu_state_check(const struct handoff *handoff, struct promises *promises)
{
    check_general_registers(handoff, promises);
    check_control_registers(handoff, promises);
    check_flags(handoff, promises);
    check_selectors(promises);
    check_floating_point(promises);
    check_interrupt_controllers(promises);

    uint64_t broken_before = promises->broken_count;
    check_gdt(handoff, promises);
    check_idt(handoff, promises);
    if (promises->broken_count == broken_before)
        check_fault_stacks(handoff, promises);
}
