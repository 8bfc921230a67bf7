#include "tests/qemu/probe/notes.h"

#include "shared/handoff_note.h"

/* One note of every type, with the smallest demand. */
HANDOFF_NOTE(HANDOFF_NOTE_VERSION, HANDOFF_NOTE_VERSION_VALUE(2, 0));
HANDOFF_NOTE(HANDOFF_NOTE_LEVELS, HANDOFF_LEVELS_FOUR | HANDOFF_LEVELS_FIVE);
HANDOFF_NOTE(HANDOFF_NOTE_STACK, 1);
HANDOFF_NOTE(HANDOFF_NOTE_DIRECT_MAP_LIMIT, UINT64_MAX);
HANDOFF_NOTE(HANDOFF_NOTE_NEEDS, 0);

#define STACK_MINIMUM_BYTES 65536
#define PAGE                UINT64_C(4096)

/* In probe.ld: read through the symbols, so that the compiler does not know the values. */
extern const struct handoff_note probe_notes_start[];
extern const struct handoff_note probe_notes_end[];

static uint64_t value_of(enum handoff_note_type type)
{
    for (const struct handoff_note *note = probe_notes_start; note != probe_notes_end; note++) {
        if (note->type == (uint32_t)type)
            return (uint64_t)note->value_high << 32 | note->value_low;
    }
    return 0;
}

uint64_t notes_direct_map_limit(void)
{
    return value_of(HANDOFF_NOTE_DIRECT_MAP_LIMIT) & ~(PAGE - 1);
}

void notes_check(const struct handoff *handoff, struct promises *promises)
{
    uint64_t stack = (value_of(HANDOFF_NOTE_STACK) + PAGE - 1) & ~(PAGE - 1);
    uint64_t limit = notes_direct_map_limit();
    uint64_t level = (handoff->arch.x86_64.flags & HANDOFF_X86_64_FIFTH_LEVEL) != 0
                         ? HANDOFF_LEVELS_FIVE
                         : HANDOFF_LEVELS_FOUR;
    promise_equal(promises, "stack-size", stack > STACK_MINIMUM_BYTES ? stack : STACK_MINIMUM_BYTES,
                  handoff->stack_size_bytes);
    promise_that(promises, "note-direct-map-limit", handoff->direct_map_size_bytes <= limit,
                 "at most the limit of the note", handoff->direct_map_size_bytes);
    promise_that(promises, "note-levels", (value_of(HANDOFF_NOTE_LEVELS) & level) != 0,
                 "a level of the note", level);
}
