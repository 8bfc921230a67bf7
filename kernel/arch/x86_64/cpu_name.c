/*
 * cpu_name.c - the name of the CPU: the brand string (Intel SDM Vol. 2A, CPUID, table 3-8).
 */
#include "kernel/arch.h"
#include "shared/arch/x86_64/cpuid.h"
#include "shared/memory.h"
#include "shared/text/format.h"

#define NAME_SIZE_BYTES 48

void arch_cpu_name(char *text, size_t capacity_bytes)
{
    char name[NAME_SIZE_BYTES + 1] = {0};
    char *place = name;
    for (uint32_t leaf = CPUID_NAME_FIRST; leaf <= CPUID_NAME_LAST; leaf++) {
        struct cpuid_result part = cpuid_read(leaf, 0);
        const uint32_t words[] = {part.eax, part.ebx, part.ecx, part.edx};
        memcpy(place, words, sizeof words);
        place += sizeof words;
    }
    const char *start = name;
    while (*start == ' ')
        start++;
    char *end = name + NAME_SIZE_BYTES;
    while (end > start && (end[-1] == ' ' || end[-1] == '\0'))
        *--end = '\0';
    format_text(text, capacity_bytes, "%s", *start == '\0' ? "unknown" : start);
}
