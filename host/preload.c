/*
 * preload.c - serve a program's malloc() family from this project's heap:
 *
 *     LD_PRELOAD=build/host/libheap_preload.so program
 *
 *   HANDOFF_HEAP        the policy: fast (default), best-fit or first-fit
 *   HANDOFF_HEAP_DEBUG  set to anything: remember who allocated and freed each block, and find
 *                       writes to freed blocks, at the end at the latest (heap_debug.h)
 *   HANDOFF_HEAP_STATS  set to anything: print the heap's figures when the program ends
 *   HANDOFF_HEAP_TRACE  record every call into this file, with the process's number added to its
 *                       name (host/trace.h)
 *
 * One heap, one lock. A fault is named on standard error, and the program aborts.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/owned_lock.h"
#include "host/trace.h"
#include "kernel/mm/heap/policy.h"
#include "shared/format.h"
#include "shared/power_of_two.h"

#define EXPORTED __attribute__((visibility("default")))

/* The policies' own limits are not far above. */
#define LIMIT_BYTES ((size_t)32 << 30)
/* The step in which pages become usable, and stay so: a system call for each 64 KiB would cost more
 * than the heap does. */
#define COMMIT_BYTES ((size_t)4 << 20)

static struct owned_lock heap_lock;
static struct heap heap;
static bool is_online;

/* --- What is said, without the C library's streams, which allocate -----------------------------
 */

/* Asked of the kernel directly: the library's write() would end a thread that is to be cancelled,
 * and the fault be forgotten. */
static void say(const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        long written = syscall(SYS_write, STDERR_FILENO, text, length);
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

static _Noreturn void give_up(const char *text)
{
    say(text);
    abort();
}

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
    size_t mapped_bytes;  /* a multiple of COMMIT_BYTES, or the limit */
    size_t written_bytes; /* of what is mapped, so much may have been the heap's before */
    size_t fresh_bytes;   /* of the last growth, so much at the end was not */
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

/* --- The start ----------------------------------------------------------------------------------
 */

static const struct heap_policy *chosen_policy(void)
{
    const char *name = getenv("HANDOFF_HEAP");
    if (name == NULL || name[0] == '\0')
        return &heap_policy_fast;
    const struct heap_policy *policy = heap_policy_by_name(name);
    if (policy == NULL)
        give_up("heap: HANDOFF_HEAP is no policy: fast, best-fit or first-fit\n");
    if (policy->frees_newest_only)
        give_up("heap: HANDOFF_HEAP=bump frees in reverse order alone, which no program does\n");
    return policy;
}

/* Called with the lock held, by whichever call is the first: the C library allocates before any
 * constructor runs. */
static void go_online(void)
{
    const struct heap_policy *policy = chosen_policy();
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
            .base = range.base,
            .limit_bytes = range.limit_bytes,
            .pages = {.grow = grow, .shrink = shrink, .fresh_bytes = fresh_bytes},
            .secret = random[0],
            .debug = getenv("HANDOFF_HEAP_DEBUG") != NULL,
            .fault = fault,
        };
        status = heap_initialise(&configuration, &heap);
    }
    if (status != HEAP_OK)
        give_up("heap: no memory to start with\n");
    trace_start(getenv("HANDOFF_HEAP_TRACE"));
    is_online = true;
}

static struct heap *lock(void)
{
    if (!owned_lock_take(&heap_lock))
        give_up("heap: a signal handler called the heap, and had interrupted the heap\n");
    if (__builtin_expect(!is_online, 0))
        go_online();
    return &heap;
}

static void unlock(void)
{
    owned_lock_release(&heap_lock);
}

/* --- fork() -------------------------------------------------------------------------------------
 *
 * A child has one thread; the lock must not be held by one that it does not have. Who writes to a
 * stream may hold its lock and allocate, and fork() takes the lock of the list of all streams, so
 * ours comes after that one, as the C library's own allocator's does. A signal handler may fork in
 * the middle of a call to the heap; the child then comes back into that call.
 */

/* The GNU C library's; NULL in another. */
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));
extern void _IO_list_resetlock(void) __attribute__((weak));

/* Changed under the heap's lock alone. */
static bool has_streams; /* fork() has locked them: not with one thread, nor does the library */
static unsigned forks_inside; /* of the heap: its lock is the interrupted call's */

static void before_fork(void)
{
    bool takes_streams = _IO_list_lock != NULL && !__libc_single_threaded;
    if (takes_streams)
        _IO_list_lock();
    if (!owned_lock_take(&heap_lock))
        forks_inside++;
    has_streams = takes_streams;
}

static bool is_fork_inside(void)
{
    if (forks_inside == 0)
        return false;
    forks_inside--;
    return true;
}

static void after_fork_in_parent(void)
{
    bool releases_streams = has_streams;
    if (!is_fork_inside())
        owned_lock_release(&heap_lock);
    if (releases_streams)
        _IO_list_unlock();
}

static void after_fork_in_child(void)
{
    owned_lock_inherit(&heap_lock, is_fork_inside());
    if (has_streams)
        _IO_list_resetlock();
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

/* Linked with -z initfirst: what is registered first locks last, when no other handler of fork()
 * allocates any more. The C library has no environment yet. */
__attribute__((constructor)) static void prepare(void)
{
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    expect_bad_access(SIGSEGV);
    expect_bad_access(SIGBUS);
}

static void say_figures(void)
{
    struct heap_statistics figures;
    heap_statistics(lock(), &figures);
    const char *policy = heap_policy_name(&heap);
    const char *problem = heap_check(&heap);
    unlock();
    char text[512];
    format_text(text, sizeof text,
                "heap: policy=%s size=%zu used=%zu peak=%zu blocks=%zu allocations=%llu "
                "frees=%llu failures=%llu check=%s\n",
                policy, figures.size_bytes, figures.used_bytes, figures.peak_used_bytes,
                figures.live_block_count, (unsigned long long)figures.allocation_count,
                (unsigned long long)figures.free_count, (unsigned long long)figures.failure_count,
                problem == NULL ? "passed" : problem);
    say(text);
}

__attribute__((destructor)) static void finish(void)
{
    if (getenv("HANDOFF_HEAP_TRACE") != NULL) { /* other threads may still record */
        (void)lock();
        trace_finish();
        unlock();
    }
    if (getenv("HANDOFF_HEAP_DEBUG") != NULL) {
        heap_trim(lock());
        unlock();
    }
    if (getenv("HANDOFF_HEAP_STATS") != NULL)
        say_figures();
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

/* The heap keeps what it keeps: `pad_bytes` asks for more than the free memory at its end that it
 * leaves there anyway. */
EXPORTED int malloc_trim(size_t pad_bytes)
{
    (void)pad_bytes;
    size_t before_bytes = lock()->size_bytes;
    heap_trim(&heap);
    bool is_smaller = heap.size_bytes < before_bytes;
    unlock();
    return is_smaller;
}
