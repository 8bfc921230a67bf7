/*
 * Run millions of random operations on a heap and its oracle: heap_operations POLICY COUNT [SEED]
 *
 * The operations run in episodes. Each episode has a new heap and a seed. SEED is the seed of the
 * first episode (default: 1). HEAP_LAYERS in the environment lists layers over the policy, by name,
 * separated by commas. The program prints one line of `key=value`. After a failure the line has the
 * seed of the episode, with which the episode can be repeated.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/mm/heap/include/handoff/heap_debug.h"
#include "kernel/mm/heap_policies.h"
#include "tests/unit/support/heap_episode.h"

#define OPERATIONS_PER_EPISODE 50000u
#define OPERATIONS_PER_CHECK   16u

static void switch_on_debug(struct heap_configuration *configuration)
{
    static struct heap_debug_storage debug;
    configuration->debug = heap_debug_layer(&debug);
}

static const struct layer {
    const char *name;
    void (*switch_on)(struct heap_configuration *configuration);
} LAYERS[] = {
    {"debug", switch_on_debug},
};

static bool names(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += length) {
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

static void switch_on_layers(struct heap_configuration *configuration)
{
    const char *list = getenv("HEAP_LAYERS");
    for (size_t i = 0; list != NULL && i < sizeof LAYERS / sizeof LAYERS[0]; i++) {
        if (names(list, LAYERS[i].name))
            LAYERS[i].switch_on(configuration);
    }
}

static int run(const struct heap_policy *policy, uint64_t operation_count, uint64_t first_seed)
{
    struct heap_episode_counts counts = {0};
    struct heap_episode episode = {
        .policy = policy,
        .operations_per_check = OPERATIONS_PER_CHECK,
        .configure = switch_on_layers,
    };
    uint64_t seed = first_seed;
    for (; counts.operations < operation_count; seed++) {
        uint64_t left = operation_count - counts.operations;
        episode.seed = seed;
        episode.operation_count =
            left < OPERATIONS_PER_EPISODE ? (unsigned)left : OPERATIONS_PER_EPISODE;
        const char *problem = heap_episode_run(&episode, &counts);
        if (problem != NULL) {
            (void)printf("policy=%s seed=%llu failed: %s (in all %llu operations)\n", policy->name,
                         (unsigned long long)seed, problem, (unsigned long long)counts.operations);
            return EXIT_FAILURE;
        }
    }
    (void)printf("policy=%s operations=%llu episodes=%llu full_checks=%llu misuses=%llu "
                 "failures=%llu growths=%llu\n",
                 policy->name, (unsigned long long)counts.operations,
                 (unsigned long long)(seed - first_seed), (unsigned long long)counts.full_checks,
                 (unsigned long long)counts.misuses, (unsigned long long)counts.failures,
                 (unsigned long long)counts.growths);
    return EXIT_SUCCESS;
}

int main(int argument_count, char **arguments)
{
    const struct heap_policy *policy = argument_count < 3 ? NULL : heap_policies_find(arguments[1]);
    if (policy == NULL) {
        (void)fputs("usage: heap_operations bump|first-fit|best-fit|fast COUNT [SEED]\n", stderr);
        return EXIT_FAILURE;
    }
    uint64_t first_seed = argument_count > 3 ? strtoull(arguments[3], NULL, 10) : 1;
    return run(policy, strtoull(arguments[2], NULL, 10), first_seed);
}
