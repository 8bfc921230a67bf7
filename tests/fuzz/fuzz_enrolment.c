/* The list of enrolled files: any text has hashes and paths, or none, and both ways to look agree. */
#include <string.h>

#include "bootloader/pure/enrolment.h"
#include "tests/fuzz/require.h"

#define PATH_CAPACITY 32

/* The first bytes are the path, and the rest is the list. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    char path[PATH_CAPACITY] = "";
    size_t path_bytes = size_bytes < PATH_CAPACITY - 1 ? size_bytes : PATH_CAPACITY - 1;
    memcpy(path, bytes, path_bytes);
    struct piece list = {(const char *)bytes + path_bytes, size_bytes - path_bytes};
    struct sha256 hash;
    struct sha256 again;
    char text[SHA256_TEXT_CAPACITY];

    if (enrolment_find(list, path, &hash)) {
        require(enrolment_has(list, &hash));
        sha256_format(&hash, text);
        require(sha256_parse((struct piece){text, SHA256_DIGIT_COUNT}, &again));
        require(sha256_equals(&hash, &again));
    }
    sha256_of(bytes, size_bytes, &hash);
    require(!enrolment_has(list, &hash)); /* no text contains its own hash */
    return 0;
}
