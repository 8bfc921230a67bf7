#include "lessons/handoff_samples.h"

#define MEBIBYTE  (UINT64_C(1) << 20)
#define RAM_START (16 * MEBIBYTE)
#define RAM_END   (512 * MEBIBYTE)
#define HEAP_BASE UINT64_C(0x1dd00000)
#define PAGE      HANDOFF_PAGE_SIZE_BYTES

/* One field that differs from the good handoff. No field: width 0. */
struct change {
    uint16_t offset;
    uint8_t width_bytes;
    uint64_t value;
};

#define SET(field, value)                                                                          \
    {                                                                                              \
        offsetof(struct handoff, field), sizeof(((struct handoff *)0)->field), (value)             \
    }
#define HEAP(base, size)                                                                           \
    {                                                                                              \
        SET(temp_heap_base, base), SET(temp_heap_size, size)                                       \
    }

/* When the page changes. */
enum moment {
    BEFORE_CHECKSUM, /* the loader itself wrote it so */
    AFTER_CHECKSUM,  /* something damaged it later */
};

struct recipe {
    const char *title;
    enum handoff_answer expected;
    enum moment moment;
    struct change changes[2];
};

/* An answer to a wrong size must come before code that computes a checksum could run far away. So
 * the sizes that are wrong by one come first. */
static const struct recipe recipes[] = {
    {"as the loader wrote it", ACCEPTED, BEFORE_CHECKSUM, {{0}}},
    {"no magic, a size of 0", BAD_MAGIC, AFTER_CHECKSUM, {SET(magic, 0), SET(size_bytes, 0)}},
    {"one bit of the magic is wrong",
     BAD_MAGIC,
     BEFORE_CHECKSUM,
     {SET(magic, HANDOFF_MAGIC ^ (UINT64_C(1) << 40))}},
    {"of version 3, with a checksum that we cannot know",
     BAD_VERSION,
     AFTER_CHECKSUM,
     {SET(version_major, 3), SET(checksum, 12345)}},
    {"of version 1", BAD_VERSION, BEFORE_CHECKSUM, {SET(version_major, 1)}},
    {"of version 2.7, as a newer loader writes it",
     ACCEPTED,
     BEFORE_CHECKSUM,
     {SET(version_minor, 7)}},
    {"one byte too short", BAD_SIZE, AFTER_CHECKSUM, {SET(size_bytes, 767)}},
    {"one byte larger than a page", BAD_SIZE, AFTER_CHECKSUM, {SET(size_bytes, PAGE + 1)}},
    {"with size_bytes 8", BAD_SIZE, AFTER_CHECKSUM, {SET(size_bytes, 8)}},
    {"with size_bytes 4294967295", BAD_SIZE, AFTER_CHECKSUM, {SET(size_bytes, UINT32_MAX)}},
    {"with new fields: 1024 bytes", ACCEPTED, BEFORE_CHECKSUM, {SET(size_bytes, 1024)}},
    {"with new fields: a whole page", ACCEPTED, BEFORE_CHECKSUM, {SET(size_bytes, PAGE)}},
    {"one bit of the heap's address has changed",
     BAD_CHECKSUM,
     AFTER_CHECKSUM,
     {SET(temp_heap_base, HEAP_BASE ^ PAGE)}},
    {"damaged so that the heap is not aligned",
     BAD_CHECKSUM,
     AFTER_CHECKSUM,
     {SET(temp_heap_base, HEAP_BASE + 1)}},
    {"damaged in a field that you do not use",
     BAD_CHECKSUM,
     AFTER_CHECKSUM,
     {SET(stack_size_bytes, 1)}},
    {"with checksum 0", BAD_CHECKSUM, AFTER_CHECKSUM, {SET(checksum, 0)}},
    {"the loader found no heap", NO_HEAP, BEFORE_CHECKSUM, HEAP(0, 0)},
    {"a heap of 0 bytes, not aligned", NO_HEAP, BEFORE_CHECKSUM, HEAP(HEAP_BASE + 1, 0)},
    {"the heap begins at an odd place", HEAP_UNALIGNED, BEFORE_CHECKSUM,
     HEAP(HEAP_BASE + 8, MEBIBYTE)},
    {"the heap ends within a page", HEAP_UNALIGNED, BEFORE_CHECKSUM, HEAP(HEAP_BASE, 100000)},
    {"not aligned, and it wraps", HEAP_UNALIGNED, BEFORE_CHECKSUM, HEAP(HEAP_BASE + 8, UINT64_MAX)},
    {"base + size looks good", HEAP_WRAPS, BEFORE_CHECKSUM,
     HEAP(HEAP_BASE, UINT64_MAX - HEAP_BASE + 1 + 32 * MEBIBYTE)},
    {"base + size is exactly 2^64", HEAP_WRAPS, BEFORE_CHECKSUM, HEAP(UINT64_MAX - PAGE + 1, PAGE)},
    {"the heap lies below the RAM", HEAP_OUTSIDE_RAM, BEFORE_CHECKSUM, HEAP(0, MEBIBYTE)},
    {"the heap begins a page below the RAM", HEAP_OUTSIDE_RAM, BEFORE_CHECKSUM,
     HEAP(RAM_START - PAGE, 64 * MEBIBYTE)},
    {"the heap is all of the RAM", ACCEPTED, BEFORE_CHECKSUM, HEAP(RAM_START, RAM_END - RAM_START)},
    {"the heap ends where the RAM ends", ACCEPTED, BEFORE_CHECKSUM,
     HEAP(RAM_END - 32 * MEBIBYTE, 32 * MEBIBYTE)},
    {"the heap ends a page behind the RAM", HEAP_OUTSIDE_RAM, BEFORE_CHECKSUM,
     HEAP(RAM_END - MEBIBYTE, MEBIBYTE + PAGE)},
    {"the heap begins where the RAM ends", HEAP_OUTSIDE_RAM, BEFORE_CHECKSUM,
     HEAP(RAM_END, MEBIBYTE)},
    {"the heap is far above the RAM", HEAP_OUTSIDE_RAM, BEFORE_CHECKSUM,
     HEAP(UINT64_C(1) << 40, MEBIBYTE)},
    {"the heap is larger than the RAM", HEAP_OUTSIDE_RAM, BEFORE_CHECKSUM, HEAP(0, 640 * MEBIBYTE)},
};

