#include "lessons/lesson_11.h"

#include "lessons/policy_heap.h"
#include "shared/text/format.h"

#define MANY_LISTS 500u
#define LIST_LIMIT 8u
/* A size that a number of 32 bits cannot hold. */
#define HUGE_BYTES UINT64_C(0x100000010)

struct policy {
    const char *name;
    unsigned (*choose)(const struct piece *pieces, unsigned count, uint64_t size_bytes);
    /* Whether the choice, of a piece that is large enough, is the one of this policy; or NULL. */
    bool (*check)(struct judge *judge, const struct piece *pieces, unsigned count, unsigned chosen,
                  uint64_t size_bytes);
};

/* One step of a trace: the size of a request, or the name of a block that is freed. */
struct event {
    uint64_t size_bytes;
    char freed;
};

#define EVENT_COUNT 6u

/* Both begin with the same heap. First fit refuses a request of the first one, and best fit one of
 * the second. */
static const struct event traces[2][EVENT_COUNT] = {
    {{112, 0}, {96, 0}, {48, 0}, {0, 'c'}, {128, 0}, {112, 0}},
    {{80, 0}, {64, 0}, {0, 'd'}, {112, 0}, {80, 0}, {128, 0}},
};

/* --- Is the choice right? --------------------------------------------------------------------- */

static bool check_first(struct judge *judge, const struct piece *pieces, unsigned count,
                        unsigned chosen, uint64_t size_bytes)
{
    (void)count;
    for (unsigned i = 0; i < chosen; i++) {
        if (pieces[i].size_bytes < size_bytes)
            continue;
        judge_wrong(judge,
                    "%s returned %u, but piece %u comes first, and its %llu bytes are enough",
                    judge->call, chosen, i, (unsigned long long)pieces[i].size_bytes);
        return judge_hint(judge, "first_fit was right before you changed it: return at the first "
                                 "piece that is large enough");
    }
    return true;
}

static bool check_best(struct judge *judge, const struct piece *pieces, unsigned count,
                       unsigned chosen, uint64_t size_bytes)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t bytes = pieces[i].size_bytes;
        if (bytes < size_bytes || bytes >= pieces[chosen].size_bytes)
            continue;
        judge_wrong(judge,
                    "%s returned %u, a piece of %llu bytes. Piece %u of %llu bytes is smaller, and "
                    "large enough",
                    judge->call, chosen, (unsigned long long)pieces[chosen].size_bytes, i,
                    (unsigned long long)bytes);
        return judge_hint(judge, "look at every piece, and keep the index of the smallest one that "
                                 "was large enough so far");
    }
    return true;
}

static bool check_refusal(struct judge *judge, const struct piece *pieces, unsigned count,
                          uint64_t size_bytes)
{
    for (unsigned i = 0; i < count; i++) {
        if (pieces[i].size_bytes < size_bytes)
            continue;
        judge_wrong(judge, "%s returned NO_PIECE, but the %llu bytes of piece %u are enough",
                    judge->call, (unsigned long long)pieces[i].size_bytes, i);
        return judge_hint(judge,
                          "look at all pieces, from 0 to count - 1; exactly size_bytes bytes "
                          "are enough, too");
    }
    return true;
}

static bool check_index(struct judge *judge, unsigned count, unsigned chosen)
{
    if (chosen < count)
        return true;
    if (count == 0)
        judge_wrong(judge, "%s returned %u, but there is no piece at all. Return NO_PIECE",
                    judge->call, chosen);
    else
        judge_wrong(judge, "%s returned %u, but the pieces have the indexes 0 to %u", judge->call,
                    chosen, count - 1);
    return judge_hint(judge,
                      "a policy returns an index: which value has yours before the loop, and after "
                      "its last round?");
}

static bool check_choice(struct judge *judge, const struct policy *policy,
                         const struct piece *pieces, unsigned count, unsigned chosen,
                         uint64_t size_bytes)
{
    if (chosen == NO_PIECE)
        return check_refusal(judge, pieces, count, size_bytes);
    if (!check_index(judge, count, chosen))
        return false;
    if (pieces[chosen].size_bytes < size_bytes) {
        judge_wrong(judge, "%s returned %u, a piece of %llu bytes. It is too small for %llu bytes",
                    judge->call, chosen, (unsigned long long)pieces[chosen].size_bytes,
                    (unsigned long long)size_bytes);
        return judge_hint(judge, "compare size_bytes of the piece with the size of the request "
                                 "before you choose it");
    }
    return policy->check == NULL || policy->check(judge, pieces, count, chosen, size_bytes);
}

