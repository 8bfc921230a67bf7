#include "lessons/judge.h"

#include <stdarg.h>

#include "shared/text/format.h"

/* A fault this near behind the heap is a write past its end, not a wild pointer. */
#define NEAR_BYTES (64u * 1024)
/* An address below this is NULL plus the offset of a field or of an element. */
#define NULL_AREA_BYTES 4096u

static void print(struct judge *judge, const char *before, const char *format, va_list arguments)
{
    char text[2 * JUDGE_TEXT_BYTES];
    int length = format_text(text, sizeof text, "%s", before);
    format_text_v(text + length, sizeof text - (size_t)length, format, arguments);
    judge->outlet.line(judge->outlet.context, text);
}

void judge_say(struct judge *judge, const char *format, ...)
{
    if (judge->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    print(judge, "  ", format, arguments);
    va_end(arguments);
}

void judge_call(struct judge *judge, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_text_v(judge->call, sizeof judge->call, format, arguments);
    va_end(arguments);
    judge->step++;
    char text[2 * JUDGE_TEXT_BYTES];
    format_text(text, sizeof text, "step %u: %s", judge->step, judge->call);
    if (!judge->quiet)
        judge->outlet.line(judge->outlet.context, text);
    judge->call_count++;
    judge->in_reader_code = true;
}

void judge_call_again(struct judge *judge, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_text_v(judge->call, sizeof judge->call, format, arguments);
    va_end(arguments);
    judge->call_count++;
    judge->in_reader_code = true;
}

void judge_returned(struct judge *judge)
{
    judge->in_reader_code = false;
}

bool judge_wrong(struct judge *judge, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print(judge, "wrong: ", format, arguments);
    va_end(arguments);
    judge->wrong = true;
    return false;
}

bool judge_hint(struct judge *judge, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print(judge, "hint: ", format, arguments);
    va_end(arguments);
    return false;
}

void judge_draw(struct judge *judge, const struct drawing *drawing)
{
    if (judge->quiet)
        return;
    char bar[JUDGE_TEXT_BYTES];
    char marks[JUDGE_TEXT_BYTES];
    drawing_print(drawing, bar, marks, sizeof bar);
    judge_say(judge, "%s", bar);
    if (marks[0] != '\0')
        judge_say(judge, "%s", marks);
    if (judge->outlet.picture != NULL)
        judge->outlet.picture(judge->outlet.context, judge->call, drawing);
}

const char *judge_place(const struct judge *judge, const void *address, char *buffer)
{
    uint64_t place = (uint64_t)(uintptr_t)address;
    uint64_t start = (uint64_t)(uintptr_t)judge->memory;
    uint64_t end = start + judge->size_bytes;
    const char *name = judge->memory_name;
    if (place == 0)
        format_text(buffer, JUDGE_TEXT_BYTES, "NULL");
    else if (place >= start && place < end)
        format_text(buffer, JUDGE_TEXT_BYTES, "%s_start + %llu", name,
                    (unsigned long long)(place - start));
    else if (place >= end && place - end < NEAR_BYTES)
        format_text(buffer, JUDGE_TEXT_BYTES, "%s_end + %llu", name,
                    (unsigned long long)(place - end));
    else if (place < start && start - place <= NEAR_BYTES)
        format_text(buffer, JUDGE_TEXT_BYTES, "%s_start - %llu", name,
                    (unsigned long long)(start - place));
    else
        format_text(buffer, JUDGE_TEXT_BYTES, "0x%llx, which is not in the %s",
                    (unsigned long long)place, name);
    return buffer;
}

static const char *hint_of(const struct judge *judge, enum judge_access access, uint64_t address)
{
    if (access == JUDGE_JUMPED)
        return "a pointer to a function, or the address to return to, was overwritten or never set";
    if (address < NULL_AREA_BYTES)
        return "a pointer in your code is NULL, or a number near 0";
    if (judge->fault_hint != NULL)
        return judge->fault_hint;
    return "only heap_start to heap_end is yours: check a pointer before you use it";
}

void judge_fault(struct judge *judge, enum judge_access access, uint64_t address)
{
    static const char *const words[] = {"used", "read from", "wrote to", "jumped to"};
    char place[JUDGE_TEXT_BYTES];
    judge->in_reader_code = false;
    judge_wrong(judge, "your code %s %s, and the machine stopped it, during %s", words[access],
                judge_place(judge, (const void *)(uintptr_t)address, place), judge->call);
    judge_hint(judge, "%s", hint_of(judge, access, address));
    judge_verdict(judge);
}

static const struct {
    const char *what;
    const char *hint;
} troubles[] = {
    [JUDGE_DIVIDE] = {"divided by zero",
                      "look at each / and % in your code: what is on its right?"},
    [JUDGE_INSTRUCTION] = {"came to an instruction that the CPU does not know",
                           "the compiler puts one where code makes no sense: is a return missing?"},
    [JUDGE_NO_ADDRESS] = {"used a pointer whose value is no address",
                          "the pointer was overwritten, or never set, or your code subtracted from "
                          "NULL"},
    [JUDGE_STACK] = {"used up the stack",
                     "a function calls itself without an end, or an array in a "
                     "function is too large"},
    [JUDGE_ENDED] = {"ended the program", "your functions must return to their caller"},
    [JUDGE_OTHER] = {"did what the CPU does not allow",
                     "look at the pointers and numbers of the function that was called"},
};

void judge_trouble(struct judge *judge, enum judge_trouble trouble)
{
    judge->in_reader_code = false;
    judge_wrong(judge, "your code %s, and the machine stopped it, during %s",
                troubles[trouble].what, judge->call);
    judge_hint(judge, "%s", troubles[trouble].hint);
    judge_verdict(judge);
}

void judge_stuck(struct judge *judge, unsigned seconds)
{
    judge->in_reader_code = false;
    judge_wrong(judge, "%s did not return within %u seconds", judge->call, seconds);
    judge_hint(judge, "a loop in your code does not end, or takes very many rounds: look at the "
                      "condition that should end it");
    judge_verdict(judge);
}

void judge_verdict(struct judge *judge)
{
    char text[JUDGE_TEXT_BYTES];
    format_text(text, sizeof text, "lesson=%u verdict=%s steps=%u", judge->lesson,
                judge->wrong ? "unsolved" : "solved", judge->step);
    judge->outlet.line(judge->outlet.context, text);
}
