/*
 * QR codes. The vectors are those of the standard and of its best known examples. A reader of
 * another author decodes pictures of every version in tests/host/test_qr_code.py.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "kernel/screen/base45.h"
#include "kernel/screen/qr_code.h"
#include "kernel/screen/qr_mask.h"

static struct qr_code code;
static char text[QR_CODEWORD_COUNT_MAX * 2];

static void encode(const char *content, unsigned version_limit)
{
    assert_true(qr_code_encode(&code, content, strlen(content), version_limit));
}

/* Version 1-M of "HELLO WORLD": 16 codewords of data, 10 of correction. */
static void test_codewords_of_an_example(void **state)
{
    (void)state;
    static const uint8_t expected[] = {32, 91,  11, 120, 209, 114, 220, 77,  67,  64,  236, 17, 236,
                                       17, 236, 17, 196, 35,  39,  119, 235, 215, 231, 226, 93, 23};
    encode("HELLO WORLD", QR_VERSION_MAX);
    assert_int_equal(code.shape.version, 1);
    assert_int_equal(code.shape.level, QR_LEVEL_MEDIUM);
    assert_memory_equal(code.codewords, expected, sizeof expected);
}

/* Table 7 of the standard. */
static void test_capacities(void **state)
{
    (void)state;
    static const struct {
        unsigned version, low, medium;
    } rows[] = {{1, 25, 20},      {2, 47, 38},      {7, 224, 178},    {9, 335, 262},
                {10, 395, 311},   {14, 667, 528},   {20, 1249, 970},  {26, 1990, 1542},
                {27, 2132, 1637}, {32, 2840, 2238}, {39, 4087, 3220}, {40, 4296, 3391}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct qr_shape low = qr_shape(rows[i].version, QR_LEVEL_LOW);
        struct qr_shape medium = qr_shape(rows[i].version, QR_LEVEL_MEDIUM);
        assert_int_equal(qr_shape_capacity(&low), rows[i].low);
        assert_int_equal(qr_shape_capacity(&medium), rows[i].medium);
    }
    assert_int_equal(qr_shape(40, QR_LEVEL_LOW).codeword_count, QR_CODEWORD_COUNT_MAX);
}

/* The smallest version counts, and then the better level. */
static void test_version_and_level_by_length(void **state)
{
    (void)state;
    memset(text, 'A', sizeof text);
    for (unsigned version = 1; version <= QR_VERSION_MAX; version++) {
        struct qr_shape low = qr_shape(version, QR_LEVEL_LOW);
        struct qr_shape medium = qr_shape(version, QR_LEVEL_MEDIUM);
        size_t capacity = qr_shape_capacity(&low);
        size_t capacity_medium = qr_shape_capacity(&medium);
        assert_true(qr_code_encode(&code, text, capacity, version));
        assert_int_equal(code.shape.version, version);
        assert_int_equal(code.shape.level, QR_LEVEL_LOW);
        assert_int_equal(code.matrix.size_modules, 17 + 4 * version);
        assert_false(qr_code_encode(&code, text, capacity + 1, version));
        assert_true(qr_code_encode(&code, text, capacity_medium, version));
        assert_int_equal(code.shape.level,
                         code.shape.version == version ? QR_LEVEL_MEDIUM : QR_LEVEL_LOW);
        if (version > 1) {
            low = qr_shape(version - 1, QR_LEVEL_LOW);
            assert_true(qr_shape_capacity(&low) < capacity);
        }
    }
    assert_false(qr_code_encode(&code, text, 1, 0));
}

static void test_other_characters_are_refused(void **state)
{
    (void)state;
    for (unsigned character = 0; character < 256; character++) {
        char pair[] = {'A', (char)character, 'A'};
        bool is_known = character != 0 && strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:",
                                                 (int)character) != NULL;
        assert_int_equal(qr_code_encode(&code, pair, 2, 40), is_known);
        assert_int_equal(qr_code_encode(&code, pair + 1, 1, 40), is_known);
        assert_int_equal(qr_code_encode(&code, pair + 1, 2, 40), is_known);
    }
    assert_true(qr_code_encode(&code, "", 0, 40));
}

/* --- The modules ------------------------------------------------------------------------------ */

