/*
 * packed_text.h - texts that the loader's file holds compressed.
 *
 * Firmware reads the loader from slow media, and a quarter of the loader was sentences that a good
 * boot never prints. So these texts lie in a section of their own. scripts/pack-loader.py compresses
 * it when the loader is linked, and the loader unpacks it in place before the first use. Every text
 * keeps its address. In the kernel and in host tests the texts are ordinary.
 *
 *   static const char words[] PACKED_SECTION = "…";   an array: read it through packed_text_read()
 *   PACKED("…")                                       an expression: the text, unpacked
 *   PACKED_FORMAT("… %s", name)                       a format for a function that unpacks it
 *
 * The texts are ASCII. Those of a good boot stay unpacked: unpacking takes 45 million instructions.
 */
#ifndef SHARED_TEXT_PACKED_TEXT_H
#define SHARED_TEXT_PACKED_TEXT_H

#ifdef HANDOFF_PACKED_TEXT
#define PACKED_SECTION __attribute__((section(".packed$m"), aligned(1)))

/* Unpack all texts if this is the first call. Return `text`. Any phase, also in a fault handler. */
const void *packed_text_read(const void *text);
#else
#define PACKED_SECTION

static inline const void *packed_text_read(const void *text)
{
    return text;
}
#endif

/* The type keeps a format from being read before it is unpacked. */
struct packed_text {
    const char *text;
};

#define PACKED_TEXT(literal)                                                                       \
    ({                                                                                             \
        static const char packed_literal[] PACKED_SECTION = literal;                               \
        (struct packed_text){packed_literal};                                                      \
    })

#define PACKED(literal) ((const char *)packed_text_read(PACKED_TEXT(literal).text))

/* Never called: the compiler compares a format with its arguments. */
int packed_text_check(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define PACKED_FORMAT(format, ...)                                                                 \
    ((void)sizeof(packed_text_check(format, ##__VA_ARGS__)), PACKED_TEXT(format))

/* format_text() with a packed format. */
#define format_packed(buffer, capacity_bytes, format, ...)                                         \
    ((void)sizeof(packed_text_check(format, ##__VA_ARGS__)),                                       \
     format_text(buffer, capacity_bytes, PACKED(format), ##__VA_ARGS__))

#endif
