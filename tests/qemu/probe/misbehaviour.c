#include "tests/qemu/probe/misbehaviour.h"

#include <stdbool.h>

#include "tests/qemu/probe/arch/x86_64/cpu.h"
#include "tests/qemu/probe/block.h"
#include "tests/qemu/probe/image.h"

struct name {
    const char *text;
    enum misbehaviour misbehaviour;
};

static const struct name names[] = {
    {"return", MISBEHAVIOUR_RETURN},
    {"undefined", MISBEHAVIOUR_UNDEFINED},
    {"breakpoint", MISBEHAVIOUR_BREAKPOINT},
    {"stack-overflow", MISBEHAVIOUR_STACK_OVERFLOW},
    {"page-zero", MISBEHAVIOUR_PAGE_ZERO},
    {"write-text", MISBEHAVIOUR_WRITE_TEXT},
    {"execute-data", MISBEHAVIOUR_EXECUTE_DATA},
};

/* Code that would come straight back if it could be executed: RET. */
static uint8_t code_in_data = 0xc3;

/* The text behind `prefix` if `text` begins with it; NULL otherwise. */
static const char *text_behind(const char *text, const char *prefix)
{
    while (*prefix != '\0' && *text == *prefix) {
        text++;
        prefix++;
    }
    return *prefix == '\0' ? text : NULL;
}

static bool word_is(const char *word, const char *name)
{
    const char *behind = text_behind(word, name);
    return behind != NULL && (*behind == '\0' || *behind == ' ');
}

static enum misbehaviour misbehaviour_of_name(const char *word)
{
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (word_is(word, names[i].text))
            return names[i].misbehaviour;
    }
    return MISBEHAVIOUR_UNKNOWN;
}

enum misbehaviour misbehaviour_wanted(const struct handoff *handoff)
{
    const char *line = block_pointer(handoff, handoff->command_line);
    for (const char *place = line; *place != '\0'; place++) {
        const char *value = text_behind(place, "probe=");
        if (value != NULL && (place == line || place[-1] == ' '))
            return misbehaviour_of_name(value);
    }
    return MISBEHAVIOUR_NONE;
}

void misbehaviour_run(enum misbehaviour misbehaviour)
{
    void (*volatile code)(void) = (void (*)(void))(uint64_t)&code_in_data;
    switch (misbehaviour) {
    case MISBEHAVIOUR_UNDEFINED:
        cpu_undefined_instruction();
        break;
    case MISBEHAVIOUR_BREAKPOINT:
        cpu_breakpoint();
        break;
    case MISBEHAVIOUR_STACK_OVERFLOW:
        recurse_for_ever();
        break;
    case MISBEHAVIOUR_PAGE_ZERO:
        (void)*(volatile uint8_t *)0x10;
        break;
    case MISBEHAVIOUR_WRITE_TEXT:
        *(volatile uint8_t *)image_start() = 0xcc;
        break;
    case MISBEHAVIOUR_EXECUTE_DATA:
        code();
        break;
    case MISBEHAVIOUR_NONE:
    case MISBEHAVIOUR_UNKNOWN:
    case MISBEHAVIOUR_RETURN:
        break;
    }
}