#define RECIPE_COUNT (unsigned)(sizeof recipes / sizeof recipes[0])

static void fill(struct handoff_page *ret_page)
{
    *ret_page = (struct handoff_page){.handoff = {
                                          .magic = HANDOFF_MAGIC,
                                          .version_major = HANDOFF_VERSION_MAJOR,
                                          .version_minor = HANDOFF_VERSION_MINOR,
                                          .size_bytes = HANDOFF_SIZE_V2_BYTES,
                                          .machine = HANDOFF_MACHINE_X86_64,
                                          .loader_name = "a loader of lesson 2",
                                          .temp_heap_base = HEAP_BASE,
                                          .temp_heap_size = MEBIBYTE,
                                          .stack_size_bytes = 64 * 1024,
                                      }};
    /* Code that takes sizeof(struct handoff) for the size gets another checksum. */
    for (unsigned i = 0; i < sizeof ret_page->rest; i++)
        ret_page->rest[i] = (uint8_t)(i * 7 + 1);
}

static void change_fields(struct handoff_page *page, const struct change *changes)
{
    uint8_t *bytes = (uint8_t *)page;
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < changes[i].width_bytes; j++)
            bytes[changes[i].offset + j] = (uint8_t)(changes[i].value >> (8 * j));
}

static void make_page(const struct recipe *recipe, struct handoff_page *ret_page)
{
    fill(ret_page);
    if (recipe->moment == BEFORE_CHECKSUM)
        change_fields(ret_page, recipe->changes);
    ret_page->handoff.checksum = handoff_checksum(ret_page, ret_page->handoff.size_bytes);
    if (recipe->moment == AFTER_CHECKSUM)
        change_fields(ret_page, recipe->changes);
}

/* The samples that are no recipe: the pointer is wrong, or the machine differs. */
static const struct handoff_sample others[] = {
    {"NULL", BAD_POINTER, PLACE_NULL, RAM_START, RAM_END},
    {"8 bytes behind the start of a page", BAD_POINTER, PLACE_UNALIGNED, RAM_START, RAM_END},
    {"the first one again, but with 256 MiB of RAM", HEAP_OUTSIDE_RAM, PLACE_GOOD, RAM_START,
     256 * MEBIBYTE},
    {"the first one again, but the RAM begins at 4 GiB", HEAP_OUTSIDE_RAM, PLACE_GOOD,
     4096 * MEBIBYTE, 8192 * MEBIBYTE},
};

#define OTHER_COUNT (unsigned)(sizeof others / sizeof others[0])

bool handoff_sample_make(unsigned index, struct handoff_sample *ret_sample,
                         struct handoff_page *ret_page)
{
    if (index >= RECIPE_COUNT + OTHER_COUNT)
        return false;
    /* The good handoff comes first, then wrong pointers, then all other recipes. */
    const unsigned pointer_count = 2;
    bool is_pointer = index >= 1 && index < 1 + pointer_count;
    unsigned recipe = index == 0 ? 0 : index - pointer_count;
    if (is_pointer || recipe >= RECIPE_COUNT) {
        *ret_sample = others[is_pointer ? index - 1 : index - RECIPE_COUNT];
        make_page(&recipes[0], ret_page);
        return true;
    }
    make_page(&recipes[recipe], ret_page);
    *ret_sample = (struct handoff_sample){recipes[recipe].title, recipes[recipe].expected,
                                          PLACE_GOOD, RAM_START, RAM_END};
    return true;
}
