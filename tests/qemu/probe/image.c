#include "tests/qemu/probe/image.h"

#include "shared/handoff.h"

/* probe.ld sets these symbols. Only their addresses have a meaning. */
extern const char probe_text_start[], probe_text_end[];
extern const char probe_rodata_start[], probe_rodata_end[];
extern const char probe_data_start[], probe_bss_start[], probe_data_end[];
extern const char probe_entry[]; /* entry.S */

void image_segments(struct image_segment segments[IMAGE_SEGMENT_COUNT])
{
    const struct image_segment text = {.start = (uint64_t)probe_text_start,
                                       .file_end = (uint64_t)probe_text_end,
                                       .end = (uint64_t)probe_text_end,
                                       .execute = true};
    const struct image_segment rodata = {.start = (uint64_t)probe_rodata_start,
                                         .file_end = (uint64_t)probe_rodata_end,
                                         .end = (uint64_t)probe_rodata_end};
    const struct image_segment data = {.start = (uint64_t)probe_data_start,
                                       .file_end = (uint64_t)probe_bss_start,
                                       .end = (uint64_t)probe_data_end,
                                       .write = true};
    segments[0] = text;
    segments[1] = rodata;
    segments[2] = data;
}

uint64_t image_entry(void)
{
    return (uint64_t)probe_entry;
}

uint64_t image_start(void)
{
    return (uint64_t)probe_text_start & ~(HANDOFF_PAGE_SIZE_BYTES - 1);
}

uint64_t image_end(void)
{
    return ((uint64_t)probe_data_end + HANDOFF_PAGE_SIZE_BYTES - 1) &
           ~(HANDOFF_PAGE_SIZE_BYTES - 1);
}
