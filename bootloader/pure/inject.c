#include "bootloader/pure/inject.h"

#include "bootloader/pure/config_value.h"
#include "shared/text/number.h"
#include "shared/text/packed_text.h"

#define NUMBERED_COUNT (INJECT_HANG + 1)

/* The longest word has 19 letters. */
static const char words[INJECT_FAILURE_COUNT][20] PACKED_SECTION = {
    [INJECT_FAIL_PAGES] = "fail-pages",
    [INJECT_STALE_KEY] = "stale-key",
    [INJECT_GROW_MAP] = "grow-map",
    [INJECT_HANG] = "hang",
    [INJECT_SHUFFLE_MAP] = "shuffle-map",
    [INJECT_OVERLAP_MAP] = "overlap-map",
    [INJECT_MISALIGN_MAP] = "misalign-map",
    [INJECT_REPEAT_MAP] = "repeat-map",
    [INJECT_HIGH_MAP] = "high-map",
    [INJECT_CLEAR_ATTRIBUTES] = "clear-attributes",
    [INJECT_HIDE_SCREEN] = "hide-screen",
    [INJECT_SHRINK_SCREEN] = "shrink-screen",
    [INJECT_OCCUPY_LINK_ADDRESS] = "occupy-link-address",
    [INJECT_ZERO_HEAP] = "zero-heap",
    [INJECT_NEWER_MINOR] = "newer-minor",
    [INJECT_BAD_CHECKSUM] = "bad-checksum",
    [INJECT_BAD_MAGIC] = "bad-magic",
    [INJECT_BAD_VERSION] = "bad-version",
    [INJECT_BAD_SIZE] = "bad-size",
    [INJECT_BAD_MACHINE] = "bad-machine",
    [INJECT_BAD_ROOT] = "bad-root",
    [INJECT_BAD_ARRAY] = "bad-array",
    [INJECT_BAD_REGIONS] = "bad-regions",
    [INJECT_BAD_JUMP] = "bad-jump",
};

/* Return INJECT_FAILURE_COUNT for an unknown word. */
static unsigned find_word(struct piece name)
{
    unsigned failure = 0;
    while (failure < INJECT_FAILURE_COUNT &&
           !piece_equals(name, inject_word((enum inject_failure)failure)))
        failure++;
    return failure;
}

/* A word that takes no number means 1. */
static bool parse_word(struct piece word, struct inject *inject)
{
    struct piece number_text = {"1", 1};
    uint64_t number;
    bool has_number = piece_split(word, ':', &word, &number_text);
    unsigned failure = find_word(word);
    if (failure == INJECT_FAILURE_COUNT || has_number != (failure < NUMBERED_COUNT) ||
        inject->numbers[failure] != 0 ||
        !number_parse(number_text.text, number_text.length, &number) ||
        number - 1 >= INJECT_NUMBER_LIMIT)
        return false;
    inject->numbers[failure] = (uint32_t)number;
    return true;
}

bool inject_parse(struct piece list, struct inject *ret_inject)
{
    bool has_more = true;
    *ret_inject = (struct inject){{0}};
    while (has_more) {
        struct piece word = list;
        has_more = piece_split(list, ',', &word, &list);
        if (!parse_word(piece_trim(word), ret_inject))
            return false;
    }
    return true;
}

const char *inject_word(enum inject_failure failure)
{
    return packed_text_read(words[failure]);
}
