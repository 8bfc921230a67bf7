#define _DEFAULT_SOURCE /* mmap with MAP_NORESERVE: this is a host program */

#include "tests/unit/support/frame_operations.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/frames/frame_reserve.h"
#include "shared/region.h"
#include "tests/unit/support/byte_stream.h"
#include "tests/unit/support/panic_stub.h"
#include "tests/unit/support/region_types.h"

#define ORACLE_FRAMES    16384U
#define ROWS_MAX         17U
#define EARLY_HEAP_BYTES (64U * 1024U)
/* The place of the row that makes every small machine large enough. */
#define BIG_ROW_FRAMES 4200U
#define MEMORY_BYTES   (UINT64_C(1) << 44)

enum frame_state { OUTSIDE, RESERVED, HELD, FREE, USED, CACHED };

#define RESERVE_COUNT 2U

/* The oracle's data of a reserve: the word of frames that filled it last. */
struct expected_reserve {
    uint64_t first;
    bool taken[64];
};

struct machine {
    struct handoff_region rows[ROWS_MAX];
    struct region_list regions;
    uint8_t early_heap_region[EARLY_HEAP_BYTES + 8];
    struct early_heap early_heap;
    struct frame_allocator frames;
    struct frame_reserve reserves[RESERVE_COUNT];
    uint8_t oracle[ORACLE_FRAMES];
    struct expected_reserve expected_reserves[RESERVE_COUNT];
    unsigned split_count; /* reclaims that may have split a region */
};

