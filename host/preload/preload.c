/*
 * preload.c - serve a program's malloc() family from this project's heap:
 *
 *     LD_PRELOAD=build/host/libheap_preload.so program
 *
 * The environment says how (host/preload/settings.h).
 *
 * One heap, one lock. A fault is named on standard error, and the program aborts.
 */
#include <errno.h>
#include <handoff/heap_best_fit.h>
#include <handoff/heap_debug.h>
#include <handoff/heap_fast.h>
#include <handoff/heap_first_fit.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/preload/fork.h"
#include "host/preload/heap_lock.h"
#include "host/preload/say.h"
#include "host/preload/settings.h"
#include "host/preload/trace.h"
#include "shared/text/format.h"
#include "shared/power_of_two.h"

#define EXPORTED __attribute__((visibility("default")))

/* The policies' own limits are not far above. */
#define LIMIT_BYTES ((size_t)32 << 30)
/* The step in which pages become usable, and stay so: a system call for each 64 KiB would cost more
 * than the heap does. */
#define COMMIT_BYTES ((size_t)4 << 20)

/* A handler that needs longer at the program's end may never return. */
#define END_WAIT_SECONDS 3

static union {
    struct heap_best_fit_storage best_fit;
    struct heap_fast_storage fast;
    struct heap_first_fit_storage first_fit;
} storage;
static struct heap_debug_storage debug_storage;
static struct heap *heap;
static bool is_online;
static struct settings settings;
static bool has_settings;

/* --- A fault ------------------------------------------------------------------------------------
 */

/* The lock goes first: who handles SIGABRT may allocate. */
static void fault(void *context, const struct heap_fault *found)
{
    (void)context;
    char text[512];
    bool is_range = found->free_bytes != 0;
    format_text(text, sizeof text,
                "heap: %s: %s; pointer %p, %s %p of %zu bytes, allocated by %p, freed by %p, found "
                "in a call from %p\n",
                heap_fault_kind_name(found->kind), found->detail, found->pointer,
                is_range ? "in free memory" : "block", found->block,
                is_range ? found->free_bytes : found->size_bytes, found->allocated_by,
                found->freed_by, found->caller);
    owned_lock_release(&heap_lock);
    give_up(text);
}

/* --- The page source ----------------------------------------------------------------------------
 *
 * Nothing is reserved: addresses count against RLIMIT_AS, and a program may lower that later. The
 * heap lies where neither the kernel nor a program puts anything unasked: far below the top of the
 * address space and mmap()'s place without a limit of the stack (a third of it), far above every
 * executable that is linked to a fixed address.
 */

#define FIRST_BASE      ((uintptr_t)0x240000000000)
#define BASE_STEP_BYTES ((uintptr_t)256 << 20)
#define BASE_COUNT      ((uintptr_t)8192) /* 2 TiB of choice */
#define BASE_TRIES      16

struct range {
    uint8_t *base;
    size_t limit_bytes;
    size_t used_bytes;
    size_t mapped_bytes;    /* a multiple of COMMIT_BYTES, or the limit */
    size_t written_bytes;   /* of what is mapped, so much may have been the heap's before */
    size_t fresh_bytes;     /* of the last growth, so much at the end was not */
    size_t discarded_pages; /* so far */
};

static struct range range;

static size_t mapped_for(size_t bytes)
{
    size_t rounded = (bytes + COMMIT_BYTES - 1) / COMMIT_BYTES * COMMIT_BYTES;
    return rounded < range.limit_bytes ? rounded : range.limit_bytes;
}