/* --- The reader's choice ---------------------------------------------------------------------- */

/* The reader's policy gets a copy of the pieces. On both sides of it lies a piece that would fit
 * exactly, so code that looks at an index too many chooses it. Return false if it
 * chooses wrongly. */
static bool choose(struct judge *judge, const struct policy *policy, const struct piece *pieces,
                   unsigned count, uint64_t size_bytes, unsigned *ret_chosen)
{
    struct piece copy[POLICY_PIECE_LIMIT + 2];
    copy[0] = copy[count + 1] = (struct piece){0, size_bytes};
    for (unsigned i = 0; i < count; i++)
        copy[i + 1] = pieces[i];
    judge->in_reader_code = true;
    *ret_chosen = policy->choose(copy + 1, count, size_bytes);
    judge_returned(judge);
    for (unsigned i = 0; i < count; i++)
        if (copy[i + 1].start_bytes != pieces[i].start_bytes ||
            copy[i + 1].size_bytes != pieces[i].size_bytes)
            return judge_wrong(judge, "%s changed piece %u. A policy only chooses: the heap splits",
                               judge->call, i);
    return check_choice(judge, policy, pieces, count, *ret_chosen, size_bytes);
}

/* "piece 0 has 160 bytes, 1 has 32, 2 has 64" */
static void say_pieces(struct judge *judge, const struct piece *pieces, unsigned count)
{
    char text[JUDGE_TEXT_BYTES];
    int length = 0;
    for (unsigned i = 0; i < count && length < JUDGE_TEXT_BYTES; i++)
        length += format_text(text + length, JUDGE_TEXT_BYTES - (size_t)length,
                              i == 0 ? "piece %u has %llu bytes" : ", %u has %llu", i,
                              (unsigned long long)pieces[i].size_bytes);
    judge_say(judge, "%s", count == 0 ? "there is no piece" : text);
}

/* --- Lists without a heap --------------------------------------------------------------------- */

static bool try_list(struct judge *judge, const struct policy *policy, const uint64_t *sizes_bytes,
                     unsigned count, uint64_t size_bytes)
{
    struct piece pieces[LIST_LIMIT];
    for (unsigned i = 0; i < count; i++)
        pieces[i] = (struct piece){i * UINT64_C(4096), sizes_bytes[i]};
    unsigned chosen;
    judge_call(judge, "%s(pieces, %u, %llu)", policy->name, count, (unsigned long long)size_bytes);
    say_pieces(judge, pieces, count);
    if (!choose(judge, policy, pieces, count, size_bytes, &chosen))
        return false;
    if (chosen == NO_PIECE)
        judge_say(judge, "it returned NO_PIECE");
    else
        judge_say(judge, "it returned %u", chosen);
    return true;
}

static bool try_short_lists(struct judge *judge, const struct policy *policy)
{
    static const uint64_t sizes_bytes[] = {64, 32, 48, 160};
    return try_list(judge, policy, sizes_bytes, 3, 40) &&
           try_list(judge, policy, sizes_bytes, 4, 160) &&
           try_list(judge, policy, sizes_bytes, 3, 80) &&
           try_list(judge, policy, sizes_bytes, 0, 16);
}

/* xorshift (Marsaglia 2003): the same numbers in every run. */
static uint64_t next_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 16;
}

/* Begin one more call in the same step. */
static void call_again(struct judge *judge, const struct policy *policy, unsigned count,
                       uint64_t size_bytes)
{
    format_text(judge->call, sizeof judge->call, "%s(pieces, %u, %llu)", policy->name, count,
                (unsigned long long)size_bytes);
}

