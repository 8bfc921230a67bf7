/*
 * An attacker who reads one header and forges another.
 *
 * He owns a block, knows the whole program, and can write his block's bytes. He writes a header
 * inside of the block, so that the rest of the block looks like a block of its own, and frees that.
 * All but the seal of this header is known. He practises on heaps with other secrets. There he
 * compares the header of his block with that of a real block in the same place. For each of several
 * places he learns the most frequent difference, by subtraction and by exclusive or. Then he reads
 * his block's header, adds the difference, and has one try.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/mm/heap/layers/heap_debug_record.h"
#include "tests/detection/misuses.h"

#define PRACTICE_COUNT   300
#define LEAST_STEP_BYTES ((size_t)512)
#define STEP_COUNT       6
#define HEADER_BYTES_MAX 32
#define WHOLE_UNITS      1500
#define DIFFERENCE_COUNT 2

/* How he forges. */
struct plan {
    size_t step_bytes; /* from his block to the forged one */
    bool is_sum;       /* add `difference`; false: exclusive or */
    uint64_t difference;
    unsigned successes;                 /* in practice */
    uint8_t rest[HEADER_BYTES_MAX - 8]; /* of a header of 32 bytes, behind its first word */
    size_t header_bytes;
    size_t layer_bytes; /* that the debug layer adds to each request */
};

static struct plan best;

static uint64_t read_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Return the size of a block that fills this many units and leaves no byte behind its end. */
static size_t whole_bytes(const struct plan *plan, size_t units)
{
    return units * 16 - plan->header_bytes - plan->layer_bytes;
}

/* Find the header words of the whole block, and of a real block a step behind its start. False: the
 * heap places that block elsewhere. */
static bool practise_once(struct trial *trial, struct plan *plan, uint64_t words[2])
{
    size_t step_units = plan->step_bytes / 16;
    struct trial_block *whole = trial_allocate(trial, whole_bytes(plan, WHOLE_UNITS));
    uint8_t *forged_start = whole->start + plan->step_bytes;
    words[0] = read_word(whole->start - plan->header_bytes);
    trial_free(trial, whole);
    heap_trim(trial->heap);
    (void)trial_allocate(trial, whole_bytes(plan, step_units));
    uint8_t *start = trial_allocate(trial, whole_bytes(plan, WHOLE_UNITS - step_units))->start;
    words[1] = read_word(start - plan->header_bytes);
    memcpy(plan->rest, start - plan->header_bytes + 8, plan->header_bytes - 8);
    return start == forged_start;
}

static int compare_words(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Return how often the most frequent of the words occurs, and the word. */
static unsigned most_frequent(uint64_t *words, size_t count, uint64_t *ret_word)
{
    unsigned most = 0, run = 0;
    qsort(words, count, sizeof words[0], compare_words);
    for (size_t i = 0; i < count; i++) {
        run = i > 0 && words[i] == words[i - 1] ? run + 1 : 1;
        if (run > most) {
            most = run;
            *ret_word = words[i];
        }
    }
    return most;
}

/* Practise with one step, and keep the plan if it is the best so far. */
static void practise_step(struct trial *trial, const struct heap_policy *policy, struct plan plan)
{
    static uint64_t differences[DIFFERENCE_COUNT][PRACTICE_COUNT];
    uint64_t words[2];
    for (size_t i = 0; i < PRACTICE_COUNT; i++) {
        trial_start(trial, policy, plan.layer_bytes != 0, UINT64_C(1) << 40 | i);
        if (!practise_once(trial, &plan, words))
            return;
        differences[0][i] = words[1] ^ words[0];
        differences[1][i] = words[1] - words[0];
    }
    for (unsigned kind = 0; kind < DIFFERENCE_COUNT; kind++) {
        plan.is_sum = kind == 1;
        plan.successes = most_frequent(differences[kind], PRACTICE_COUNT, &plan.difference);
        if (plan.successes > best.successes)
            best = plan;
    }
}

void forgery_practise(struct trial *trial, const struct heap_policy *policy, bool has_debug_layer)
{
    best = (struct plan){.successes = 0};
    for (unsigned step = 0; step < STEP_COUNT; step++) {
        const struct plan plan = {
            .step_bytes = LEAST_STEP_BYTES << step,
            .header_bytes = strcmp(policy->name, "best-fit") == 0 ? HEADER_BYTES_MAX : 8,
            .layer_bytes = has_debug_layer ? HEAP_DEBUG_OVERHEAD_BYTES : 0,
        };
        practise_step(trial, policy, plan);
    }
}

/* Missed means here that the free accepts the forged block. A later check may still find it. */
enum misuse_result forgery_attempt(struct trial *trial, size_t unused)
{
    (void)unused;
    if (best.successes == 0)
        return MISUSE_IMPOSSIBLE;
    const uint8_t *whole = trial_allocate(trial, whole_bytes(&best, WHOLE_UNITS))->start;
    uint64_t read = read_word(whole - best.header_bytes);
    uint64_t forged = best.is_sum ? read + best.difference : read ^ best.difference;
    uint8_t *block = (uint8_t *)(uintptr_t)whole + best.step_bytes;
    memcpy(block - best.header_bytes, &forged, sizeof forged);
    memcpy(block - best.header_bytes + 8, best.rest, best.header_bytes - 8);
    heap_free(trial->heap, block, TRIAL_CALLER);
    return trial->fault_count != 0 ? MISUSE_FOUND : MISUSE_MISSED;
}
