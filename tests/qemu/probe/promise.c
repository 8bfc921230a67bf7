#include "tests/qemu/probe/promise.h"

#include "tests/qemu/probe/serial.h"

void promise_begin(struct promises *promises, const char *name)
{
    promises->name = name;
    promises->broken = false;
}

/* Return false if this promise was broken before. */
static bool promise_break(struct promises *promises)
{
    if (promises->broken)
        return false;
    promises->broken = true;
    promises->broken_count++;
    serial_write("not ok ");
    serial_write(promises->name);
    serial_write(": expected ");
    return true;
}

void promise_require(struct promises *promises, bool kept, const char *expected, uint64_t found)
{
    if (kept || !promise_break(promises))
        return;
    serial_write(expected);
    serial_write(", found ");
    serial_write_hexadecimal(found);
    serial_write("\n");
}

void promise_require_equal(struct promises *promises, uint64_t expected, uint64_t found)
{
    if (expected == found || !promise_break(promises))
        return;
    serial_write_hexadecimal(expected);
    serial_write(", found ");
    serial_write_hexadecimal(found);
    serial_write("\n");
}

void promise_end(struct promises *promises)
{
    if (promises->broken)
        return;
    promises->kept_count++;
    serial_write("ok ");
    serial_write(promises->name);
    serial_write("\n");
}

void promise_that(struct promises *promises, const char *name, bool kept, const char *expected,
                  uint64_t found)
{
    promise_begin(promises, name);
    promise_require(promises, kept, expected, found);
    promise_end(promises);
}

void promise_equal(struct promises *promises, const char *name, uint64_t expected, uint64_t found)
{
    promise_begin(promises, name);
    promise_require_equal(promises, expected, found);
    promise_end(promises);
}

void promise_skip(struct promises *promises, const char *name, const char *why)
{
    promises->kept_count++;
    serial_write("ok ");
    serial_write(name);
    serial_write(" # SKIP ");
    serial_write(why);
    serial_write("\n");
}

void promise_plan(const struct promises *promises)
{
    serial_write("1..");
    serial_write_decimal(promises->kept_count + promises->broken_count);
    serial_write("\n");
}