/* False also if somebody else's mapping is there. */
static bool map_at(uint8_t *start, size_t bytes)
{
    void *found = mmap(start, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (found == MAP_FAILED)
        return false;
    if (found != start) { /* a kernel before 4.17 takes the address as a wish */
        (void)munmap(found, bytes);
        return false;
    }
    return true;
}

static bool grow(void *context, size_t additional_bytes)
{
    (void)context;
    if (additional_bytes > range.limit_bytes - range.used_bytes)
        return false;
    size_t mapped_bytes = mapped_for(range.used_bytes + additional_bytes);
    if (mapped_bytes > range.mapped_bytes) {
        if (!map_at(range.base + range.mapped_bytes, mapped_bytes - range.mapped_bytes))
            return false;
        range.mapped_bytes = mapped_bytes;
    }
    range.used_bytes += additional_bytes;
    range.fresh_bytes =
        range.used_bytes > range.written_bytes ? range.used_bytes - range.written_bytes : 0;
    range.written_bytes += range.fresh_bytes;
    return true;
}

static size_t fresh_bytes(void *context)
{
    (void)context;
    return range.fresh_bytes;
}

static void shrink(void *context, size_t bytes)
{
    (void)context;
    range.used_bytes -= bytes;
    size_t keep_bytes = mapped_for(range.used_bytes) + COMMIT_BYTES;
    if (keep_bytes >= range.mapped_bytes)
        return;
    if (munmap(range.base + keep_bytes, range.mapped_bytes - keep_bytes) != 0)
        give_up("heap: the system does not take memory back\n");
    range.mapped_bytes = keep_bytes;
    if (range.written_bytes > keep_bytes)
        range.written_bytes = keep_bytes;
}

/* How many of these pages are in memory. */
static size_t resident_pages(uint8_t *start, size_t bytes)
{
    unsigned char states[1024];
    const size_t step_bytes = sizeof states * HEAP_PAGE_SIZE_BYTES;
    size_t count = 0;
    for (size_t done = 0; done < bytes; done += step_bytes) {
        size_t part_bytes = bytes - done < step_bytes ? bytes - done : step_bytes;
        if (mincore(start + done, part_bytes, states) != 0)
            return count;
        for (size_t i = 0; i < part_bytes / HEAP_PAGE_SIZE_BYTES; i++)
            count += states[i] & 1U;
    }
    return count;
}

/* Pages that are locked stay, as whoever locked them wants. */
static void discard(void *context, size_t offset_bytes, size_t bytes)
{
    (void)context;
    size_t page_count = resident_pages(range.base + offset_bytes, bytes);
    if (madvise(range.base + offset_bytes, bytes, MADV_DONTNEED) == 0)
        range.discarded_pages += page_count;
}

/* --- The start ----------------------------------------------------------------------------------
 */

/* By the constructor, or with the lock held by the first call, if that comes earlier. */
static void read_settings(char *const *environment)
{
    if (has_settings)
        return;
    say_prepare();
    settings = settings_read(environment);
    if (settings.has_statistics || settings.is_debugged)
        say_keep(); /* both speak at the end, when many programs have closed standard error */
    has_settings = true;
}

/* Called with the lock held, by whichever call is the first: the C library allocates before any
 * constructor runs. */
static void go_online(void)
{
    read_settings(environ);
    const struct heap_policy *policy = settings.policy;
    range.limit_bytes = policy->maximum_bytes < LIMIT_BYTES
                            ? policy->maximum_bytes / COMMIT_BYTES * COMMIT_BYTES
                            : LIMIT_BYTES;

    uint64_t random[2];
    if (getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random) {
        random[0] = (uintptr_t)&random;
        random[1] = (uintptr_t)getpid();
    }
    enum heap_status status = HEAP_NO_MEMORY;
    for (unsigned i = 0; i < BASE_TRIES && status == HEAP_NO_MEMORY; i++) {
        range.base = (uint8_t *)(FIRST_BASE + (random[1] + i) % BASE_COUNT * BASE_STEP_BYTES);
        const struct heap_configuration configuration = {
            .policy = policy,
            .storage = &storage,
            .storage_bytes = sizeof storage,
            .base = range.base,
            .limit_bytes = range.limit_bytes,
            .pages = {.grow = grow,
                      .shrink = shrink,
                      .fresh_bytes = fresh_bytes,
                      .discard = discard},
            .secret = random[0],
            .debug = settings.is_debugged ? heap_debug_layer(&debug_storage) : NULL,
            .fault = fault,
        };
        status = heap_initialise(&configuration, &heap);
    }
    if (status != HEAP_OK)
        give_up("heap: no memory to start with\n");
    trace_start(settings.trace_path);
    is_online = true;
}

static struct heap *lock(void)
{
    heap_lock_take();
    if (__builtin_expect(!is_online, 0))
        go_online();
    return heap;
}

static void unlock(void)
{
    owned_lock_release(&heap_lock);
}

/* --- A heap that lost its own memory
 * --------------------------------------------------------------
 *
 * A long overrun also destroys what the heap itself keeps between the blocks, and a pointer there
 * is followed before the overrun block's canary is looked at. The program dies of it as it would
 * have without this handler, but not without a word.
 */

static void on_bad_access(int number, siginfo_t *access, void *interrupted)
{
    (void)interrupted;
    bool is_access = access->si_code > 0; /* else somebody has sent the signal */
    if (is_access && owned_lock_is_own(&heap_lock)) {
        char text[160];
        format_text(text, sizeof text,
                    "heap: corrupt: the heap's own memory was overwritten or taken away; it led to "
                    "%p\n",
                    access->si_addr);
        say(text);
    }
    /* Back at the instruction, it ends the program. One that was sent has none to come back to, and
     * arrives again. */
    struct sigaction action = {.sa_handler = SIG_DFL};
    (void)sigaction(number, &action, NULL);
    if (!is_access)
        (void)raise(number);
}

/* A program that has a handler of its own replaces this one. Who started the program may have it
 * ignore the signal. */
static void expect_bad_access(int number)
{
    struct sigaction action, found;
    action = (struct sigaction){.sa_sigaction = on_bad_access, .sa_flags = SA_SIGINFO};
    if (sigaction(number, NULL, &found) == 0 && found.sa_handler == SIG_DFL)
        (void)sigaction(number, &action, NULL);
}

/* Linked with -z initfirst: no other constructor has run, the C library's neither. */
__attribute__((constructor)) static void prepare(int argument_count, char **arguments,
                                                 char **environment)
{
    (void)argument_count;
    (void)arguments;
    owned_lock_prepare(&heap_lock);
    read_settings(environment);
    fork_prepare();
    expect_bad_access(SIGSEGV);
    expect_bad_access(SIGBUS);
}

/* "" if they were not asked for. */
static void format_figures(char *text, size_t capacity_bytes)
{
    text[0] = '\0';
    if (!settings.has_statistics)
        return;
    struct heap_statistics figures;
    heap_statistics(heap, &figures);
    const char *problem = heap_check(heap);
    format_text(text, capacity_bytes,
                "heap: policy=%s size=%zu used=%zu peak=%zu blocks=%zu allocations=%llu "
                "frees=%llu failures=%llu check=%s\n",
                heap_policy_name(heap), figures.size_bytes, figures.used_bytes,
                figures.peak_used_bytes, figures.live_block_count,
                (unsigned long long)figures.allocation_count,
                (unsigned long long)figures.free_count, (unsigned long long)figures.failure_count,
                problem == NULL ? "passed" : problem);
}

/* exit() may come in a signal handler that interrupted the heap, or while another thread waits in
 * such a handler. The heap's end must not become the program's. */
static bool lock_at_end(void)
{
    enum owned_lock_result result = owned_lock_take_within(&heap_lock, END_WAIT_SECONDS);
    if (result == OWNED_LOCK_TAKEN)
        return true;
    say(result == OWNED_LOCK_OWNER_IS_GONE
            ? "heap: no figures, no last check and no end of the trace: this process was made by "
              "_Fork() or clone() while another thread was in the heap\n"
            : "heap: no figures, no last check and no end of the trace: a signal handler that "
              "interrupted the heap has ended the program, or has not returned\n");
    return false;
}

__attribute__((destructor)) static void finish(void)
{
    bool has_work = settings.trace_path != NULL || settings.is_debugged || settings.has_statistics;
    if (!has_work || !lock_at_end())
        return;
    if (!is_online)
        go_online();
    trace_finish(); /* under the lock: other threads may still record */
    if (settings.is_debugged)
        heap_trim(heap);
    char text[512];
    format_figures(text, sizeof text);
    unlock();                 /* a thread of this program may be what reads its standard error */
    (void)say_to_first(text); /* no file that the program has opened since gets it */
}

/* --- The family ---------------------------------------------------------------------------------
 */

static void *or_error(void *block)
{
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

EXPORTED void *malloc(size_t size_bytes)
{
    void *block = heap_allocate(lock(), size_bytes, HEAP_CALLER);
    trace_allocate(block, size_bytes);
    unlock();
    return or_error(block);
}

EXPORTED void free(void *block)
{
    int error = errno; /* which POSIX wants kept */
    heap_free(lock(), block, HEAP_CALLER);
    trace_free(block);
    unlock();
    errno = error;
}

EXPORTED void *calloc(size_t count, size_t element_bytes)
{
    void *block = heap_allocate_zeroed(lock(), count, element_bytes, HEAP_CALLER);
    trace_allocate(block, count * element_bytes);
    unlock();
    return or_error(block);
}

static void *reallocate(void *block, size_t size_bytes, const void *caller)
{
    void *moved = heap_reallocate(lock(), block, size_bytes, caller);
    trace_reallocate(block, moved, size_bytes);
    unlock();
    return block != NULL && size_bytes == 0 ? NULL : or_error(moved);
}

EXPORTED void *realloc(void *block, size_t size_bytes)
{
    return reallocate(block, size_bytes, HEAP_CALLER);
}

EXPORTED void *reallocarray(void *block, size_t count, size_t element_bytes)
{
    size_t size_bytes;
    if (__builtin_mul_overflow(count, element_bytes, &size_bytes))
        return or_error(NULL);
    return reallocate(block, size_bytes, HEAP_CALLER);
}

static void *allocate_aligned(size_t alignment_bytes, size_t size_bytes, const void *caller)
{
    void *block = heap_allocate_aligned(lock(), size_bytes, alignment_bytes, caller);
    trace_allocate(block, size_bytes);
    unlock();
    return block;
}

EXPORTED int posix_memalign(void **ret_block, size_t alignment_bytes, size_t size_bytes)
{
    if (!is_power_of_two(alignment_bytes) || alignment_bytes % sizeof(void *) != 0)
        return EINVAL;
    void *block = allocate_aligned(alignment_bytes, size_bytes, HEAP_CALLER);
    if (or_error(block) == NULL)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

EXPORTED void *memalign(size_t alignment_bytes, size_t size_bytes)
{
    if (!is_power_of_two(alignment_bytes)) {
        errno = EINVAL;
        return NULL;
    }
    return or_error(allocate_aligned(alignment_bytes, size_bytes, HEAP_CALLER));
}

EXPORTED void *aligned_alloc(size_t alignment_bytes, size_t size_bytes)
{
    if (!is_power_of_two(alignment_bytes)) {
        errno = EINVAL;
        return NULL;
    }
    return or_error(allocate_aligned(alignment_bytes, size_bytes, HEAP_CALLER));
}

EXPORTED void *valloc(size_t size_bytes)
{
    return or_error(allocate_aligned(HEAP_PAGE_SIZE_BYTES, size_bytes, HEAP_CALLER));
}

EXPORTED void *pvalloc(size_t size_bytes)
{
    size_t rounded_bytes;
    if (__builtin_add_overflow(size_bytes, HEAP_PAGE_SIZE_BYTES - 1, &rounded_bytes))
        return or_error(NULL);
    rounded_bytes -= rounded_bytes % HEAP_PAGE_SIZE_BYTES;
    return or_error(allocate_aligned(HEAP_PAGE_SIZE_BYTES, rounded_bytes, HEAP_CALLER));
}

EXPORTED size_t malloc_usable_size(void *block)
{
    size_t size_bytes = heap_usable_size(lock(), block, HEAP_CALLER);
    unlock();
    return size_bytes;
}

/* --- What the GNU C library has besides. mallopt() and malloc_info() stay its own: they speak of
 * an allocator that serves nobody here. */

EXPORTED struct mallinfo2 mallinfo2(void)
{
    struct heap_statistics figures;
    heap_statistics(lock(), &figures);
    unlock();
    return (struct mallinfo2){
        .arena = figures.size_bytes,
        .ordblks = figures.free_block_count,
        .uordblks = figures.used_bytes,
        .fordblks = figures.size_bytes - figures.used_bytes,
    };
}

/* Its fields are too small for a large heap: they then say the most that they can. */
static int clamped(size_t value)
{
    return value < INT_MAX ? (int)value : INT_MAX;
}

EXPORTED struct mallinfo mallinfo(void)
{
    struct mallinfo2 figures = mallinfo2();
    return (struct mallinfo){
        .arena = clamped(figures.arena),
        .ordblks = clamped(figures.ordblks),
        .uordblks = clamped(figures.uordblks),
        .fordblks = clamped(figures.fordblks),
    };
}

/* In the words of the library's, which programs look for. */
EXPORTED void malloc_stats(void)
{
    struct mallinfo2 figures = mallinfo2();
    char text[256];
    format_text(text, sizeof text,
                "Total (incl. mmap):\nsystem bytes     = %10zu\nin use bytes     = %10zu\n"
                "max mmap regions = %10u\nmax mmap bytes   = %10u\n",
                figures.arena, figures.uordblks, 0U, 0U);
    say(text);
}

/* Whole free pages go back, wherever they lie, and what is mapped for the heap to grow into.
 * `pad_bytes` asks for more free memory at the end than the heap leaves there anyway. */
EXPORTED int malloc_trim(size_t pad_bytes)
{
    (void)pad_bytes;
    int error = errno;
    struct heap *trimmed = lock();
    size_t size_bytes = heap_size_bytes(trimmed);
    size_t discarded_pages = range.discarded_pages;
    heap_trim(trimmed);
    discard(NULL, range.used_bytes, range.mapped_bytes - range.used_bytes);
    bool has_given =
        heap_size_bytes(trimmed) < size_bytes || range.discarded_pages > discarded_pages;
    unlock();
    errno = error;
    return has_given;
}
