/*
 * where.c - a plugin for QEMU that counts where a loader's instructions run, for bench_boot.py --where.
 *
 * Arguments, as key=value:
 *   code    the first bytes of the loader's entry, in hexadecimal
 *   rva     the distance of the entry from the image's start, in hexadecimal
 *   size    the size of the loader's image, in hexadecimal
 *   out     the file of the report
 *
 * It counts from the loader's first instruction to the first one in the upper half, which is the
 * kernel's. The report has one line `total inside`, and one line for each block of instructions
 * that ran: `instructions runs address text`. An instruction with a repeat prefix counts each time
 * that it repeats, as for QEMU's own counter.
 *
 * QEMU 7.2's packages have no header for plugins. So the few functions are declared here (version 1 of
 * the interface).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t plugin,
                                           void (*call)(uint64_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block,
                                          void (*call)(unsigned, void *), int flags, void *context);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation,
                                              void *counter, uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *instruction);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(uint64_t plugin, const void *information, int count, char **words);

#define UPPER_HALF          (UINT64_C(1) << 63)
#define CODE_CAPACITY_BYTES 64
#define TEXT_CAPACITY_BYTES 200
#define BUCKET_COUNT        65536

/* Blocks with one start and different ends are different ones. They are never freed. */
struct block {
    uint64_t address;
    uint64_t instruction_count;
    uint64_t run_count;
    char text[TEXT_CAPACITY_BYTES];
    struct block *next;
};

static struct block *buckets[BUCKET_COUNT];
static uint8_t code[CODE_CAPACITY_BYTES];
static size_t code_size_bytes;
static uint64_t entry_rva, image_size_bytes, image_start;
static FILE *report;
static enum { WAITING, COUNTING, DONE } state;

static void describe(struct block *block, const struct qemu_plugin_tb *translated)
{
    size_t length = 0;
    for (size_t i = 0; i < block->instruction_count && length < sizeof block->text; i++) {
        char *text = qemu_plugin_insn_disas(qemu_plugin_tb_get_insn(translated, i));
        length += (size_t)snprintf(block->text + length, sizeof block->text - length, "%s; ", text);
        free(text);
    }
}

static struct block *block_of(const struct qemu_plugin_tb *translated)
{
    uint64_t address = qemu_plugin_tb_vaddr(translated);
    size_t instruction_count = qemu_plugin_tb_n_insns(translated);
    struct block **bucket = &buckets[(address ^ address >> 16) % BUCKET_COUNT];
    for (struct block *block = *bucket; block != NULL; block = block->next) {
        if (block->address == address && block->instruction_count == instruction_count)
            return block;
    }
    struct block *block = calloc(1, sizeof *block);
    if (block == NULL)
        abort();
    *block =
        (struct block){.address = address, .instruction_count = instruction_count, .next = *bucket};
    describe(block, translated);
    *bucket = block;
    return block;
}

static void print_block(const struct block *block, uint64_t *total, uint64_t *inside)
{
    uint64_t instructions = block->run_count * block->instruction_count;
    *total += instructions;
    if (block->address - image_start < image_size_bytes)
        *inside += instructions;
    if (instructions != 0)
        fprintf(report, "%" PRIu64 " %" PRIu64 " %" PRIx64 " %s\n", instructions, block->run_count,
                block->address, block->text);
}

static void end(unsigned processor, void *context)
{
    uint64_t total = 0, inside = 0;
    (void)processor;
    (void)context;
    if (state != COUNTING)
        return;
    state = DONE;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        for (const struct block *block = buckets[i]; block != NULL; block = block->next)
            print_block(block, &total, &inside);
    }
    fprintf(report, "%" PRIu64 " %" PRIu64 "\n", total, inside);
    fclose(report);
}

static void begin(unsigned processor, void *entry)
{
    (void)processor;
    if (state != WAITING)
        return;
    state = COUNTING;
    image_start = (uint64_t)entry - entry_rva;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        for (struct block *block = buckets[i]; block != NULL; block = block->next)
            block->run_count = 0;
    }
}

/* Images lie at whole pages. */
static bool is_entry(const struct qemu_plugin_tb *translated)
{
    size_t done_bytes = 0;
    size_t count = qemu_plugin_tb_n_insns(translated);
    if ((qemu_plugin_tb_vaddr(translated) - entry_rva) % 4096 != 0)
        return false;
    for (size_t i = 0; i < count && done_bytes < code_size_bytes; i++) {
        const struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(translated, i);
        size_t size_bytes = qemu_plugin_insn_size(instruction);
        if (size_bytes > code_size_bytes - done_bytes)
            size_bytes = code_size_bytes - done_bytes;
        if (memcmp(code + done_bytes, qemu_plugin_insn_data(instruction), size_bytes) != 0)
            return false;
        done_bytes += size_bytes;
    }
    return done_bytes == code_size_bytes;
}

/* QEMU calls it for each block that it is about to run for the first time. */
static void translate(uint64_t plugin, struct qemu_plugin_tb *translated)
{
    uint64_t address = qemu_plugin_tb_vaddr(translated);
    (void)plugin;
    if (state == DONE)
        return;
    if (state == WAITING && is_entry(translated))
        qemu_plugin_register_vcpu_tb_exec_cb(translated, begin, 0, (void *)address);
    if (state == COUNTING && address >= UPPER_HALF)
        qemu_plugin_register_vcpu_tb_exec_cb(translated, end, 0, NULL);
    else
        qemu_plugin_register_vcpu_tb_exec_inline(translated, 0, &block_of(translated)->run_count,
                                                 1);
}

static void take_code(const char *digits)
{
    unsigned byte;
    while (code_size_bytes < sizeof code && sscanf(digits, "%2x", &byte) == 1) {
        code[code_size_bytes++] = (uint8_t)byte;
        digits += 2;
    }
}

static void take_word(const char *word)
{
    if (strncmp(word, "code=", 5) == 0)
        take_code(word + 5);
    else if (strncmp(word, "rva=", 4) == 0)
        entry_rva = strtoull(word + 4, NULL, 16);
    else if (strncmp(word, "size=", 5) == 0)
        image_size_bytes = strtoull(word + 5, NULL, 16);
    else if (strncmp(word, "out=", 4) == 0)
        report = fopen(word + 4, "w");
}

int qemu_plugin_install(uint64_t plugin, const void *information, int count, char **words)
{
    (void)information;
    for (int i = 0; i < count; i++)
        take_word(words[i]);
    if (report == NULL || code_size_bytes == 0)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(plugin, translate);
    return 0;
}
