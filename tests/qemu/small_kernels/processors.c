/*
 * processors.c - a kernel that takes over the processors that the loader has started. It checks the
 * state of each one at its first instruction, and prints the result on COM1. It was written from
 * docs/HANDOFF.md. The only file of the project that it includes is shared/handoff.h.
 *
 * The last processor gets an entry that is not mapped, so it must stop and say where. Before that,
 * each one gets an NMI without an entry, and must go on waiting.
 */
#include <stdbool.h>

#include "shared/handoff.h"

#define COM1_DATA         0x3f8
#define COM1_STATUS       0x3fd
#define COM1_STATUS_FREE  0x20
#define DEBUG_EXIT_PORT   0xf4 /* of QEMU */
#define DEBUG_EXIT_OK     0x10
#define DEBUG_EXIT_BROKEN 0x11

#define MSR_APIC_BASE      UINT32_C(0x1b)
#define MSR_PAT            UINT32_C(0x277)
#define MSR_X2APIC_COMMAND UINT32_C(0x830)
#define MSR_EFER           UINT32_C(0xc0000080)
#define MSR_FS_BASE        UINT32_C(0xc0000100)
#define MSR_GS_BASE        UINT32_C(0xc0000101)
#define MSR_KERNEL_GS_BASE UINT32_C(0xc0000102)
#define APIC_IS_X2APIC     UINT64_C(0x400)
#define APIC_NMI           UINT32_C(0x4400)
#define APIC_COMMAND       0x300
#define APIC_DESTINATION   0x310
#define APIC_IS_PENDING    (UINT32_C(1) << 12)

#define PAGE          HANDOFF_PAGE_SIZE_BYTES
#define ENTRY_COUNT   512
#define ADDRESS_MASK  UINT64_C(0x000ffffffffff000)
#define TABLE_ENTRY   UINT64_C(3)    /* present, writable */
#define DEVICE_ENTRY  UINT64_C(0x9b) /* of 2 MiB: present, writable, uncached */
#define DEVICE_WINDOW UINT64_C(0x8000000000)
#define UNMAPPED      UINT64_C(0x00000000dead0000)
#define PATIENCE      UINT64_C(100000000)
#define SOME_ARGUMENT UINT64_C(0x1122334455667788)

/* What a processor has at an entry point. arrive.S below fills it in. */
struct state {
    uint64_t general[15]; /* rax, rbx, rcx, rdx, rsi, rbp, rsp, r8 to r15 */
    uint64_t rdi, return_word, rflags, cr0, cr3, cr4;
    uint64_t cs, ss, ds, es, fs, gs, tr, ldtr;
    uint16_t unused[3], gdt_limit;
    uint64_t gdt_base;
    uint16_t unused_2[3], idt_limit;
    uint64_t idt_base;
    uint64_t mxcsr, dr7, efer, pat, fs_base, gs_base, kernel_gs_base;
};

static struct state boot_state;
/* The processors come one after the other. `arrived` is the number of the last. */
struct state arrived_state;
uint32_t arrived;
static _Alignas(4096) uint64_t tables[4][ENTRY_COUNT];
static uint32_t broken_count;

void entry(const struct handoff *handoff);
void entry_arrived(void);

/* RDI of the boot processor's entry is the handoff, and that of the others is SOME_ARGUMENT. */
__asm__(".text\n"
        ".globl entry_arrived\n"
        "entry_arrived:\n"
        "pushfq\n"
        "popq arrived_state+136(%rip)\n"
        "movq %rax, arrived_state(%rip)\n"
        "leaq arrived_state(%rip), %rax\n"
        "movq %rbx, 8(%rax)\n"
        "movq %rcx, 16(%rax)\n"
        "movq %rdx, 24(%rax)\n"
        "movq %rsi, 32(%rax)\n"
        "movq %rbp, 40(%rax)\n"
        "movq %rsp, 48(%rax)\n"
        "movq %r8, 56(%rax)\n"
        "movq %r9, 64(%rax)\n"
        "movq %r10, 72(%rax)\n"
        "movq %r11, 80(%rax)\n"
        "movq %r12, 88(%rax)\n"
        "movq %r13, 96(%rax)\n"
        "movq %r14, 104(%rax)\n"
        "movq %r15, 112(%rax)\n"
        "movq %rdi, 120(%rax)\n"
        "movq (%rsp), %rcx\n"
        "movq %rcx, 128(%rax)\n"
        "movq %rax, %rdi\n"
        "call read_control\n"
        "movl $1, arrived(%rip)\n"
        "1: cli\n"
        "hlt\n"
        "jmp 1b\n");

static uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static bool has_pat(void)
{
    uint32_t eax = 1, ebx, ecx, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return (edx >> 16 & 1) != 0;
}

void read_control(struct state *state);
void read_control(struct state *state)
{
    __asm__ volatile("mov %%cr0, %0" : "=r"(state->cr0));
    __asm__ volatile("mov %%cr3, %0" : "=r"(state->cr3));
    __asm__ volatile("mov %%cr4, %0" : "=r"(state->cr4));
    __asm__ volatile("mov %%cs, %0" : "=r"(state->cs));
    __asm__ volatile("mov %%ss, %0" : "=r"(state->ss));
    __asm__ volatile("mov %%ds, %0" : "=r"(state->ds));
    __asm__ volatile("mov %%es, %0" : "=r"(state->es));
    __asm__ volatile("mov %%fs, %0" : "=r"(state->fs));
    __asm__ volatile("mov %%gs, %0" : "=r"(state->gs));
    __asm__ volatile("str %0" : "=r"(state->tr));
    __asm__ volatile("sldt %0" : "=r"(state->ldtr));
    __asm__ volatile("sgdt %0" : "=m"(state->gdt_limit));
    __asm__ volatile("sidt %0" : "=m"(state->idt_limit));
    __asm__ volatile("stmxcsr %0" : "=m"(state->mxcsr));
    __asm__ volatile("mov %%dr7, %0" : "=r"(state->dr7));
    state->efer = msr_read(MSR_EFER);
    if (has_pat())
        state->pat = msr_read(MSR_PAT);
    state->fs_base = msr_read(MSR_FS_BASE);
    state->gs_base = msr_read(MSR_GS_BASE);
    state->kernel_gs_base = msr_read(MSR_KERNEL_GS_BASE);
}

static void port_write(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %1, %0" : : "Nd"(port), "a"(value));
}

static uint8_t port_read(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void print(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((port_read(COM1_STATUS) & COM1_STATUS_FREE) == 0)
            continue;
        port_write(COM1_DATA, (uint8_t)*text);
    }
}

static void print_number(uint64_t number)
{
    char digits[17];
    char *first = digits + sizeof(digits) - 1;
    *first = '\0';
    do {
        *--first = "0123456789abcdef"[number % 16];
        number /= 16;
    } while (number != 0);
    print(first);
}

static void require(bool kept, const char *what, uint64_t found)
{
    if (kept)
        return;
    broken_count++;
    print("broken: ");
    print(what);
    print(", found ");
    print_number(found);
    print("\n");
}

/* --- The local APIC --- */

static uint64_t physical_of(const struct handoff *handoff, const void *address)
{
    return (uint64_t)address - handoff->kernel_virtual_base + handoff->kernel_physical_base;
}

/* Map the registers in the lower half, in a copy of the loader's root. */
static uint64_t make_tables(const struct handoff *handoff)
{
    const uint64_t *root =
        (const uint64_t *)(handoff->direct_map_base + handoff->arch.x86_64.page_table_root);
    bool has_five = (handoff->arch.x86_64.flags & HANDOFF_X86_64_FIFTH_LEVEL) != 0;
    for (unsigned i = 0; i < ENTRY_COUNT; i++)
        tables[0][i] = root[i];
    for (unsigned i = 0; i < 3; i++) {
        unsigned index = i == 0 && !has_five ? 1 : i == 1 && has_five ? 1 : 0;
        tables[i][index] = physical_of(handoff, tables[i + 1]) | TABLE_ENTRY;
        if (i == 1 && !has_five)
            break;
    }
    tables[has_five ? 3 : 2][0] =
        (msr_read(MSR_APIC_BASE) & ADDRESS_MASK & ~UINT64_C(0x1fffff)) | DEVICE_ENTRY;
    return physical_of(handoff, tables[0]);
}

