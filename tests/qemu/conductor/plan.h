/*
 * plan.h - what a test asks of the conductor: \plan.txt, one `name number` a line, number optional.
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
    uint64_t number; /* 0 where the line has none */
};

struct plan {
    size_t count;
    struct plan_line lines[PLAN_LINE_LIMIT];
};

/* False if the text is no plan: an unknown form must not pass for a plan without faults. */
bool plan_parse(const char *text, size_t size_bytes, struct plan *ret_plan);

/* Whether the plan has a line of this name; its number. `ret_number` may be NULL. */
bool plan_has(const struct plan *plan, const char *name, uint64_t *ret_number);

#endif