/* Physical memory from address 0 on. Only written pages exist. */
static uint8_t *sparse_memory(void)
{
    static uint8_t *memory;
    if (memory == NULL)
        memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

static bool start(struct machine *machine, bool use_early_heap)
{
    if (early_heap_initialise(&machine->early_heap,
                              virt_addr((uintptr_t)machine->early_heap_region),
                              sizeof(machine->early_heap_region)) != EARLY_HEAP_OK)
        abort();
    machine->regions.first = machine->rows;
    machine->regions.stride_bytes = sizeof(machine->rows[0]);
    if (frame_allocator_initialise(&machine->frames, &machine->regions,
                                   use_early_heap ? &machine->early_heap : NULL,
                                   virt_addr((uintptr_t)sparse_memory())) != FRAME_ALLOCATOR_OK)
        return false;
    for (unsigned i = 0; i < RESERVE_COUNT; i++)
        frame_reserve_open(&machine->reserves[i], &machine->frames);
    return true;
}

static void give_records_back(const struct machine *machine)
{
    if (!phys_range_is_empty(machine->frames.records.own))
        (void)madvise(sparse_memory() + machine->frames.records.own.start.value,
                      machine->frames.records.size_bytes, MADV_DONTNEED);
}

/* --- The oracle ------------------------------------------------------------------------------- */

static void oracle_set(struct machine *machine, uint64_t first, uint64_t count,
                       enum frame_state state)
{
    memset(&machine->oracle[first], (int)state, count);
}

static bool oracle_all_are(const struct machine *machine, uint64_t first, uint64_t count,
                           enum frame_state state)
{
    for (uint64_t i = first; i < first + count; i++) {
        if (i >= ORACLE_FRAMES || machine->oracle[i] != state)
            return false;
    }
    return true;
}

/* Return the highest start of a run that fits, or 0 if there is no such run. Frame 0 is never
 * free. */
static uint64_t oracle_find(const struct machine *machine, uint64_t count, uint64_t alignment,
                            uint64_t lowest, uint64_t limit)
{
    uint64_t end = limit < ORACLE_FRAMES ? limit : ORACLE_FRAMES;
    uint64_t run = 0;
    lowest = lowest > 1 ? lowest : 1;
    if (count == 0)
        return 0;
    for (uint64_t frame = end; frame-- > lowest;) {
        run = machine->oracle[frame] == FREE ? run + 1 : 0;
        if (run >= count && frame % alignment == 0)
            return frame;
    }
    return 0;
}

static void oracle_empty_reserve(struct machine *machine, struct expected_reserve *reserve)
{
    for (uint64_t i = 0; i < 64; i++) {
        if (reserve->taken[i] && machine->oracle[reserve->first + i] == CACHED)
            machine->oracle[reserve->first + i] = FREE;
    }
    *reserve = (struct expected_reserve){0};
}

static void oracle_empty_all_reserves(struct machine *machine)
{
    for (unsigned i = 0; i < RESERVE_COUNT; i++)
        oracle_empty_reserve(machine, &machine->expected_reserves[i]);
}

/* Empty the reserves that have a frame of the range, as the allocator does before a free. */
static void oracle_empty_reserves_with(struct machine *machine, uint64_t first, uint64_t count)
{
    for (unsigned i = 0; i < RESERVE_COUNT; i++) {
        struct expected_reserve *reserve = &machine->expected_reserves[i];
        if (first < reserve->first + 64 && reserve->first < first + count)
            oracle_empty_reserve(machine, reserve);
    }
}

/* Fill a reserve with the highest word that has a free frame. */
static void oracle_fill_reserve(struct machine *machine, struct expected_reserve *reserve)
{
    uint64_t last = oracle_find(machine, 1, 1, 0, ORACLE_FRAMES);
    if (last == 0)
        return;
    *reserve = (struct expected_reserve){.first = last - last % 64};
    for (uint64_t i = 0; i < 64; i++) {
        reserve->taken[i] = machine->oracle[reserve->first + i] == FREE;
        if (reserve->taken[i])
            machine->oracle[reserve->first + i] = CACHED;
    }
}

static uint64_t oracle_last_in_reserve(const struct machine *machine,
                                       const struct expected_reserve *reserve)
{
    for (uint64_t i = 64; i-- > 0;) {
        if (reserve->taken[i] && machine->oracle[reserve->first + i] == CACHED)
            return reserve->first + i;
    }
    return 0;
}

static uint64_t oracle_longest_run(const struct machine *machine)
{
    uint64_t longest = 0;
    uint64_t run = 0;
    for (uint64_t i = 0; i < ORACLE_FRAMES; i++) {
        run = machine->oracle[i] == FREE ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static enum frame_state state_of(const struct handoff_region *region)
{
    if (!region_is_ram(region))
        return OUTSIDE;
    if (region->reuse == HANDOFF_REUSE_AT_ENTRY)
        return FREE;
    return region->reuse != HANDOFF_REUSE_NEVER || region->type == HANDOFF_REGION_KERNEL_IMAGE ||
                   region->type == HANDOFF_REGION_PROCESSOR_START ||
                   region->type == HANDOFF_REGION_BOOT_RECORD
               ? HELD
               : RESERVED;
}

/* Every type of the header, and two unknown numbers. */
static uint32_t draw_type(struct byte_stream *stream)
{
    static const uint32_t unknown_types[] = {0, 0x777};
    size_t choice = byte_stream_next(stream, 1) %
                    (REGION_TYPE_COUNT + sizeof(unknown_types) / sizeof(unknown_types[0]));
    return choice < REGION_TYPE_COUNT ? REGION_TYPES[choice]
                                      : unknown_types[choice - REGION_TYPE_COUNT];
}

static void fill_oracle(struct machine *machine)
{
    for (uint32_t i = 0; i < machine->regions.count; i++)
        oracle_set(machine, machine->rows[i].base / 4096, machine->rows[i].size_bytes / 4096,
                   state_of(&machine->rows[i]));
    if (machine->oracle[0] != OUTSIDE)
        machine->oracle[0] = RESERVED;
    if (!phys_range_is_empty(machine->frames.records.own))
        oracle_set(machine, machine->frames.records.own.start.value / 4096,
                   machine->frames.records.size_bytes / 4096, RESERVED);
}

/* Return the length of the longest run that starts at a multiple of `alignment`. */
static uint64_t oracle_longest_aligned(const struct machine *machine, uint64_t alignment)
{
    uint64_t longest = 0;
    uint64_t run = 0;
    for (uint64_t frame = ORACLE_FRAMES; frame-- > 0;) {
        run = machine->oracle[frame] == FREE ? run + 1 : 0;
        if (run > longest && frame % alignment == 0)
            longest = run;
    }
    return longest;
}

/* A run that is one frame longer than the longest is not found. Then the stored bound is exact. */
static const char *compare_bound(struct machine *machine, uint64_t alignment)
{
    struct bit_tree *tree = &machine->frames.free_frames;
    uint64_t longest = oracle_longest_aligned(machine, alignment);
    const struct bit_tree_run_request request = {{0, tree->bit_count}, longest + 1, alignment};
    uint64_t start;
    if (bit_tree_find_run(tree, &request, &start))
        return "a run was found that is longer than the oracle's longest";
    if (bit_tree_run_bound(tree, alignment) != longest)
        return "the bound that is remembered is not the longest run";
    return NULL;
}

static const char *compare(struct machine *machine)
{
    struct frame_allocator_statistics statistics = frame_allocator_statistics(&machine->frames);
    uint64_t counts[CACHED + 1] = {0};
    for (uint64_t i = 0; i < ORACLE_FRAMES; i++)
        counts[machine->oracle[i]]++;
    if (statistics.free_count != counts[FREE])
        return "another number of free frames than the oracle's";
    if (statistics.used_count != counts[USED])
        return "another number of used frames than the oracle's";
    if (statistics.cached_count != counts[CACHED])
        return "another number of frames in reserves than the oracle's";
    if (statistics.reserved_count != counts[RESERVED] + counts[HELD])
        return "another number of reserved frames than the oracle's";
    if (statistics.free_count + statistics.used_count + statistics.cached_count +
            statistics.reserved_count !=
        statistics.total_count)
        return "free, used, cached and reserved are not the total";
    if (frame_allocator_largest_run(&machine->frames) != oracle_longest_run(machine))
        return "another longest run than the oracle's";
    const char *problem = frame_allocator_check(&machine->frames);
    /* Only sometimes, since a search flushes the shortcuts for single frames. */
    if (problem == NULL && counts[FREE] % 8 == 3) {
        problem = compare_bound(machine, UINT64_C(1) << counts[FREE] / 8 % 15);
        if (problem == NULL)
            problem = frame_allocator_check(&machine->frames);
    }
    return problem;
}

/* --- Operations ------------------------------------------------------------------------------- */

/* Compare the result of an allocation with the oracle's result, and mark the frames as used in the
 * oracle. */
static const char *expect_run(struct machine *machine, bool success, struct phys_addr base,
                              uint64_t expected, uint64_t count)
{
    if (success != (expected != 0))
        return success ? "frames were given that the oracle has not" : "free frames were refused";
    if (success && base.value != expected * 4096)
        return "other frames were given than the highest that fit";
    if (success)
        oracle_set(machine, expected, count, USED);
    return NULL;
}

static const char *run_allocate(struct machine *machine, struct byte_stream *stream)
{
    struct phys_addr base = {0};
    uint64_t choice = byte_stream_next(stream, 1);
    uint64_t count = 1;
    uint64_t alignment = 1;
    uint64_t lowest = 0;
    uint64_t limit = UINT64_MAX / 4096;
    bool success;
    if (choice % 4 == 0) {
        success = frame_allocator_allocate(&machine->frames, &base);
    } else {
        count = byte_stream_next(stream, choice % 4 == 1 ? 2 : 1) % 5000;
        alignment = UINT64_C(1) << byte_stream_next(stream, 1) % 15;
        if (choice >= 128)
            limit = byte_stream_next(stream, 2) % (ORACLE_FRAMES + 100);
        if (choice >= 192)
            lowest = byte_stream_next(stream, 2) % (ORACLE_FRAMES + 100);
        success = frame_allocator_allocate_contiguous(
            &machine->frames, count, alignment,
            phys_range(lowest > 0 ? lowest * 4096 - choice : 0, limit * 4096 + choice), &base);
    }
    uint64_t expected = oracle_find(machine, count, alignment, lowest, limit);
    if (expected == 0 && count != 0) {
        oracle_empty_all_reserves(machine);
        expected = oracle_find(machine, count, alignment, lowest, limit);
    }
    return expect_run(machine, success, base, expected, count);
}

static const char *run_reserve_allocate(struct machine *machine, struct byte_stream *stream)
{
    struct phys_addr frame;
    uint64_t index = byte_stream_next(stream, 1) % RESERVE_COUNT;
    struct expected_reserve *reserve = &machine->expected_reserves[index];
    bool success = frame_reserve_allocate(&machine->reserves[index], &frame);
    if (oracle_last_in_reserve(machine, reserve) == 0)
        oracle_fill_reserve(machine, reserve);
    return expect_run(machine, success, frame, oracle_last_in_reserve(machine, reserve), 1);
}

/* Return a used frame, if the stream requests one. */
static uint64_t choose_frame(const struct machine *machine, struct byte_stream *stream,
                             uint64_t choice)
{
    uint64_t first = byte_stream_next(stream, 2) % (ORACLE_FRAMES + 64);
    for (uint64_t i = 0; choice % 4 != 0 && i < ORACLE_FRAMES; i++) {
        if (oracle_all_are(machine, first, 1, USED))
            break;
        first = (first + 1) % ORACLE_FRAMES;
    }
    return first;
}

static const char *check_free(bool panicked, bool allowed)
{
    if (panicked == allowed)
        return allowed ? "a good free panicked" : "a bad free was accepted";
    if (panicked && panic_stub.code != PANIC_FRAME_FREE)
        return "a bad free panicked with another code";
    return NULL;
}

static const char *run_reserve_free(struct machine *machine, struct byte_stream *stream)
{
    uint64_t choice = byte_stream_next(stream, 1);
    uint64_t number = choose_frame(machine, stream, choice);
    struct expected_reserve *reserve = &machine->expected_reserves[choice / 4 % RESERVE_COUNT];
    struct phys_addr frame = phys_addr(number * 4096);
    volatile bool panicked;
    bool own = number - reserve->first < 64 && reserve->taken[number - reserve->first];
    if (!own)
        oracle_empty_reserves_with(machine, number, 1);
    bool allowed = oracle_all_are(machine, number, 1, USED);
    catch_panic(panicked,
                frame_reserve_free(&machine->reserves[choice / 4 % RESERVE_COUNT], frame));
    if (allowed)
        machine->oracle[number] = own ? CACHED : FREE;
    return check_free(panicked, allowed);
}

static const char *run_free(struct machine *machine, struct byte_stream *stream)
{
    uint64_t choice = byte_stream_next(stream, 1);
    /* Three of four attempts begin at a used frame, and half of these free only used frames. */
    uint64_t first = choose_frame(machine, stream, choice);
    uint64_t count = 1 + byte_stream_next(stream, 1) % 100;
    volatile bool panicked;
    while (choice % 4 >= 2 && count > 1 && !oracle_all_are(machine, first, count, USED))
        count--;
    struct phys_addr base = phys_addr(first * 4096 + (choice == 255 ? 8 : 0));
    if (choice != 255)
        oracle_empty_reserves_with(machine, first, count);
    bool allowed = choice != 255 && oracle_all_are(machine, first, count, USED);
    if (count == 1)
        catch_panic(panicked, frame_allocator_free(&machine->frames, base));
    else
        catch_panic(panicked, frame_allocator_free_contiguous(&machine->frames, base, count));
    if (allowed)
        oracle_set(machine, first, count, FREE);
    return check_free(panicked, allowed);
}

static const char *run_reclaim(struct machine *machine, struct byte_stream *stream)
{
    uint64_t first = byte_stream_next(stream, 2) % ORACLE_FRAMES;
    uint64_t count = byte_stream_next(stream, 1) % 64;
    volatile bool panicked;
    volatile bool reclaimed = false;
    uint64_t first_but_frame_zero = first == 0 && count > 0 ? 1 : first;
    uint64_t real_count = first + count - first_but_frame_zero;
    bool allowed = oracle_all_are(machine, first_but_frame_zero, real_count, HELD);
    catch_panic(panicked, reclaimed = frame_allocator_reclaim(
                              &machine->frames, phys_range(first * 4096, (first + count) * 4096)));
    if (panicked == allowed)
        return allowed ? "a good reclaim panicked" : "a bad reclaim was accepted";
    if (panicked)
        return panic_stub.code == PANIC_FRAME_FREE ? NULL : "a bad reclaim panicked otherwise";
    if (!reclaimed)
        return machine->split_count >= FRAME_RECORDS_SPLITS_MAX ? NULL
                                                                : "a good reclaim was refused";
    machine->split_count++;
    oracle_set(machine, first_but_frame_zero, real_count, FREE);
    return NULL;
}

static const char *run_reclaim_reusable(struct machine *machine, struct byte_stream *stream)
{
    enum handoff_reuse reuse = (enum handoff_reuse)(byte_stream_next(stream, 1) % 7);
    uint64_t expected = 0;
    for (uint32_t i = 0; i < machine->regions.count; i++) {
        uint64_t first = machine->rows[i].base / 4096;
        uint64_t end = first + machine->rows[i].size_bytes / 4096;
        for (uint64_t frame = first; reuse != HANDOFF_REUSE_NEVER &&
                                     machine->rows[i].reuse == (uint32_t)reuse && frame < end;
             frame++) {
            if (machine->oracle[frame] == HELD) {
                machine->oracle[frame] = FREE;
                expected++;
            }
        }
    }
    return frame_allocator_reclaim_reusable(&machine->frames, reuse) == expected
               ? NULL
               : "another number of frames was reclaimed";
}

/* Make up to 16 rows below the large row, which always exists. */
static void read_small_map(struct machine *machine, struct byte_stream *stream)
{
    uint64_t count = byte_stream_next(stream, 1) % ROWS_MAX;
    uint64_t frame = 0;
    for (uint64_t i = 0; i < count; i++) {
        frame += byte_stream_next(stream, 1) % 100;
        uint64_t length = 1 + byte_stream_next(stream, 2) % 600;
        uint32_t type = draw_type(stream);
        machine->rows[machine->regions.count++] =
            region_make(frame * 4096, length * 4096, type, 0, 0xf);
        frame += length;
    }
    frame += byte_stream_next(stream, 1);
    machine->rows[machine->regions.count++] =
        region_make(frame * 4096, BIG_ROW_FRAMES * UINT64_C(4096), HANDOFF_REGION_USABLE, 0, 0xf);
}

static const char *run_operations(struct machine *machine, struct byte_stream *stream)
{
    const char *problem = compare(machine);
    while (problem == NULL && !byte_stream_is_empty(stream)) {
        uint64_t choice = byte_stream_next(stream, 1);
        if (choice < 100)
            problem = run_allocate(machine, stream);
        else if (choice < 120)
            problem = run_reserve_allocate(machine, stream);
        else if (choice < 150)
            problem = run_reserve_free(machine, stream);
        else if (choice < 236)
            problem = run_free(machine, stream);
        else if (choice < 252)
            problem = run_reclaim(machine, stream);
        else
            problem = run_reclaim_reusable(machine, stream);
        if (problem == NULL)
            problem = compare(machine);
    }
    return problem;
}

const char *frame_operations_run(const uint8_t *bytes, size_t size_bytes)
{
    struct byte_stream stream = {bytes, size_bytes, 0};
    struct machine *machine = calloc(1, sizeof(*machine));
    const char *problem = "the allocator could not be started";
    bool use_early_heap = byte_stream_next(&stream, 1) % 2 == 0;
    read_small_map(machine, &stream);
    if (start(machine, use_early_heap)) {
        fill_oracle(machine);
        problem = run_operations(machine, &stream);
        give_records_back(machine);
    }
    free(machine);
    return problem;
}

/* --- Hostile maps ----------------------------------------------------------------------------- */

static void read_hostile_map(struct machine *machine, struct byte_stream *stream)
{
    uint64_t end = 0;
    while (!byte_stream_is_empty(stream) && machine->regions.count < ROWS_MAX) {
        uint64_t choice = byte_stream_next(stream, 1);
        uint32_t type = (uint32_t)byte_stream_next(stream, choice % 8 == 0 ? 4 : 1);
        uint64_t base = byte_stream_next(stream, choice % 4 == 0 ? 8 : 3);
        uint64_t size_bytes = byte_stream_next(stream, choice % 4 == 1 ? 8 : 2);
        if (choice % 4 != 0)
            base = end + base * 4096;
        if (choice % 4 != 1)
            size_bytes *= 4096;
        /* Only this amount of memory exists and can be written. */
        if (type == HANDOFF_REGION_USABLE) {
            base %= MEMORY_BYTES / 2;
            size_bytes %= UINT64_C(1) << 33;
        } else {
            size_bytes = size_bytes >> 60 != 0 ? size_bytes : size_bytes % (UINT64_C(1) << 33);
        }
        machine->rows[machine->regions.count++] = region_make(base, size_bytes, type, 0, 0xf);
        end = base + size_bytes;
    }
}

static const char *check_given(const struct machine *machine, struct phys_addr frame)
{
    struct phys_range range = phys_range(frame.value, frame.value + 4096);
    if (frame.value == 0)
        return "frame 0 was given";
    if (!region_list_covers(&machine->regions, range, HANDOFF_REGION_USABLE))
        return "a frame was given that is not usable RAM";
    if (phys_range_overlaps(range, machine->frames.records.own))
        return "a frame of the records was given";
    return NULL;
}

static const char *use_hostile_machine(struct machine *machine)
{
    struct phys_addr taken[40];
    size_t count = 0;
    const char *problem = frame_allocator_check(&machine->frames);
    while (problem == NULL && count < 40 &&
           frame_allocator_allocate(&machine->frames, &taken[count])) {
        problem = check_given(machine, taken[count]);
        count++;
    }
    while (problem == NULL && count > 0)
        frame_allocator_free(&machine->frames, taken[--count]);
    return problem != NULL ? problem : frame_allocator_check(&machine->frames);
}

const char *frame_operations_run_hostile_map(const uint8_t *bytes, size_t size_bytes)
{
    struct byte_stream stream = {bytes, size_bytes, 0};
    struct machine *machine = calloc(1, sizeof(*machine));
    const char *problem = NULL;
    read_hostile_map(machine, &stream);
    if (start(machine, true)) {
        problem = use_hostile_machine(machine);
        give_records_back(machine);
    }
    free(machine);
    return problem;
}