static void send_nmi(uint64_t id)
{
    uint64_t base = msr_read(MSR_APIC_BASE);
    volatile uint32_t *registers =
        (volatile uint32_t *)(DEVICE_WINDOW + (base & ADDRESS_MASK & UINT64_C(0x1fffff)));
    __asm__ volatile("mfence\n\tlfence" : : : "memory");
    if ((base & APIC_IS_X2APIC) != 0) {
        __asm__ volatile("wrmsr"
                         :
                         : "c"(MSR_X2APIC_COMMAND), "a"(APIC_NMI), "d"((uint32_t)id)
                         : "memory");
        return;
    }
    registers[APIC_DESTINATION / 4] = (uint32_t)id << 24;
    registers[APIC_COMMAND / 4] = APIC_NMI;
    while ((registers[APIC_COMMAND / 4] & APIC_IS_PENDING) != 0)
        continue;
}

/* --- Taking over --- */

static bool wait_for(const uint32_t *word, uint32_t value)
{
    for (uint64_t i = 0; i < PATIENCE; i++) {
        if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
            return true;
        __asm__ volatile("pause");
    }
    return false;
}

static void check_state(const struct handoff *handoff, const struct handoff_processor *processor,
                        uint64_t root)
{
    const struct state *state = &arrived_state;
    uint64_t window = UINT64_C(0xffffff0080000000);
    uint64_t others = 0;
    for (unsigned i = 0; i < 15; i++)
        others |= i == 6 ? 0 : state->general[i];
    require(others == 0, "other registers are 0", others);
    require(state->rdi == SOME_ARGUMENT, "RDI is the argument", state->rdi);
    require(state->general[6] == processor->stack_virtual_base + processor->stack_size_bytes - 8,
            "RSP is below the top of its stack", state->general[6]);
    require(state->return_word == 0, "the return address is 0", state->return_word);
    require(state->rflags == 2, "RFLAGS is 2", state->rflags);
    require(state->cr3 == root, "CR3 is the mailbox's", state->cr3);
    require(state->cr0 == boot_state.cr0, "CR0 is the boot processor's", state->cr0);
    require(state->cr4 == boot_state.cr4, "CR4 is the boot processor's", state->cr4);
    require(state->efer == boot_state.efer, "EFER is the boot processor's", state->efer);
    require(state->pat == boot_state.pat, "PAT is the boot processor's", state->pat);
    require((state->fs_base | state->gs_base | state->kernel_gs_base) == 0,
            "the bases of FS and GS are 0", state->gs_base);
    require(state->mxcsr == boot_state.mxcsr && state->dr7 == boot_state.dr7,
            "MXCSR and DR7 are the boot processor's", state->mxcsr);
    require(state->cs == 8 && state->ss == 0x10 && state->ds == 0x10 && state->es == 0x10 &&
                state->fs == 0 && state->gs == 0 && state->tr == 0x18 && state->ldtr == 0,
            "the selectors are the boot processor's", state->tr);
    require(state->gdt_base - window < handoff->parking.size_bytes && state->gdt_limit == 39,
            "the GDT lies in the window", state->gdt_base);
    require(state->idt_base - window < handoff->parking.size_bytes && state->idt_limit == 511,
            "the IDT lies in the window", state->idt_base);
}

/* Return the word, the state, in the mailbox. */
static struct handoff_mailbox *mailbox_of(const struct handoff *handoff,
                                          const struct handoff_processor *processor)
{
    return (struct handoff_mailbox *)(handoff->direct_map_base + processor->mailbox);
}

