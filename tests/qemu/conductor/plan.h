/*
 * plan.h - the plan of a test for the conductor: \plan.txt, with one `name number` on each line.
 * The number is optional.
 */
#ifndef CONDUCTOR_PLAN_H
#define CONDUCTOR_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_LINE_LIMIT    16
#define PLAN_NAME_CAPACITY 32

struct plan_line {
    char name[PLAN_NAME_CAPACITY];
    uint64_t number; /* 0 if the line has no number */
};

struct plan {
    size_t count;
    struct plan_line lines[PLAN_LINE_LIMIT];
};

/* Return false if the text is not a plan: an unknown form must not count as a plan without
 * faults. */
bool plan_parse(const char *text, size_t size_bytes, struct plan *ret_plan);

/* Return true if the plan has a line of this name, and write its number. `ret_number` may be
 * NULL. */
bool plan_has(const struct plan *plan, const char *name, uint64_t *ret_number);

#endif
