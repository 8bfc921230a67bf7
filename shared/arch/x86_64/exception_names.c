#include "shared/arch/x86_64/exception_names.h"

#include "shared/text/packed_text.h"

static const char names[EXCEPTION_COUNT][34] PACKED_SECTION = {
    "#DE divide error",
    "#DB debug exception",
    "non-maskable interrupt",
    "#BP breakpoint",
    "#OF overflow",
    "#BR bound range exceeded",
    "#UD invalid opcode",
    "#NM device not available",
    "#DF double fault",
    "coprocessor segment overrun",
    "#TS invalid TSS",
    "#NP segment not present",
    "#SS stack-segment fault",
    "#GP general protection",
    "#PF page fault",
    "reserved exception",
    "#MF x87 floating-point error",
    "#AC alignment check",
    "#MC machine check",
    "#XM SIMD floating-point exception",
    "#VE virtualization exception",
    "#CP control protection",
    "reserved exception",
    "reserved exception",
    "reserved exception",
    "reserved exception",
    "reserved exception",
    "reserved exception",
    "#HV hypervisor injection",
    "#VC VMM communication",
    "#SX security exception",
    "reserved exception",
};

const char *exception_name(unsigned vector)
{
    return vector < EXCEPTION_COUNT ? packed_text_read(names[vector]) : "interrupt";
}
