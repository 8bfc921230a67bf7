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

static bool find_word(struct piece name, unsigned *ret_failure)
{
    for (unsigned failure = 0; failure < INJECT_FAILURE_COUNT; failure++) {
        if (piece_equals(name, inject_word((enum inject_failure)failure))) {
            *ret_failure = failure;
            return true;
        }
    }
    return false;
}

static bool parse_word(struct piece word, struct inject *inject)
{
    struct piece name = word;
    struct piece number_text = {word.text, 0};
    unsigned failure;
    uint64_t number = 1;
    bool has_number = piece_split(word, ':', &name, &number_text);
    if (!find_word(name, &failure) || has_number != (failure < NUMBERED_COUNT) ||
        inject->numbers[failure] != 0)
        return false;
    if (has_number && (!number_parse(number_text.text, number_text.length, &number) ||
                       number == 0 || number > INJECT_NUMBER_LIMIT))
        return false;
    inject->numbers[failure] = (uint32_t)number;
    return true;
}

bool inject_parse(struct piece list, struct inject *ret_inject)
{
    struct piece word;
    bool has_more = true;
    *ret_inject = (struct inject){{0}};
    while (has_more) {
        has_more = piece_split(list, ',', &word, &list);
        if (!parse_word(piece_trim(has_more ? word : list), ret_inject))
            return false;
    }
    return true;
}

const char *inject_word(enum inject_failure failure)
{
    return packed_text_read(words[failure]);
}
