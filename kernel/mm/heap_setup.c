#include "kernel/mm/heap_setup.h"

static struct heap_layer *guarded(struct heap_setup *setup, const struct heap_settings *settings,
                                  struct guarded_pages pages)
{
    const struct guarded_configuration configuration = {
        .base = (void *)settings->guarded_base.value,
        .window_bytes = settings->guarded_bytes,
        .large_bytes = settings->large_bytes,
        .sample_interval = settings->sample_interval,
        .pages = pages,
    };
    return guarded_layer(&setup->guarded, &configuration);
}

struct heap_configuration heap_setup_configure(struct heap_setup *setup,
                                               const struct heap_settings *settings,
                                               struct heap_page_source pages,
                                               struct guarded_pages guarded_pages)
{
    struct heap_configuration configuration = {
        .policy = settings->policy,
        .storage = &setup->policy,
        .storage_bytes = sizeof setup->policy,
        .base = (void *)settings->base.value,
        .limit_bytes = settings->limit_bytes,
        .pages = pages,
    };
    if (settings->debug)
        configuration.debug = heap_debug_layer(&setup->debug);
    if (settings->guarded_bytes != 0)
        configuration.guarded = guarded(setup, settings, guarded_pages);
    return configuration;
}