static bool dark(unsigned x, unsigned y)
{
    return qr_matrix_is_dark(&code.matrix, x, y);
}

/* Read both copies of the format, the highest bit first, and compare them. */
static unsigned read_format(void)
{
    static const uint8_t places[15][2] = {{0, 8}, {1, 8}, {2, 8}, {3, 8}, {4, 8},
                                          {5, 8}, {7, 8}, {8, 8}, {8, 7}, {8, 5},
                                          {8, 4}, {8, 3}, {8, 2}, {8, 1}, {8, 0}};
    unsigned size = code.matrix.size_modules;
    unsigned first = 0;
    unsigned second = 0;
    for (unsigned i = 0; i < 15; i++) {
        first = first << 1 | dark(places[i][0], places[i][1]);
        second = second << 1 | (i < 7 ? dark(8, size - 1 - i) : dark(size - 15 + i, 8));
    }
    assert_int_equal(first, second);
    return first;
}

/* Annex C of the standard: the words of both levels for each mask. */
static void test_format_of_each_mask(void **state)
{
    (void)state;
    static const unsigned words[2][QR_MASK_COUNT] = {
        {0x77c4, 0x72f3, 0x7daa, 0x789d, 0x662f, 0x6318, 0x6c41, 0x6976},
        {0x5412, 0x5125, 0x5e7c, 0x5b4b, 0x45f9, 0x40ce, 0x4f97, 0x4aa0}};
    for (unsigned version = 1; version <= 8; version += 7) {
        qr_matrix_begin(&code.matrix, version);
        for (unsigned mask = 0; mask < QR_MASK_COUNT; mask++) {
            qr_matrix_set_format(&code.matrix, QR_LEVEL_LOW, mask);
            assert_int_equal(read_format(), words[QR_LEVEL_LOW][mask]);
            qr_matrix_set_format(&code.matrix, QR_LEVEL_MEDIUM, mask);
            assert_int_equal(read_format(), words[QR_LEVEL_MEDIUM][mask]);
            assert_true(dark(8, code.matrix.size_modules - 8));
        }
    }
}

/* Annex D: the words of versions 7, 21 and 40. */
static void test_version_is_there_twice(void **state)
{
    (void)state;
    static const unsigned words[][2] = {{7, 0x07c94}, {21, 0x15683}, {40, 0x28c69}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        unsigned right = 0;
        unsigned below = 0;
        qr_matrix_begin(&code.matrix, words[i][0]);
        unsigned edge = code.matrix.size_modules - 11;
        for (unsigned bit = 18; bit > 0; bit--) {
            right = right << 1 | dark(edge + (bit - 1) % 3, (bit - 1) / 3);
            below = below << 1 | dark((bit - 1) / 3, edge + (bit - 1) % 3);
        }
        assert_int_equal(right, words[i][1]);
        assert_int_equal(below, words[i][1]);
    }
}

/* The rings of a finder and the light edge around it; a centre of an alignment pattern. */
static void test_patterns(void **state)
{
    (void)state;
    static const struct {
        unsigned version;
        uint8_t places[7]; /* annex E */
    } alignments[] = {{2, {6, 18}},
                      {7, {6, 22, 38}},
                      {14, {6, 26, 46, 66}},
                      {22, {6, 26, 50, 74, 98}},
                      {32, {6, 34, 60, 86, 112, 138}},
                      {36, {6, 24, 50, 76, 102, 128, 154}},
                      {40, {6, 30, 58, 86, 114, 142, 170}}};
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++) {
        const uint8_t *places = alignments[i].places;
        qr_matrix_begin(&code.matrix, alignments[i].version);
        for (unsigned line = 0; line < 7 && places[line] != 0; line++) {
            if (line == 0)
                continue;
            assert_true(dark(places[line], places[1]));
            assert_false(dark(places[line] + 1, places[1] + 1));
            assert_true(dark(places[line] + 2, places[1]));
            assert_true(dark(places[1], places[line]));
            assert_int_equal(qr_matrix_is_fixed(&code.matrix, places[line] + 3, places[1]), false);
        }
        unsigned last = code.matrix.size_modules - 1;
        for (unsigned n = 0; n < 8; n++) {
            assert_int_equal(dark(n, 0), n < 7);
            assert_int_equal(dark(last, n), n < 7);
            assert_int_equal(dark(0, last - n), n < 7);
        }
        assert_false(dark(1, 1) || dark(last - 1, 1) || dark(1, last - 1));
        assert_true(dark(2, 2) && dark(last - 2, 2) && dark(2, last - 2));
        assert_true(dark(3, 3) && dark(last - 3, 3) && dark(3, last - 3));
    }
}

