#include "kernel/arch.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/diagnostics/sanitizer/address.h"
#include "kernel/mm/heap_setup.h"
#include "kernel/mm/kmalloc.h"
#include "shared/memory.h"
#include "shared/text/command_line.h"
#include "shared/text/format.h"

/* Return the secret of the heap's seals. Without a seed from the loader it is hard to guess, but
 * not random. */
static uint64_t choose_secret(const struct kernel *kernel)
{
    uint64_t secret = arch_timestamp() * UINT64_C(0x9e3779b97f4a7c15);
    if (!handoff_view_has_random_seed(&kernel->view)) {
        log_warning("heap", "the loader has no random seed: the time-stamp counter replaces it");
        return secret;
    }
    memcpy(&secret, kernel->handoff.random_seed, sizeof secret);
    return secret;
}

static void warn_of_setting(const struct kernel *kernel, const char *key, const char *warning)
{
    char value[32];
    if (warning == NULL)
        return;
    if (!command_line_value(kernel->view.command_line, key, value, sizeof value))
        value[0] = '\0'; /* no value, or one that is too long to print */
    log_warning("heap", "%s=%s %s: the default is used", key, value, warning);
}

static void warn_of_settings(const struct kernel *kernel,
                             const struct heap_settings_warnings *warnings)
{
    warn_of_setting(kernel, "heap_window", warnings->window);
    warn_of_setting(kernel, "heap_limit", warnings->limit);
    warn_of_setting(kernel, "heap_aslr", warnings->aslr);
    warn_of_setting(kernel, "heap_debug", warnings->debug);
    warn_of_setting(kernel, "heap_guard", warnings->guard);
    warn_of_setting(kernel, "heap_sample", warnings->sample);
}

/* A kernel with KASAN=1 has a shadow only for one window of limited size. */
static void restrict_settings(struct heap_settings *settings)
{
    if (settings->limit_bytes > ADDRESS_SHADOWED_BYTES)
        settings->limit_bytes = ADDRESS_SHADOWED_BYTES;
    if (settings->window_bytes > settings->limit_bytes)
        settings->window_bytes = settings->limit_bytes;
    if (ADDRESS_RED_ZONE_BYTES != 0)
        settings->guarded_bytes = 0;
}

/* The seed's second 8 bytes; the first are the secret of the seals. */
static struct heap_settings choose_settings(const struct kernel *kernel)
{
    uint64_t random;
    memcpy(&random, &kernel->handoff.random_seed[sizeof random], sizeof random);
    bool has_random = handoff_view_has_random_seed(&kernel->view);
    struct heap_settings settings;
    struct heap_settings_warnings warnings;
    heap_settings_choose(kernel->view.command_line,
                         frame_allocator_statistics(&kernel->frames).total_count * FRAME_SIZE_BYTES,
                         has_random ? &random : NULL, &settings, &warnings);
    restrict_settings(&settings);
    warn_of_settings(kernel, &warnings);
    return settings;
}

static void start_heap(struct kernel *kernel, const struct heap_settings *settings)
{
    struct heap_configuration configuration = heap_setup_configure(
        &kernel->heap_setup, settings, heap_window_page_source(&kernel->heap_window),
        heap_window_guarded_pages(&kernel->heap_window));
    configuration.secret = choose_secret(kernel);
    configuration.fault = kmalloc_fault;
    enum heap_status status = heap_initialise(&configuration, &kernel->heap);
    if (status != HEAP_OK)
        panic(PANIC_HEAP_INIT, "the permanent heap: %s", heap_status_name(status));
    kmalloc_online(kernel->heap);
}

static void print_heap_settings(const struct kernel *kernel, const struct heap_settings *settings)
{
    char guard[24] = "off";
    if (settings->guarded_bytes != 0 && settings->large_bytes != UINT64_MAX)
        format_text(guard, sizeof guard, "%llu", (unsigned long long)settings->large_bytes);
    log_line("heap",
             "base=%p window=%llu limit=%llu mapped=%llu policy=%s debug=%s aslr=%s online=yes "
             "guard=%s sample=%llu",
             (void *)settings->base.value, (unsigned long long)kernel->heap_window.window_bytes,
             (unsigned long long)settings->limit_bytes,
             (unsigned long long)kernel->heap_window.mapped_bytes, heap_policy_name(kernel->heap),
             settings->debug ? "on" : "off", settings->is_randomised ? "on" : "off", guard,
             (unsigned long long)(settings->guarded_bytes == 0 ? 0 : settings->sample_interval));
}

void boot_heap(struct kernel *kernel)
{
    boot_stage_begin(kernel, "kernel: heap");
    struct heap_settings settings = choose_settings(kernel);
    heap_window_initialise(&kernel->heap_window, &kernel->address_space, &settings);
    start_heap(kernel, &settings);
    print_heap_settings(kernel, &settings);
}
