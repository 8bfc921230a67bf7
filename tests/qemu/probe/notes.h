/*
 * notes.h - the probe's own notes, as they are in the loaded image. A test may have changed their
 * values in the file.
 */
#ifndef PROBE_NOTES_H
#define PROBE_NOTES_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

/* The value of the note for the direct map's limit, in whole pages. */
uint64_t notes_direct_map_limit(void);

/* Compare the handoff with the demands of the notes. */
void notes_check(const struct handoff *handoff, struct promises *promises);

#endif
