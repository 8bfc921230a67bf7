/*
 * map_decode.h - convert the content of a file to plain text, before the search for a memory map.
 *
 *   UTF-16, UTF-8 marks            as the UEFI shell and Windows write them
 *   control sequences, CR          a serial line: colours, cursor movements, line ends
 *   quoted-printable               a raw mail: soft line ends, =3D, =C2=A0
 *   HTML                           tags and references: <br>, &lt;, &#91;
 *   signs that look like ASCII     no-break spaces, typographic dashes and quotes
 *   escapes of log daemons, JSON   #012, #015, #033[0m, ^[[0m, \n, \u001b
 *
 * Pure: bytes in, bytes out, never more of them. Fuzzed by tests/fuzz/fuzz_map_text.c.
 */
#ifndef HOST_SIMULATOR_MAP_DECODE_H
#define HOST_SIMULATOR_MAP_DECODE_H

#include <stddef.h>

/* It ends a line of the result where the file has no line end: at a <br>, or at an escaped
 * newline. */
#define MAP_DECODE_SOFT_BREAK '\v'

/* It ends a line of the result, once for each further line of the file that was joined to it. So
 * the lines of the file can be counted. */
#define MAP_DECODE_JOINED '\f'

/* Decode in place, and return the new size in bytes. The only control characters of the result are
 * tab, line feed and the two above. */
size_t map_decode(char *text, size_t size_bytes);

#endif
