#include "kernel/screen/base45.h"

#define BASE 45

static const char alphabet[BASE + 1] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

size_t base45_encode(const uint8_t *bytes, size_t size_bytes, char *text)
{
    size_t length = 0;
    for (size_t i = 0; i < size_bytes; i += 2) {
        unsigned digit_count = i + 1 < size_bytes ? 3 : 2;
        unsigned value = digit_count == 3 ? bytes[i] * 256u + bytes[i + 1] : bytes[i];
        for (; digit_count > 0; digit_count--, value /= BASE)
            text[length++] = alphabet[value % BASE];
    }
    return length;
}

unsigned base45_value(char character)
{
    unsigned value = 0;
    while (value < BASE && alphabet[value] != character)
        value++;
    return value;
}
