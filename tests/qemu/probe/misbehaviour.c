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

/* A RET instruction: if the page is executable, the call returns at once. */
static uint8_t code_in_data = 0xc3;

#define TABLE_ENTRIES 512

/* Return the rest of `text` after `prefix`, or NULL if `text` does not begin with it. */
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

/* Return the value of the word `name=value` on the command line, or NULL without this word. */
static const char *value_of(const struct handoff *handoff, const char *name)
{
    const char *line = block_pointer(handoff, handoff->command_line.address);
    for (const char *place = line; *place != '\0'; place++) {
        const char *value = text_behind(place, name);
        if (value != NULL && (place == line || place[-1] == ' '))
            return value;
    }
    return NULL;
}

enum misbehaviour misbehaviour_wanted(const struct handoff *handoff)
{
    const char *value = value_of(handoff, "probe=");
    return value != NULL ? misbehaviour_of_name(value) : MISBEHAVIOUR_NONE;
}

static unsigned top_level_index(const struct handoff *handoff, uint64_t virtual)
{
    bool fifth_level = (handoff->arch.x86_64.flags & HANDOFF_X86_64_FIFTH_LEVEL) != 0;
    return (unsigned)(virtual >> (fifth_level ? 48 : 39)) % TABLE_ENTRIES;
}

bool misbehaviour_load_tables(const struct handoff *handoff)
{
    const char *value = value_of(handoff, "probe-tables=");
    if (value == NULL)
        return true;
    if (handoff->temp_heap_size < PAGE)
        return false;
    const uint64_t *root = block_pointer(handoff, handoff->arch.x86_64.page_table_root);
    uint64_t *own_root = block_pointer(handoff, handoff->temp_heap_base);
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        own_root[i] = i < TABLE_ENTRIES / 2 ? 0 : root[i];
    if (word_is(value, "without-loader"))
        own_root[top_level_index(handoff, handoff->loader_virtual_base)] = 0;
    else if (!word_is(value, "upper-half"))
        return false;
    cpu_write_cr3(handoff->temp_heap_base);
    return true;
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
