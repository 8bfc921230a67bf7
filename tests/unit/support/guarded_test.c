#include "tests/unit/support/guarded_test.h"

#include <stdio.h>
#include <stdlib.h>

static const struct stack STACKS[] = {
    {"bump", &heap_policy_bump, false},
    {"first-fit", &heap_policy_first_fit, false},
    {"best-fit", &heap_policy_best_fit, false},
    {"fast", &heap_policy_fast, false},
    {"first-fit-debug", &heap_policy_first_fit, true},
    {"best-fit-debug", &heap_policy_best_fit, true},
    {"fast-debug", &heap_policy_fast, true},
};
#define STACK_COUNT (sizeof STACKS / sizeof STACKS[0])
#define TEST_LIMIT  64
#define NAME_BYTES  100

static int create_arena(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->stack = *state;
    heap_arena_create(&fixture->arena, ARENA_BYTES);
    *state = fixture;
    return 0;
}

static int destroy_arena(void **state)
{
    struct fixture *fixture = *state;
    heap_arena_destroy(&fixture->arena);
    free(fixture);
    return 0;
}

int guarded_test_run(const char *group, const struct guarded_test *tests, size_t count)
{
    static struct CMUnitTest cases[STACK_COUNT * TEST_LIMIT];
    static char names[STACK_COUNT * TEST_LIMIT][NAME_BYTES];
    size_t case_count = 0;
    for (size_t i = 0; i < STACK_COUNT * count && count <= TEST_LIMIT; i++) {
        const struct guarded_test *test = &tests[i % count];
        const struct stack *stack = &STACKS[i / count];
        if (test->is_of_bump != stack->policy->frees_newest_only)
            continue;
        (void)snprintf(names[case_count], NAME_BYTES, "%s: %s", stack->name, test->name);
        cases[case_count] = (struct CMUnitTest){
            .name = names[case_count],
            .test_func = test->run,
            .setup_func = create_arena,
            .teardown_func = destroy_arena,
            .initial_state = (void *)(uintptr_t)stack,
        };
        case_count++;
    }
    return _cmocka_run_group_tests(group, cases, case_count, NULL, NULL);
}
