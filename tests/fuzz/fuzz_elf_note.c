/* The notes of a kernel: any bytes are refused, or give demands that the bytes contain. */
#include <string.h>

#include "bootloader/pure/elf_note.h"
#include "bootloader/pure/kernel_demands.h"
#include "tests/fuzz/require.h"

static bool contains_owner(const uint8_t *bytes, size_t size_bytes)
{
    for (size_t i = 0; i + 8 <= size_bytes; i++) {
        if (memcmp(bytes + i, HANDOFF_NOTE_OWNER, 8) == 0)
            return true;
    }
    return false;
}

/* The first byte selects the alignment. The rest is the segment, in a block of its exact size. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    static const uint64_t ALIGNMENTS[] = {0, 1, 2, 4, 8, 3, 16, UINT64_MAX};
    struct kernel_demands demands;
    struct kernel_demands defaults;
    char text[KERNEL_DEMANDS_TEXT_CAPACITY_BYTES] = "";
    if (size_bytes == 0)
        return 0;
    struct elf_plan plan = {.note_count = 1};
    plan.notes[0] = (struct elf_note_segment){1, size_bytes - 1, ALIGNMENTS[bytes[0] % 8]};
    if (elf_note_check_segments(&plan, size_bytes) != ELF_NOTE_OK)
        return 0;

    uint8_t *copy = malloc(size_bytes);
    require(copy != NULL);
    memcpy(copy, bytes + 1, size_bytes - 1);
    copy = realloc(copy, size_bytes > 1 ? size_bytes - 1 : 1);
    kernel_demands_set_defaults(&demands);
    enum elf_note_status status = elf_note_read(copy, &plan.notes[0], &demands);
    free(copy);
    require(strlen(elf_note_status_text(status)) > 0);
    require((demands.stated & ~UINT32_C(0x7e)) == 0);
    kernel_demands_set_defaults(&defaults);
    if (demands.stated == 0)
        require(memcmp(&demands, &defaults, sizeof(demands)) == 0);
    else
        require(size_bytes > sizeof(struct handoff_note) && contains_owner(bytes, size_bytes));
    bool fits = kernel_demands_fit_loader(&demands, text, sizeof(text));
    require(fits == (text[0] == '\0'));
    return 0;
}