/* The modules for codewords are as many as the standard has, and up to seven more. */
static void test_free_modules_of_each_version(void **state)
{
    (void)state;
    for (unsigned version = 1; version <= QR_VERSION_MAX; version++) {
        unsigned count = 0;
        qr_matrix_begin(&code.matrix, version);
        for (unsigned y = 0; y < code.matrix.size_modules; y++) {
            for (unsigned x = 0; x < code.matrix.size_modules; x++)
                count += !qr_matrix_is_fixed(&code.matrix, x, y);
        }
        assert_int_equal(count / 8, qr_shape(version, QR_LEVEL_LOW).codeword_count);
    }
}

/* Read the codewords from the modules, in the order of the standard: columns of two from the right,
 * upward and downward by turns. A reader would correct a few that are wrong, so all are compared. */
static void read_codewords(uint8_t *ret_codewords)
{
    static struct qr_matrix plain;
    unsigned size = code.matrix.size_modules;
    unsigned bit = 0;
    bool is_upward = true;
    plain = code.matrix;
    qr_mask_apply(&plain, ((read_format() ^ 0x5412) >> 10) & 7);
    memset(ret_codewords, 0, QR_CODEWORD_COUNT_MAX + 1);
    for (int right = (int)size - 1; right > 0; right -= 2, is_upward = !is_upward) {
        if (right == 6)
            right = 5;
        for (unsigned i = 0; i < 2 * size; i++) {
            unsigned x = (unsigned)right - i % 2;
            unsigned y = is_upward ? size - 1 - i / 2 : i / 2;
            if (qr_matrix_is_fixed(&plain, x, y))
                continue;
            ret_codewords[bit / 8] |= (uint8_t)(qr_matrix_is_dark(&plain, x, y) << (7 - bit % 8));
            bit++;
        }
    }
}

/* Take one codeword of each block by turns, for blocks of these lengths. */
static const uint8_t *expect_blocks(const uint8_t *read, const uint8_t *blocks,
                                    unsigned block_count, unsigned length, unsigned first_long)
{
    for (unsigned i = 0; i <= length; i++) {
        unsigned start = 0;
        for (unsigned block = 0; block < block_count; block++) {
            unsigned own_length = length + (block >= first_long);
            if (i < own_length)
                assert_int_equal(*read++, blocks[start + i]);
            start += own_length;
        }
    }
    return read;
}

static void test_codewords_of_the_blocks_take_turns(void **state)
{
    (void)state;
    static uint8_t codewords[QR_CODEWORD_COUNT_MAX + 1];
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (char)('A' + i * i % 26);
    for (unsigned version = 1; version <= QR_VERSION_MAX; version++) {
        for (enum qr_level level = QR_LEVEL_LOW; level <= QR_LEVEL_MEDIUM; level++) {
            struct qr_shape shape = qr_shape(version, level);
            assert_true(qr_code_encode(&code, text, qr_shape_capacity(&shape), version));
            shape = code.shape;
            unsigned short_length = shape.data_count / shape.block_count;
            read_codewords(codewords);
            const uint8_t *behind =
                expect_blocks(codewords, code.codewords, shape.block_count, short_length,
                              shape.block_count - shape.data_count % shape.block_count);
            assert_int_equal(behind - codewords, shape.data_count);
            behind = expect_blocks(behind, code.codewords + shape.data_count, shape.block_count,
                                   shape.correction_count, shape.block_count);
            assert_int_equal(behind - codewords, shape.codeword_count);
            assert_int_equal(*behind, 0);
        }
    }
}

/* --- Masks ------------------------------------------------------------------------------------ */

