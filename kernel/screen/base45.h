/*
 * base45.h - bytes as letters that fit densely into a QR code (RFC 9285).
 *
 * Two bytes become three of 45 characters, the lowest digit first. A last single byte becomes two.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_BASE45_H
#define KERNEL_SCREEN_BASE45_H

#include <stddef.h>
#include <stdint.h>

/* The number of characters for a number of bytes. */
#define BASE45_LENGTH(size_bytes) ((size_bytes) / 2 * 3 + (size_bytes) % 2 * 2)

/* Write BASE45_LENGTH(size_bytes) characters, without a NUL, and return their number. */
size_t base45_encode(const uint8_t *bytes, size_t size_bytes, char *text);

/* Return the value of a character of the alphabet, or 45. A QR code has the same values. */
unsigned base45_value(char character);

#endif
