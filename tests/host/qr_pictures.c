/*
 * Draw QR codes as pictures (PGM), for a reader of another author: qr_pictures FOLDER texts|reports
 *
 * The standard input has texts, each with a NUL behind it. `texts` encodes them as they are, and
 * `reports` packs each as the report of a panic first. The pictures have the names 00000.pgm,
 * 00001.pgm, … Each module has two pixels.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/screen/qr_code.h"
#include "kernel/screen/report_text.h"

#define TEXT_CAPACITY_BYTES 16384
#define MODULE_PIXELS       2

static struct qr_code code;
static struct report_text packed;
static char text[TEXT_CAPACITY_BYTES];

static void fail(const char *reason)
{
    (void)fprintf(stderr, "qr_pictures: %s\n", reason);
    exit(1);
}

/* Read up to the next NUL. Return false at the end of the input. */
static bool read_text(size_t *ret_length)
{
    int character;
    *ret_length = 0;
    while ((character = getchar()) != EOF) {
        if (character == '\0')
            return true;
        if (*ret_length == sizeof text)
            fail("a text is too long");
        text[(*ret_length)++] = (char)character;
    }
    return false;
}

static void write_picture(const char *folder, unsigned number)
{
    char path[4096];
    const struct qr_matrix *matrix = &code.matrix;
    unsigned side = (matrix->size_modules + 2 * QR_QUIET_MODULES) * MODULE_PIXELS;
    (void)snprintf(path, sizeof path, "%s/%05u.pgm", folder, number);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        fail("a picture cannot be written");
    (void)fprintf(file, "P5\n%u %u\n255\n", side, side);
    for (unsigned y = 0; y < side; y++) {
        for (unsigned x = 0; x < side; x++) {
            unsigned column = x / MODULE_PIXELS - QR_QUIET_MODULES;
            unsigned row = y / MODULE_PIXELS - QR_QUIET_MODULES;
            bool is_dark = column < matrix->size_modules && row < matrix->size_modules &&
                           qr_matrix_is_dark(matrix, column, row);
            (void)fputc(is_dark ? 0 : 255, file);
        }
    }
    if (fclose(file) != 0)
        fail("a picture cannot be written");
}

static bool encode(size_t length, bool is_report)
{
    if (!is_report)
        return qr_code_encode(&code, text, length, QR_VERSION_MAX);
    report_text_write(&packed, text, length, REPORT_TEXT_CAPACITY);
    return packed.report_size_bytes == length &&
           qr_code_encode(&code, packed.text, packed.length, QR_VERSION_MAX);
}

int main(int count, char **words)
{
    size_t length;
    if (count != 3)
        fail("name a folder, and texts or reports");
    for (unsigned number = 0; read_text(&length); number++) {
        if (!encode(length, strcmp(words[2], "reports") == 0))
            fail("a text does not fit");
        write_picture(words[1], number);
    }
    return 0;
}