/* The chosen mask has the lowest penalty of all eight. */
static void test_best_mask_is_chosen(void **state)
{
    (void)state;
    struct qr_matrix matrix;
    unsigned seen = 0;
    memset(text, '0', 200);
    for (unsigned i = 0; i < 40; i++) {
        text[i] = (char)('A' + i % 26);
        assert_true(qr_code_encode(&code, text, 120 + i, 40));
        unsigned mask = ((read_format() ^ 0x5412) >> 10) & 7;
        unsigned chosen = qr_mask_penalty(&code.matrix);
        seen |= 1u << mask;
        for (unsigned other = 0; other < QR_MASK_COUNT; other++) {
            matrix = code.matrix;
            qr_mask_apply(&matrix, mask);
            qr_mask_apply(&matrix, other);
            qr_matrix_set_format(&matrix, code.shape.level, other);
            unsigned penalty = qr_mask_penalty(&matrix);
            assert_true(other < mask ? penalty > chosen : penalty >= chosen);
        }
    }
    assert_true((seen & (seen - 1)) != 0);
}

static void draw(const char *const *rows, bool is_transposed)
{
    memset(&code.matrix, 0, sizeof code.matrix);
    code.matrix.size_modules = (unsigned)strlen(rows[0]);
    for (unsigned y = 0; y < code.matrix.size_modules; y++) {
        for (unsigned x = 0; x < code.matrix.size_modules; x++) {
            if ((is_transposed ? rows[x][y] : rows[y][x]) == '#')
                qr_matrix_invert(&code.matrix, x, y);
        }
    }
}

/* Small squares, in rows and in columns. */
static void test_penalties(void **state)
{
    (void)state;
    static const char *const even[] = {"#.#.", ".#.#", "#.#.", ".#.#"};
    static const char *const square[] = {"##.#", "##.#", "..#.", "#.#."}; /* 9 of 16 dark: 6.3 % */
    static const char *const run[] = {"######", ".#.#.#", "#.#.#.", ".#.#.#", "#.#.#.", ".#.#.."};
    static const char *const dark_square[] = {"###", "###", "###"};
    for (unsigned is_transposed = 0; is_transposed < 2; is_transposed++) {
        draw(even, is_transposed);
        assert_int_equal(qr_mask_penalty(&code.matrix), 0);
        draw(square, is_transposed);
        assert_int_equal(qr_mask_penalty(&code.matrix), 3 + 10);
        draw(run, is_transposed); /* 20 of 36 dark: 5.6 % from one half */
        assert_int_equal(qr_mask_penalty(&code.matrix), 4 + 10);
        draw(dark_square, is_transposed);
        assert_int_equal(qr_mask_penalty(&code.matrix), 4 * 3 + 100);
    }
}

/* 1011101 with four light modules before or behind it, in a row and in a column. */
static void test_penalty_for_the_shape_of_a_finder(void **state)
{
    (void)state;
    static const char *const rows[] = {"#.###.#....", "#.#.#.#.#.#", ".#.#.#.#.#.", "#.#.#.#.#.#",
                                       ".#.#.#.#.#.", "#.#.#.#.#.#", ".#.#.#.#.#.", "#.#.#.#.#.#",
                                       ".#.#.#.#.#.", "#.#.#.#.#.#", ".#.#.#.#.#."};
    const char *reverse[11];
    memcpy(reverse, rows, sizeof reverse);
    reverse[0] = "....#.###.#";
    for (unsigned is_transposed = 0; is_transposed < 2; is_transposed++) {
        draw(rows, is_transposed);
        assert_int_equal(qr_mask_penalty(&code.matrix), 40);
        draw(reverse, is_transposed);
        assert_int_equal(qr_mask_penalty(&code.matrix), 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codewords_of_an_example),
        cmocka_unit_test(test_capacities),
        cmocka_unit_test(test_version_and_level_by_length),
        cmocka_unit_test(test_other_characters_are_refused),
        cmocka_unit_test(test_format_of_each_mask),
        cmocka_unit_test(test_version_is_there_twice),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_free_modules_of_each_version),
        cmocka_unit_test(test_codewords_of_the_blocks_take_turns),
        cmocka_unit_test(test_best_mask_is_chosen),
        cmocka_unit_test(test_penalties),
        cmocka_unit_test(test_penalty_for_the_shape_of_a_finder),
    };
    return cmocka_run_group_tests_name("qr_code", tests, NULL, NULL);
}
