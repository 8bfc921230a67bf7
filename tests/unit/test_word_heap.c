#include "tests/unit/support/cmocka.h"

#include "bootloader/pure/word_heap.h"
#include "tests/unit/support/random.h"

#define LIMIT 64

/* The oracle: the same operation on a plain list. */
static uint64_t take_largest(uint64_t *list, size_t *count)
{
    size_t largest = 0;
    for (size_t i = 1; i < *count; i++) {
        if (list[i] > list[largest])
            largest = i;
    }
    uint64_t word = list[largest];
    list[largest] = list[--*count];
    return word;
}

/* Only a few different words, so that there are equal ones. */
static void test_the_largest_word_comes_first(void **state)
{
    (void)state;
    struct random random = {.state = 99};
    for (unsigned round = 0; round < 200; round++) {
        uint64_t words[LIMIT];
        uint64_t list[LIMIT];
        size_t count = 0;
        struct word_heap heap = {.words = words};
        for (unsigned step = 0; step < 500; step++) {
            if (count < LIMIT && (count == 0 || random_below(&random, 2) == 0)) {
                uint64_t word = random_below(&random, 40);
                word_heap_push(&heap, word);
                list[count++] = word;
            } else {
                assert_int_equal(word_heap_pop(&heap), take_largest(list, &count));
            }
            assert_int_equal(heap.count, count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_largest_word_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
