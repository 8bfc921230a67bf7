/* Programs that use the edges of the heap, for test_edges.py: edges NAME [NUMBER]... */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_COUNT 20000
#define BLOCK_BYTES 4000

/* Volatile, so that the compiler does not optimise the misuse away. */
static uint8_t *volatile pointer;

static void *allocate(size_t size_bytes)
{
    void *block = malloc(size_bytes);
    if (block == NULL)
        exit(2);
    return block;
}

/* Return the size of the part of this process that is in RAM. */
static long resident_kib(void)
{
    long total_pages = 0;
    long resident_pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total_pages, &resident_pages) != 2)
        exit(2);
    (void)fclose(file);
    return resident_pages * 4;
}

static void write_after_free(size_t size_bytes, size_t offset)
{
    pointer = memset(allocate(size_bytes), 1, size_bytes);
    free(pointer);
    pointer[offset] ^= 1;
    free(allocate(50));
}

/* Change each byte. A fixed byte equals a canary in 1 of 256 cases, and then nothing was written over. */
static void change(volatile uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] ^= 1;
}

static void overrun(size_t size_bytes, size_t count)
{
    uint8_t *volatile before = allocate(size_bytes);
    pointer = allocate(size_bytes);
    uint8_t *volatile behind = allocate(size_bytes);
    change(pointer + size_bytes, count);
    free(pointer);
    free(before);
    free(behind);
}

static void underrun(size_t size_bytes, size_t count)
{
    pointer = allocate(size_bytes);
    change(pointer - count, count);
    free(pointer);
}

/* Use only one page of a large block. */
static void use_little_of_much(size_t size_bytes)
{
    long before_kib = resident_kib();
    pointer = allocate(size_bytes);
    pointer[size_bytes / 2] = 1;
    long used_kib = resident_kib() - before_kib;
    free(pointer);
    long freed_kib = resident_kib() - before_kib;
    printf("%ld %ld\n", used_kib, freed_kib);
}

/* Trim a heap whose last block is live. */
static void trim(void)
{
    static uint8_t *volatile blocks[BLOCK_COUNT];
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        blocks[i] = memset(allocate(BLOCK_BYTES), (int)i, BLOCK_BYTES);
    for (size_t i = 0; i < BLOCK_COUNT - 1; i++) {
        if (i % 1000 != 0)
            free(blocks[i]);
    }
    long before_kib = resident_kib();
    int has_given = malloc_trim(0);
    long after_kib = resident_kib();
    for (size_t i = 0; i < BLOCK_COUNT; i += 1000) {
        for (size_t k = 0; k < BLOCK_BYTES; k++) {
            if (blocks[i][k] != (uint8_t)i)
                exit(3);
        }
        free(blocks[i]);
    }
    for (size_t i = 0; i < BLOCK_COUNT - 1; i++)
        blocks[i] = memset(allocate(BLOCK_BYTES), 1, BLOCK_BYTES);
    printf("%d %ld %ld\n", has_given, before_kib, after_kib);
}

int main(int argument_count, char **arguments)
{
    const char *name = argument_count > 1 ? arguments[1] : "";
    size_t first = argument_count > 2 ? strtoull(arguments[2], NULL, 10) : 0;
    size_t second = argument_count > 3 ? strtoull(arguments[3], NULL, 10) : 0;
    if (strcmp(name, "write-after-free") == 0)
        write_after_free(first, second);
    else if (strcmp(name, "overrun") == 0)
        overrun(first, second);
    else if (strcmp(name, "underrun") == 0)
        underrun(first, second);
    else if (strcmp(name, "sparse") == 0)
        use_little_of_much(first);
    else if (strcmp(name, "trim") == 0)
        trim();
    else
        return 2;
    return 0;
}
