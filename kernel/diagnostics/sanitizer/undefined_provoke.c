/* Make undefined operations on purpose. Only a kernel with UBSAN=1 has this file. */
#include <stddef.h>
#include <stdint.h>

#include "kernel/diagnostics/sanitizer/undefined.h"
#include "shared/text/text.h"

static volatile int32_t large = INT32_MAX;
static volatile unsigned many_bits = 40;
static volatile int32_t small = INT32_MIN;
static volatile size_t beyond = 7;
static volatile uintptr_t nothing;
static volatile int32_t result;

static void shift(void)
{
    result = large << many_bits;
}

static void signed_overflow(void)
{
    result = large + 1;
}

static void out_of_bounds(void)
{
    int32_t array[7] = {1};
    result = array[beyond];
}

static void null_load(void)
{
    result = *(const int32_t *)nothing;
}

static void misaligned_load(void)
{
    static const int32_t aligned[2] = {1, 2};
    result = *(const int32_t *)((uintptr_t)aligned + beyond - 6);
}

static void divide(void)
{
    result = large / (int32_t)nothing;
}

static void invalid_bool(void)
{
    static const volatile uint8_t neither = 2;
    result = *(const volatile bool *)&neither;
}

static void pointer_wraps(void)
{
    const char *last = (const char *)(UINTPTR_MAX - nothing);
    result = (int32_t)(uintptr_t)(last + beyond);
}

static void difference(void)
{
    result = small - 1;
}

static void product(void)
{
    result = large * 2;
}

static void negation(void)
{
    result = -small;
}

static void divide_by_minus_one(void)
{
    volatile int32_t minus_one = -1;
    result = small / minus_one;
}

static void too_small_object(void)
{
    static _Alignas(8) int32_t half;
    const int64_t *whole = (const int64_t *)&half;
    result = (int32_t)*whole;
}

static void unreachable(void)
{
    if (nothing == 0)
        __builtin_unreachable();
    result = 1;
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wvla"
static void array_of_less_than_nothing(void)
{
    volatile char array[small];
    array[0] = 1;
    result = array[0];
}
#pragma clang diagnostic pop

static __attribute__((noinline, nonnull)) void take(const volatile uintptr_t *pointer)
{
    result = (int32_t)(uintptr_t)pointer;
}

static void null_argument(void)
{
    take((const volatile uintptr_t *)nothing);
}

static __attribute__((noinline, returns_nonnull)) void *give(void)
{
    return (void *)nothing;
}

static void null_result(void)
{
    result = (int32_t)(uintptr_t)give();
}

static void zero_count(void)
{
    result = __builtin_clzll(nothing);
}

static void wrong_assumption(void)
{
    const char *odd = (const char *)(nothing + beyond);
    result = (int32_t)(uintptr_t)__builtin_assume_aligned(odd, 16);
}

static const struct {
    const char *name;
    void (*run)(void);
} undefined[] = {
    {"undefined-shift", shift},
    {"undefined-sum", signed_overflow},
    {"undefined-index", out_of_bounds},
    {"undefined-null", null_load},
    {"undefined-alignment", misaligned_load},
    {"undefined-division", divide},
    {"undefined-bool", invalid_bool},
    {"undefined-pointer", pointer_wraps},
    {"undefined-difference", difference},
    {"undefined-product", product},
    {"undefined-negation", negation},
    {"undefined-quotient", divide_by_minus_one},
    {"undefined-object", too_small_object},
    {"undefined-unreachable", unreachable},
    {"undefined-array", array_of_less_than_nothing},
    {"undefined-argument", null_argument},
    {"undefined-result", null_result},
    {"undefined-count", zero_count},
    {"undefined-assumption", wrong_assumption},
};
#define UNDEFINED_COUNT (sizeof undefined / sizeof undefined[0])

const char *undefined_provoke_name(size_t index)
{
    return index < UNDEFINED_COUNT ? undefined[index].name : NULL;
}

bool undefined_provoke(const char *name)
{
    for (size_t i = 0; i < UNDEFINED_COUNT; i++) {
        if (text_equal(name, undefined[i].name)) {
            undefined[i].run();
            return true;
        }
    }
    return false;
}