static void go(struct handoff_mailbox *mailbox, uint64_t id, uint64_t place)
{
    mailbox->argument = SOME_ARGUMENT;
    __atomic_store_n(&mailbox->entry, place, __ATOMIC_RELEASE);
    send_nmi(id);
}

static void check_mailbox(const struct handoff *handoff, const struct handoff_processor *processor)
{
    const struct handoff_mailbox *mailbox = mailbox_of(handoff, processor);
    require(processor->mailbox % 64 == 0 && processor->mailbox >= handoff->parking.base &&
                processor->mailbox + 64 <= handoff->parking.base + handoff->parking.size_bytes,
            "the mailbox lies in the parking block", processor->mailbox);
    require(mailbox->state == HANDOFF_MAILBOX_WAITS && mailbox->entry == 0, "it waits",
            mailbox->state);
    require(mailbox->stack_top == processor->stack_virtual_base + processor->stack_size_bytes,
            "the mailbox has its own stack", mailbox->stack_top);
    require(mailbox->page_table_root == handoff->arch.x86_64.page_table_root,
            "the mailbox has the loader's tables", mailbox->page_table_root);
    require(processor->stack_size_bytes == 16384, "16 KiB of stack", processor->stack_size_bytes);
}

/* Even seats take this kernel's own tables, and odd ones those of the loader. */
static void take_over(const struct handoff *handoff, const struct handoff_processor *processor,
                      uint32_t number, uint64_t own_root)
{
    struct handoff_mailbox *mailbox = mailbox_of(handoff, processor);
    if (number % 2 == 0)
        mailbox->page_table_root = own_root;
    __atomic_store_n(&arrived, 0, __ATOMIC_RELEASE);
    go(mailbox, processor->hardware_id, (uint64_t)entry_arrived);
    if (!wait_for(&arrived, 1)) {
        require(false, "it comes", mailbox->state);
        return;
    }
    require(mailbox->state == HANDOFF_MAILBOX_TAKEN, "the mailbox is taken", mailbox->state);
    check_state(handoff, processor, mailbox->page_table_root);
}

static void send_to_nowhere(const struct handoff *handoff,
                            const struct handoff_processor *processor)
{
    struct handoff_mailbox *mailbox = mailbox_of(handoff, processor);
    go(mailbox, processor->hardware_id, UNMAPPED);
    require(wait_for(&mailbox->state, HANDOFF_MAILBOX_FAULTED), "it faults", mailbox->state);
    require(mailbox->fault_instruction == UNMAPPED && mailbox->fault_address == UNMAPPED,
            "it names the place", mailbox->fault_instruction);
}

static const struct handoff_processor *processor_at(const struct handoff *handoff, uint32_t index)
{
    const struct handoff_array *array = &handoff->processors;
    return (const void *)(handoff->direct_map_base + array->first +
                          (uint64_t)index * array->stride_bytes);
}

static uint32_t take_over_all(const struct handoff *handoff, uint64_t own_root)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < handoff->processors.count; i++) {
        const struct handoff_processor *processor = processor_at(handoff, i);
        if ((processor->flags & HANDOFF_PROCESSOR_STARTED) == 0) {
            require(processor->mailbox == 0, "no mailbox without a start", processor->mailbox);
            continue;
        }
        check_mailbox(handoff, processor);
        send_nmi(processor->hardware_id);
        count++;
        if (i + 1 == handoff->processors.count)
            send_to_nowhere(handoff, processor);
        else
            take_over(handoff, processor, count, own_root);
    }
    return count;
}

void entry(const struct handoff *handoff)
{
    read_control(&boot_state);
    print("\nprocessors: ");
    print_number(handoff->processors.count);
    uint64_t own_root = make_tables(handoff);
    __asm__ volatile("mov %0, %%cr3" : : "r"(own_root) : "memory");
    uint32_t count = take_over_all(handoff, own_root);
    print(" listed, ");
    print_number(count);
    print(" taken over, ");
    print_number(broken_count);
    print(" promises broken\n");
    port_write(DEBUG_EXIT_PORT, broken_count == 0 ? DEBUG_EXIT_OK : DEBUG_EXIT_BROKEN);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
