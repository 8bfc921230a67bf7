/*
 * handoff_note.c - what this kernel states about itself in its file, for the loader.
 */
#include "shared/handoff.h"
#include "shared/handoff_note.h"

HANDOFF_NOTE(HANDOFF_NOTE_VERSION,
             HANDOFF_NOTE_VERSION_VALUE(HANDOFF_VERSION_MAJOR, HANDOFF_VERSION_MINOR));
HANDOFF_NOTE(HANDOFF_NOTE_LEVELS, HANDOFF_LEVELS_FOUR | HANDOFF_LEVELS_FIVE);
HANDOFF_NOTE(HANDOFF_NOTE_CHECKSUM, 0); /* scripts/kernel-checksum.py writes the number */