static bool try_many_lists(struct judge *judge, const struct policy *policy)
{
    uint64_t state = 11;
    judge_call(judge, "%s for %u lists of pieces", policy->name, MANY_LISTS);
    for (unsigned list = 0; list < MANY_LISTS; list++) {
        struct piece pieces[LIST_LIMIT];
        unsigned count = (unsigned)(next_number(&state) % (LIST_LIMIT + 1));
        for (unsigned i = 0; i < count; i++) {
            bool is_huge = next_number(&state) % 16 == 0;
            pieces[i].start_bytes = i * 2 * HUGE_BYTES;
            pieces[i].size_bytes = is_huge ? HUGE_BYTES : 16 + next_number(&state) % 10 * 16;
        }
        uint64_t size_bytes = 16 + next_number(&state) % 12 * 16;
        unsigned chosen;
        call_again(judge, policy, count, size_bytes);
        if (!choose(judge, policy, pieces, count, size_bytes, &chosen)) {
            say_pieces(judge, pieces, count);
            return false;
        }
    }
    return true;
}

/* --- A trace ---------------------------------------------------------------------------------- */

static void draw(struct judge *judge, const struct policy_heap *heap)
{
    struct drawing drawing;
    policy_heap_draw(heap, &drawing);
    judge_draw(judge, &drawing);
}

static bool allocate(struct judge *judge, const struct policy *policy, struct policy_heap *heap,
                     uint64_t size_bytes)
{
    unsigned chosen;
    judge_call(judge, "%s(pieces, %u, %llu)", policy->name, heap->piece_count,
               (unsigned long long)size_bytes);
    say_pieces(judge, heap->pieces, heap->piece_count);
    if (!choose(judge, policy, heap->pieces, heap->piece_count, size_bytes, &chosen))
        return false;
    if (chosen == NO_PIECE) {
        heap->failure_count++;
        judge_say(judge, "no piece is large enough: the request for %llu bytes fails",
                  (unsigned long long)size_bytes);
        return true;
    }
    char name = policy_heap_take(heap, chosen, size_bytes);
    judge_say(judge, "it returned %u: block %c lies at the start of this piece", chosen, name);
    return true;
}

static bool run_trace(struct judge *judge, const struct policy *policy, const struct event *trace,
                      struct policy_heap *ret_heap)
{
    policy_heap_begin(ret_heap);
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        if (trace[i].freed != 0) {
            judge_call(judge, "free(%c)", trace[i].freed);
            judge_returned(judge);
            policy_heap_free(ret_heap, trace[i].freed);
        } else if (!allocate(judge, policy, ret_heap, trace[i].size_bytes)) {
            return false;
        }
        draw(judge, ret_heap);
    }
    return true;
}

#define POLICY_COUNT 3u

static void say_result(struct judge *judge, const struct policy *policies,
                       const struct policy_heap *heaps)
{
    judge_say(judge, "%-10s%8s%8s%12s", "policy", "failed", "pieces", "largest");
    for (unsigned i = 0; i < POLICY_COUNT; i++)
        judge_say(judge, "%-10s%8u%8u%6llu bytes", policies[i].name, heaps[i].failure_count,
                  heaps[i].piece_count, (unsigned long long)policy_heap_largest(&heaps[i]));
}

static bool compare(struct judge *judge, const struct policy *policies, unsigned trace)
{
    struct policy_heap heaps[POLICY_COUNT];
    policy_heap_begin(&heaps[0]);
    judge_call(judge, "the heap at the start of trace %u", trace + 1);
    judge_returned(judge);
    draw(judge, &heaps[0]);
    for (unsigned i = 0; i < POLICY_COUNT; i++)
        if (!run_trace(judge, &policies[i], traces[trace], &heaps[i]))
            return false;
    judge_call(judge, "the result of trace %u", trace + 1);
    judge_returned(judge);
    say_result(judge, policies, heaps);
    return true;
}

bool lesson_11_run(struct judge *judge)
{
    const struct policy policies[POLICY_COUNT] = {
        {"first_fit", lesson_11.first_fit, check_first},
        {"best_fit", lesson_11.best_fit, check_best},
        {"my_policy", lesson_11.my_policy, NULL},
    };
    if (!try_short_lists(judge, &policies[1]))
        return false;
    for (unsigned i = 0; i < POLICY_COUNT; i++)
        if (!try_many_lists(judge, &policies[i]))
            return false;
    return compare(judge, policies, 0) && compare(judge, policies, 1);
}
