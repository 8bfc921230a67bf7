/* Try each misuse many times, in a fresh heap each time, and count what no report and no check
 * shows:
 *
 *     detection TRIALS
 *
 * prints `POLICY LAYER TRIALS MISSED CRASHED NAME` for each misuse, with LAYER `off` or `debug`. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/mm/heap_policies.h"
#include "tests/detection/misuses.h"

#define SECONDS_A_TRIAL 5

static const char *const POLICIES[] = {"fast", "first-fit", "best-fit", "bump"};

/* Shared with the process that runs the trials, which a misuse may end. */
struct progress {
    uint64_t next; /* trial */
    uint64_t done_count;
    uint64_t missed_count;
};

struct row {
    const struct misuse *misuse;
    const struct heap_policy *policy;
    bool has_debug_layer;
};

static void run_trials(const struct row *row, uint64_t trial_count, struct progress *progress)
{
    static struct trial trial;
    if (row->misuse->prepare != NULL)
        row->misuse->prepare(&trial, row->policy, row->has_debug_layer);
    while (progress->next < trial_count) {
        (void)alarm(SECONDS_A_TRIAL);
        trial_start(&trial, row->policy, row->has_debug_layer, progress->next++);
        enum misuse_result result = row->misuse->attempt(&trial, row->misuse->size);
        progress->done_count += result != MISUSE_IMPOSSIBLE;
        progress->missed_count += result == MISUSE_MISSED;
    }
}

/* Run the trials that are left in a process of their own. True: a trial ended it by a signal. */
static bool run_apart(const struct row *row, uint64_t trial_count, struct progress *progress)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        run_trials(row, trial_count, progress);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child ||
        (WIFEXITED(status) && WEXITSTATUS(status) != 0)) {
        (void)fprintf(stderr, "detection: a process failed: %s\n", row->misuse->name);
        exit(2);
    }
    return WIFSIGNALED(status);
}

static void measure(const struct row *row, uint64_t trial_count, struct progress *progress)
{
    uint64_t crashed_count = 0;
    *progress = (struct progress){.next = 0};
    while (run_apart(row, trial_count, progress))
        crashed_count++;
    (void)printf(
        "%s %s %lu %lu %lu %s\n", row->policy->name, row->has_debug_layer ? "debug" : "off",
        (unsigned long)(progress->done_count + crashed_count),
        (unsigned long)progress->missed_count, (unsigned long)crashed_count, row->misuse->name);
    (void)fflush(stdout);
}

int main(int argument_count, char **arguments)
{
    uint64_t trial_count = argument_count == 2 ? strtoull(arguments[1], NULL, 10) : 0;
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trial_count == 0 || progress == MAP_FAILED) {
        (void)fprintf(stderr, "usage: detection TRIALS\n");
        return 2;
    }
    trial_map_memory();
    for (size_t i = 0; i < 2 * sizeof POLICIES / sizeof POLICIES[0] * MISUSE_COUNT; i++) {
        size_t policy = i / MISUSE_COUNT / 2;
        const struct row row = {&MISUSES[i % MISUSE_COUNT], heap_policies_find(POLICIES[policy]),
                                i / MISUSE_COUNT % 2 == 1};
        measure(&row, trial_count, progress);
    }
    return 0;
}
