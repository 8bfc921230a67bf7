#include "kernel/mm/heap_settings.h"

#include <stddef.h>

#include "kernel/mm/layout.h"
#include "shared/text/command_line.h"
#include "shared/page_table.h"
#include "shared/text/text.h"

/* A window begins at a multiple of the largest page that could ever map a part of it. */
#define PLACE_BYTES (UINT64_C(2) << 20)

/* Return the value of `key`, or `otherwise`. Warn if the value cannot be used. */
static uint64_t size_setting(const char *command_line, const char *key, uint64_t otherwise,
                             const char **ret_warning)
{
    uint64_t bytes;
    if (!command_line_mentions(command_line, key))
        return otherwise;
    if (command_line_number(command_line, key, &bytes) && bytes % PAGE_SIZE_BYTES == 0 &&
        bytes >= HEAP_SETTINGS_MINIMUM_BYTES && bytes <= HEAP_SETTINGS_MAXIMUM_BYTES)
        return bytes;
    *ret_warning = "is not a multiple of 4096 from 1M to 32G";
    return otherwise;
}

static uint64_t limit_for(uint64_t window_bytes, uint64_t ram_bytes)
{
    uint64_t bytes = ram_bytes / 4;
    if (bytes > HEAP_SETTINGS_LIMIT_BYTES)
        bytes = HEAP_SETTINGS_LIMIT_BYTES;
    bytes -= bytes % window_bytes;
    return bytes < window_bytes ? window_bytes : bytes;
}

/* The first place stays free, so there is an unmapped page below each window. */
static struct virt_addr random_base(uint64_t random, uint64_t limit_bytes)
{
    uint64_t place_count =
        (LAYOUT_HEAP_WINDOW_END - LAYOUT_HEAP_WINDOW_BASE - limit_bytes) / PLACE_BYTES - 1;
    return virt_addr(LAYOUT_HEAP_WINDOW_BASE + (1 + random % place_count) * PLACE_BYTES);
}

/* Use other bits of the random number, so that one base does not reveal the other. */
static struct virt_addr random_guarded_base(uint64_t random)
{
    uint64_t place_count =
        (LAYOUT_GUARDED_HEAP_END - LAYOUT_GUARDED_HEAP_BASE - HEAP_SETTINGS_GUARDED_BYTES) /
            PLACE_BYTES -
        1;
    return virt_addr(LAYOUT_GUARDED_HEAP_BASE + (1 + (random >> 32) % place_count) * PLACE_BYTES);
}

/* `heap_guard=`: a size, or off. */
static uint64_t large_setting(const char *command_line, const char **ret_warning)
{
    char value[8];
    uint64_t bytes;
    if (!command_line_mentions(command_line, "heap_guard"))
        return HEAP_SETTINGS_LARGE_BYTES;
    if (command_line_value(command_line, "heap_guard", value, sizeof value) &&
        text_equal(value, "off"))
        return UINT64_MAX;
    if (command_line_number(command_line, "heap_guard", &bytes) &&
        bytes >= HEAP_SETTINGS_LARGE_MINIMUM_BYTES)
        return bytes;
    *ret_warning = "is neither off nor a size of at least 4K";
    return HEAP_SETTINGS_LARGE_BYTES;
}

static uint64_t sample_setting(const char *command_line, const char **ret_warning)
{
    uint64_t interval;
    if (!command_line_mentions(command_line, "heap_sample"))
        return HEAP_SETTINGS_SAMPLE_INTERVAL;
    if (command_line_number(command_line, "heap_sample", &interval) &&
        interval <= HEAP_SETTINGS_SAMPLE_INTERVAL_MAXIMUM)
        return interval;
    *ret_warning = "is not a number from 0 to 1000000000";
    return HEAP_SETTINGS_SAMPLE_INTERVAL;
}

static bool switch_setting(const char *command_line, const char *key, bool is_on_by_default,
                           const char **ret_warning)
{
    char value[8] = "";
    if (!command_line_mentions(command_line, key))
        return is_on_by_default;
    bool is_known = command_line_value(command_line, key, value, sizeof value) &&
                    (text_equal(value, "off") || text_equal(value, "on"));
    if (!is_known)
        *ret_warning = "is neither on nor off";
    return is_known ? text_equal(value, "on") : is_on_by_default;
}

static const struct heap_policy *policy_setting(const char *command_line)
{
    char name[16] = "";
    (void)command_line_value(command_line, "heap", name, sizeof name);
    const struct heap_policy *policy = heap_policies_find(name);
    return policy != NULL ? policy : &heap_policy_fast;
}

/* True if some blocks are between guard pages. */
static bool has_guarded(const struct heap_settings *settings)
{
    return !settings->policy->frees_newest_only &&
           (settings->large_bytes != UINT64_MAX || settings->sample_interval != 0);
}

void heap_settings_choose(const char *command_line, uint64_t ram_bytes, const uint64_t *random,
                          struct heap_settings *ret_settings,
                          struct heap_settings_warnings *ret_warnings)
{
    struct heap_settings_warnings warnings = {NULL, NULL, NULL, NULL, NULL, NULL};
    struct heap_settings settings = {.policy = policy_setting(command_line),
                                     .base = virt_addr(LAYOUT_HEAP_WINDOW_BASE),
                                     .guarded_base = virt_addr(LAYOUT_GUARDED_HEAP_BASE)};
    settings.window_bytes =
        size_setting(command_line, "heap_window", HEAP_SETTINGS_WINDOW_BYTES, &warnings.window);
    settings.limit_bytes = size_setting(
        command_line, "heap_limit", limit_for(settings.window_bytes, ram_bytes), &warnings.limit);
    /* A low limit also reduces the window. The window is only the heap's first part, not a promise.
     */
    if (settings.window_bytes > settings.limit_bytes)
        settings.window_bytes = settings.limit_bytes;
    if (switch_setting(command_line, "heap_aslr", true, &warnings.aslr) && random != NULL) {
        settings.base = random_base(*random, settings.limit_bytes);
        settings.guarded_base = random_guarded_base(*random);
        settings.is_randomised = true;
    }
    settings.debug = switch_setting(command_line, "heap_debug", false, &warnings.debug);
    settings.large_bytes = large_setting(command_line, &warnings.guard);
    settings.sample_interval = sample_setting(command_line, &warnings.sample);
    if (has_guarded(&settings))
        settings.guarded_bytes = HEAP_SETTINGS_GUARDED_BYTES;
    *ret_settings = settings;
    *ret_warnings = warnings;
}
