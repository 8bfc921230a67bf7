#include "tests/qemu/conductor/plan.h"

#include "shared/text/text.h"

static bool parse_number(const char *text, size_t length, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || number > UINT64_MAX / 10 - 1)
            return false;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    *ret_number = number;
    return true;
}

static bool parse_line(const char *text, size_t length, struct plan_line *ret_line)
{
    size_t name_length = 0;
    while (name_length < length && text[name_length] != ' ')
        name_length++;
    if (name_length == 0 || name_length >= PLAN_NAME_CAPACITY)
        return false;
    for (size_t i = 0; i < name_length; i++)
        ret_line->name[i] = text[i];
    ret_line->name[name_length] = '\0';
    size_t rest = name_length < length ? name_length + 1 : length;
    return parse_number(text + rest, length - rest, &ret_line->number);
}

bool plan_parse(const char *text, size_t size_bytes, struct plan *ret_plan)
{
    size_t start = 0;
    ret_plan->count = 0;
    while (start < size_bytes) {
        size_t end = start;
        while (end < size_bytes && text[end] != '\n')
            end++;
        if (end > start) {
            if (ret_plan->count == PLAN_LINE_LIMIT ||
                !parse_line(text + start, end - start, &ret_plan->lines[ret_plan->count]))
                return false;
            ret_plan->count++;
        }
        start = end + 1;
    }
    return true;
}

bool plan_has(const struct plan *plan, const char *name, uint64_t *ret_number)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (text_equal(plan->lines[i].name, name)) {
            if (ret_number != NULL)
                *ret_number = plan->lines[i].number;
            return true;
        }
    }
    return false;
}
