#include "lessons/lesson_08_count.h"

#include "shared/text/format.h"

typedef unsigned long long number;

static void add_up(struct lesson_08_count *count)
{
    struct statistics *sum = &count->expected;
    sum->used_bytes = 0;
    sum->requested_bytes = 0;
    sum->block_count = 0;
    for (unsigned i = 0; i < count->heap.count; i++) {
        if (!count->heap.pieces[i].used)
            continue;
        sum->used_bytes += count->heap.pieces[i].size_bytes;
        sum->requested_bytes += count->heap.requested_bytes[i];
        sum->block_count++;
    }
    if (sum->used_bytes > sum->peak_bytes)
        sum->peak_bytes = sum->used_bytes;
}

static struct survey add_up_free(const struct lesson_08_heap *heap)
{
    struct survey sum = {0};
    for (unsigned i = 0; i < heap->count; i++) {
        if (heap->pieces[i].used)
            continue;
        sum.free_bytes += heap->pieces[i].size_bytes;
        if (heap->pieces[i].size_bytes > sum.largest_free_bytes)
            sum.largest_free_bytes = heap->pieces[i].size_bytes;
    }
    if (sum.free_bytes != 0)
        sum.fragmentation_permille =
            (sum.free_bytes - sum.largest_free_bytes) * 1000 / sum.free_bytes;
    return sum;
}

static bool is_equal(struct lesson_08_count *count, const char *name, uint64_t value,
                     uint64_t expected)
{
    return value == expected ||
           judge_wrong(count->judge, "after %s, %s is %llu. It must be %llu", count->judge->call,
                       name, (number)value, (number)expected);
}

static bool check_used(struct lesson_08_count *count)
{
    const struct statistics *reader = &count->reader;
    const struct statistics *expected = &count->expected;
    if (is_equal(count, "used_bytes", reader->used_bytes, expected->used_bytes))
        return true;
    if (count->failed)
        return judge_hint(count->judge, "a request that got NULL uses nothing");
    if (reader->used_bytes == expected->requested_bytes)
        return judge_hint(count->judge, "that is what the users asked for. In use are the pieces, "
                                        "with header and rounding");
    return judge_hint(count->judge,
                      "each allocation adds its piece, each free takes its piece away");
}

static bool check_requested(struct lesson_08_count *count)
{
    return is_equal(count, "requested_bytes", count->reader.requested_bytes,
                    count->expected.requested_bytes) ||
           judge_hint(count->judge, "%s",
                      count->failed ? "a request that got NULL has no block"
                                    : "that is the sum of the sizes that the users of the live "
                                      "blocks asked for, without headers");
}

static bool check_peak(struct lesson_08_count *count)
{
    const struct statistics *reader = &count->reader;
    const struct statistics *expected = &count->expected;
    if (is_equal(count, "peak_bytes", reader->peak_bytes, expected->peak_bytes))
        return true;
    if (reader->peak_bytes > expected->peak_bytes)
        return judge_hint(count->judge, "used_bytes was never so large. A free, and a request that "
                                        "got NULL, do not raise the peak");
    if (expected->peak_bytes > expected->used_bytes)
        return judge_hint(count->judge,
                          "the peak never falls: it remembers the largest used_bytes");
    return judge_hint(count->judge,
                      "compare the peak with used_bytes after you changed used_bytes");
}

static bool check_counts(struct lesson_08_count *count)
{
    const struct statistics *reader = &count->reader;
    const struct statistics *expected = &count->expected;
    if (!is_equal(count, "block_count", reader->block_count, expected->block_count))
        return judge_hint(count->judge,
                          "count the blocks that are in use now: a free takes one away");
    if (!is_equal(count, "allocation_count", reader->allocation_count, expected->allocation_count))
        return judge_hint(count->judge,
                          "count the requests that got a block, since the start: this "
                          "number only grows");
    return is_equal(count, "failed_count", reader->failed_count, expected->failed_count) ||
           judge_hint(count->judge,
                      "count the requests that got NULL, since the start: this number "
                      "only grows");
}

static bool check_survey(struct lesson_08_count *count, const struct survey *reader,
                         const struct survey *expected)
{
    if (!is_equal(count, "free_bytes", reader->free_bytes, expected->free_bytes))
        return judge_hint(count->judge, "add the sizes of all pieces that are not used");
    if (!is_equal(count, "largest_free_bytes", reader->largest_free_bytes,
                  expected->largest_free_bytes))
        return judge_hint(count->judge, "of the free pieces, keep the largest size; used pieces do "
                                        "not count");
    return is_equal(count, "fragmentation_permille", reader->fragmentation_permille,
                    expected->fragmentation_permille) ||
           judge_hint(
               count->judge, "%s",
               expected->free_bytes == 0
                   ? "nothing is free, so nothing is fragmented: 0"
                   : "(free_bytes - largest_free_bytes) * 1000 / free_bytes: multiply first");
}

static struct survey ask(struct lesson_08_count *count)
{
    char after[JUDGE_TEXT_BYTES];
    format_text(after, sizeof after, "%s", count->judge->call);
    judge_call_again(count->judge, "survey(pieces, %u), after %s", count->heap.count, after);
    struct survey survey = lesson_08.survey(count->heap.pieces, count->heap.count);
    judge_returned(count->judge);
    format_text(count->judge->call, sizeof count->judge->call, "%s", after);
    return survey;
}

static void print_numbers(struct lesson_08_count *count, const struct survey *survey)
{
    const struct statistics *reader = &count->reader;
    judge_say(count->judge,
              "used=%llu requested=%llu peak=%llu blocks=%llu allocations=%llu failures=%llu",
              (number)reader->used_bytes, (number)reader->requested_bytes,
              (number)reader->peak_bytes, (number)reader->block_count,
              (number)reader->allocation_count, (number)reader->failed_count);
    judge_say(count->judge, "free=%llu largest=%llu fragmentation=%llu permille",
              (number)survey->free_bytes, (number)survey->largest_free_bytes,
              (number)survey->fragmentation_permille);
}

bool lesson_08_compare(struct lesson_08_count *count)
{
    add_up(count);
    struct survey expected = add_up_free(&count->heap);
    struct drawing drawing;
    drawing_begin(&drawing, count->judge->size_bytes);
    drawing.whole = true;
    lesson_08_heap_draw(&count->heap, &drawing);
    judge_draw(count->judge, &drawing);
    struct survey survey = ask(count);
    print_numbers(count, &survey);
    return check_used(count) && check_requested(count) && check_peak(count) &&
           check_counts(count) && check_survey(count, &survey, &expected);
}
