/*
 * The functions that the compiler calls under -fsanitize=undefined. Names and structures are those
 * of clang's compiler-rt (ubsan_handlers.h). Only the printed fields are declared here.
 */
#include "kernel/diagnostics/sanitizer/undefined.h"

#include <stdint.h>

#include "kernel/core/panic.h"

struct place {
    const char *file;
    uint32_t line;
    uint32_t column;
};

struct type {
    uint16_t kind; /* 0: integer */
    uint16_t info; /* of an integer: bit 0 signed, above it the binary logarithm of its bits */
    char name[];   /* in quotes */
};

/* Every report's data begins with its place, and most go on with a type. */
struct data {
    struct place place;
    const struct type *type;
};

struct shift_data {
    struct place place;
    const struct type *left;
    const struct type *right;
};

struct bounds_data {
    struct place place;
    const struct type *array;
    const struct type *index;
};

struct mismatch_data {
    struct place place;
    const struct type *type;
    uint8_t alignment_shift;
    uint8_t check; /* index into `accesses` */
};

#define report(place, format, ...)                                                                 \
    panic(PANIC_UNDEFINED, format " at %s:%u:%u", __VA_ARGS__, (place)->file, (place)->line,       \
          (place)->column)

/* A value of up to 64 bits is in the register. It is not sign-extended. */
static long long value_of(const struct type *type, uintptr_t value)
{
    unsigned bits = 1u << (type->info >> 1);
    if ((type->info & 1) == 0 || bits >= 64)
        return (long long)value;
    uint64_t sign = UINT64_C(1) << (bits - 1);
    uint64_t low = value & ((UINT64_C(1) << bits) - 1);
    return (long long)((low ^ sign) - sign);
}

static const char *name_of(const struct type *type)
{
    return type->name;
}

#define HANDLER(name, ...)                                                                         \
    void __ubsan_handle_##name(__VA_ARGS__);                                                       \
    void __ubsan_handle_##name(__VA_ARGS__)

#define OVERFLOW_HANDLER(name, sign)                                                               \
    HANDLER(name, const struct data *data, uintptr_t left, uintptr_t right)                        \
    {                                                                                              \
        report(&data->place, "%lld " sign " %lld does not fit %s", value_of(data->type, left),     \
               value_of(data->type, right), name_of(data->type));                                  \
    }

OVERFLOW_HANDLER(add_overflow, "+")
OVERFLOW_HANDLER(sub_overflow, "-")
OVERFLOW_HANDLER(mul_overflow, "*")
OVERFLOW_HANDLER(divrem_overflow, "/")

HANDLER(negate_overflow, const struct data *data, uintptr_t value)
{
    report(&data->place, "-(%lld) does not fit %s", value_of(data->type, value),
           name_of(data->type));
}

HANDLER(shift_out_of_bounds, const struct shift_data *data, uintptr_t left, uintptr_t right)
{
    report(&data->place, "%lld shifted by %lld bits is undefined for %s",
           value_of(data->left, left), value_of(data->right, right), name_of(data->left));
}

HANDLER(out_of_bounds, const struct bounds_data *data, uintptr_t index)
{
    report(&data->place, "index %lld is not in %s", value_of(data->index, index),
           name_of(data->array));
}

HANDLER(type_mismatch_v1, const struct mismatch_data *data, uintptr_t pointer)
{
    static const char *const accesses[] = {
        "load of",        "store to", "reference to", "member access of", "member call of",
        "constructor of", "cast of",  "cast of",      "cast of",          "cast of"};
    const char *access =
        data->check < sizeof accesses / sizeof accesses[0] ? accesses[data->check] : "use of";
    const char *fault = pointer == 0 ? "a null pointer"
                        : (pointer & (((uintptr_t)1 << data->alignment_shift) - 1)) != 0
                            ? "a misaligned pointer"
                            : "an object that is too small";
    report(&data->place, "%s %s as %s, 0x%llx", access, fault, name_of(data->type),
           (unsigned long long)pointer);
}

HANDLER(pointer_overflow, const struct data *data, uintptr_t base, uintptr_t result)
{
    report(&data->place, "the pointer 0x%llx plus an offset wraps to 0x%llx",
           (unsigned long long)base, (unsigned long long)result);
}

HANDLER(load_invalid_value, const struct data *data, uintptr_t value)
{
    report(&data->place, "%llu is not a value of %s", (unsigned long long)value,
           name_of(data->type));
}

HANDLER(builtin_unreachable, const struct data *data)
{
    report(&data->place, "%s", "unreachable code was reached");
}

HANDLER(vla_bound_not_positive, const struct data *data, uintptr_t bound)
{
    report(&data->place, "an array of %lld elements", value_of(data->type, bound));
}

HANDLER(nonnull_arg, const struct data *data)
{
    report(&data->place, "%s", "a null pointer for an argument that must not be null");
}

HANDLER(nonnull_return_v1, const struct data *data, const struct place *place)
{
    (void)data;
    report(place, "%s", "a null pointer from a function that must not return null");
}

HANDLER(invalid_builtin, const struct data *data)
{
    report(&data->place, "%s", "a count of leading or trailing zeros of the value 0");
}

HANDLER(alignment_assumption, const struct data *data, uintptr_t pointer, uintptr_t alignment,
        uintptr_t offset)
{
    (void)offset;
    report(&data->place, "0x%llx is not aligned, but the code promises an alignment of %llu",
           (unsigned long long)pointer, (unsigned long long)alignment);
}
