/*
 * version_3.c - a kernel for a handoff that does not exist yet. Its note says so. If a loader
 * starts it nevertheless, it ends QEMU with a code of its own.
 */
#include "shared/handoff_note.h"

#define DEBUG_EXIT_PORT 0xf4 /* of QEMU */
#define STARTED         0x12

HANDOFF_NOTE(HANDOFF_NOTE_VERSION, HANDOFF_NOTE_VERSION_VALUE(3, 0));

_Noreturn void entry(void);
_Noreturn void entry(void)
{
    __asm__ volatile("outl %0, %1" : : "a"(STARTED), "Nd"((uint16_t)DEBUG_EXIT_PORT) : "memory");
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
