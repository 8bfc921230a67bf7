/*
 * registers.c - struct arch_registers for the kernel's common code, and in print.
 */
#include "kernel/arch/x86_64/registers.h"

#include <stddef.h>

#include "kernel/arch.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/text/format.h"

#define ASSERT_OFFSET(field, offset)                                                               \
    _Static_assert(offsetof(struct arch_registers, field) == (offset), "used by registers.S")

ASSERT_OFFSET(rax, REGISTERS_RAX);
ASSERT_OFFSET(rbx, REGISTERS_RBX);
ASSERT_OFFSET(rcx, REGISTERS_RCX);
ASSERT_OFFSET(rdx, REGISTERS_RDX);
ASSERT_OFFSET(rbp, REGISTERS_RBP);
ASSERT_OFFSET(rsi, REGISTERS_RSI);
ASSERT_OFFSET(rdi, REGISTERS_RDI);
ASSERT_OFFSET(r8, REGISTERS_R8);
ASSERT_OFFSET(r9, REGISTERS_R9);
ASSERT_OFFSET(r10, REGISTERS_R10);
ASSERT_OFFSET(r11, REGISTERS_R11);
ASSERT_OFFSET(r12, REGISTERS_R12);
ASSERT_OFFSET(r13, REGISTERS_R13);
ASSERT_OFFSET(r14, REGISTERS_R14);
ASSERT_OFFSET(r15, REGISTERS_R15);
ASSERT_OFFSET(vector, REGISTERS_VECTOR);
ASSERT_OFFSET(error_code, REGISTERS_ERROR_CODE);
ASSERT_OFFSET(rip, REGISTERS_RIP);
ASSERT_OFFSET(cs, REGISTERS_CS);
ASSERT_OFFSET(rflags, REGISTERS_RFLAGS);
ASSERT_OFFSET(rsp, REGISTERS_RSP);
ASSERT_OFFSET(ss, REGISTERS_SS);
_Static_assert(sizeof(struct arch_registers) == REGISTERS_SIZE_BYTES, "used by registers.S");

struct virt_addr arch_registers_program_counter(const struct arch_registers *registers)
{
    return virt_addr(registers->rip);
}

static void describe_four(void (*visit)(const char *line), const char *const names[4],
                          const uint64_t values[4])
{
    char line[96];
    format_text(line, sizeof line, "%-3s %016llx  %-3s %016llx  %-3s %016llx  %-3s %016llx",
                names[0], (unsigned long long)values[0], names[1], (unsigned long long)values[1],
                names[2], (unsigned long long)values[2], names[3], (unsigned long long)values[3]);
    visit(line);
}

void arch_registers_describe(const struct arch_registers *r, void (*visit)(const char *line))
{
    describe_four(visit, (const char *const[]){"rax", "rbx", "rcx", "rdx"},
                  (const uint64_t[]){r->rax, r->rbx, r->rcx, r->rdx});
    describe_four(visit, (const char *const[]){"rsi", "rdi", "rbp", "rsp"},
                  (const uint64_t[]){r->rsi, r->rdi, r->rbp, r->rsp});
    describe_four(visit, (const char *const[]){"r8", "r9", "r10", "r11"},
                  (const uint64_t[]){r->r8, r->r9, r->r10, r->r11});
    describe_four(visit, (const char *const[]){"r12", "r13", "r14", "r15"},
                  (const uint64_t[]){r->r12, r->r13, r->r14, r->r15});
    describe_four(visit, (const char *const[]){"rip", "rfl", "cr2", "cr3"},
                  (const uint64_t[]){r->rip, r->rflags, cr2_read(), cr3_read()});
}
