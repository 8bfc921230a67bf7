/* Undefined on purpose; only in a kernel that notices. */
#include <stddef.h>
#include <stdint.h>

#include "kernel/sanitizer/undefined.h"
#include "shared/text.h"

static volatile int32_t large = INT32_MAX;
static volatile unsigned many_bits = 40;
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

bool undefined_provoke(const char *name)
{
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
    };
    for (size_t i = 0; i < sizeof undefined / sizeof undefined[0]; i++) {
        if (text_equal(name, undefined[i].name)) {
            undefined[i].run();
            return true;
        }
    }
    return false;
}
