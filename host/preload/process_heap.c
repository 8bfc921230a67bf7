#include "host/preload/process_heap.h"

#include <handoff/heap_best_fit.h>
#include <handoff/heap_debug.h>
#include <handoff/heap_fast.h>
#include <handoff/heap_first_fit.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/preload/page_source.h"
#include "host/preload/say.h"
#include "host/preload/settings.h"
#include "host/preload/trace.h"
#include "shared/text/format.h"

/* The limits of the policies are not much higher. */
#define LIMIT_BYTES ((size_t)32 << 30)
#define BASE_TRIES  16

/* A handler that needs longer than this at the program's end may never return. */
#define END_WAIT_SECONDS 3

struct heap *process_heap_online;

static union {
    struct heap_best_fit_storage best_fit;
    struct heap_fast_storage fast;
    struct heap_first_fit_storage first_fit;
} storage;
static struct heap_debug_storage debug_storage;
static struct settings settings;
static bool has_settings;

/* Release the lock first, since a handler of SIGABRT may allocate. */
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

/* --- The start -------------------------------------------------------------------------------- */

void process_heap_read_settings(char *const *environment)
{
    if (has_settings)
        return;
    say_prepare();
    settings = settings_read(environment);
    if (settings.has_statistics || settings.is_debugged)
        say_keep(); /* both print at the end, when many programs have closed standard error */
    has_settings = true;
}

/* For a base, and for the secret. */
struct randomness {
    uint64_t base;
    uint64_t secret;
};

static struct randomness get_randomness(void)
{
    struct randomness random;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = (struct randomness){.base = (uintptr_t)getpid(), .secret = (uintptr_t)&random};
    return random;
}

static enum heap_status try_base(uint64_t base, uint64_t secret)
{
    const struct heap_policy *policy = settings.policy;
    size_t most_bytes = policy->maximum_bytes < LIMIT_BYTES ? policy->maximum_bytes : LIMIT_BYTES;
    size_t limit_bytes = page_source_limit(most_bytes);
    const struct heap_configuration configuration = {
        .policy = policy,
        .storage = &storage,
        .storage_bytes = sizeof storage,
        .base = page_source_begin(base, limit_bytes),
        .limit_bytes = limit_bytes,
        .pages = page_source(),
        .secret = secret,
        .debug = settings.is_debugged ? heap_debug_layer(&debug_storage) : NULL,
        .fault = fault,
    };
    return heap_initialise(&configuration, &process_heap_online);
}

/* The first call of any function calls this, since the C library allocates before any constructor
 * runs. */
void process_heap_start(void)
{
    process_heap_read_settings(environ);
    struct randomness random = get_randomness();
    enum heap_status status = HEAP_NO_MEMORY;
    for (unsigned i = 0; i < BASE_TRIES && status == HEAP_NO_MEMORY; i++)
        status = try_base(random.base + i, random.secret);
    if (status != HEAP_OK)
        give_up("heap: there is no memory to start the heap\n");
    trace_start(settings.trace_path);
}

/* --- The end ---------------------------------------------------------------------------------- */

/* Write the figures; an empty text if they are switched off. */
static void format_figures(char *text, size_t capacity_bytes)
{
    text[0] = '\0';
    if (!settings.has_statistics)
        return;
    struct heap_statistics figures;
    heap_statistics(process_heap_online, &figures);
    const char *problem = heap_check(process_heap_online);
    format_text(text, capacity_bytes,
                "heap: policy=%s size=%zu used=%zu peak=%zu blocks=%zu allocations=%llu "
                "frees=%llu failures=%llu check=%s\n",
                heap_policy_name(process_heap_online), figures.size_bytes, figures.used_bytes,
                figures.peak_used_bytes, figures.live_block_count,
                (unsigned long long)figures.allocation_count,
                (unsigned long long)figures.free_count, (unsigned long long)figures.failure_count,
                problem == NULL ? "passed" : problem);
}

/* A signal handler that interrupted the heap may call exit(). Another thread may also wait in such
 * a handler. The program must end normally in both cases. */
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

void process_heap_finish(void)
{
    bool has_work = settings.trace_path != NULL || settings.is_debugged || settings.has_statistics;
    if (!has_work || !lock_at_end())
        return;
    if (process_heap_online == NULL)
        process_heap_start();
    trace_finish(); /* under the lock: other threads may still record */
    if (settings.is_debugged)
        heap_trim(process_heap_online);
    char text[512];
    format_figures(text, sizeof text);
    process_heap_unlock();    /* another thread may read this standard error */
    (void)say_to_first(text); /* no file that the program has opened since gets it */
}
