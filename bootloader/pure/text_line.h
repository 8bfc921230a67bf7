/*
 * text_line.h - the lines of a file. Pure.
 */
#ifndef BOOTLOADER_PURE_TEXT_LINE_H
#define BOOTLOADER_PURE_TEXT_LINE_H

#include "shared/text/piece.h"

/* Take the next line off the text, without its end (LF or CRLF). */
struct piece text_next_line(struct piece *text);

#endif
