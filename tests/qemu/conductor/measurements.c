/*
 * measurements.c - a TPM that the machine does not have, and what the machine's own TPM holds.
 *
 * Plan:
 *   fake-tpm           the firmware has a TPM 2.0 that only tells each measurement on COM1
 *   fake-tpm-gone      … and says that its TPM is not present
 *   measure-fails-at N the N-th measurement fails with a device error
 *   log-full-at N      the N-th measurement is made, and the event log is full
 *   show-measurements  at ExitBootServices print the event log and the registers of the real TPM
 */
#include "shared/crc32.h"
#include "shared/memory.h"
#include "tests/qemu/conductor/stage.h"

/* TCG EFI Protocol Specification, section 6. */
struct tcg2_event {
    UINT32 size_bytes;
    UINT32 header_size_bytes;
    UINT16 header_version;
    UINT16 pcr[2];
    UINT16 type[2];
    char text[];
} __attribute__((packed));

struct tcg2 {
    EFI_STATUS (*get_capability)(struct tcg2 *, uint8_t *);
    EFI_STATUS(*get_event_log)
    (struct tcg2 *, UINT32, EFI_PHYSICAL_ADDRESS *, EFI_PHYSICAL_ADDRESS *, BOOLEAN *);
    EFI_STATUS (*measure)(struct tcg2 *, UINT64, EFI_PHYSICAL_ADDRESS, UINT64, struct tcg2_event *);
    EFI_STATUS (*submit)(struct tcg2 *, UINT32, uint8_t *, UINT32, uint8_t *);
};

#define PRESENT_OFFSET    16
#define CAPABILITY_BYTES  36
#define CRYPTO_AGILE_LOG  2
#define LAST_EVENT_BYTES  2048
#define REGISTER_COUNT    16
#define LINE_BYTES        64
#define PCR_READ_BYTES    20
#define RESPONSE_BYTES    128
#define EVENT_FIXED_BYTES 18

static EFI_GUID guid = {
    0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};

/* --- The TPM that is not there --- */

static EFI_STATUS get_capability(struct tcg2 *self, uint8_t *capability)
{
    (void)self;
    memset(capability + 1, 0, CAPABILITY_BYTES - 1);
    capability[PRESENT_OFFSET] = !plan_has(&stage.plan, "fake-tpm-gone", NULL);
    return EFI_SUCCESS;
}

static EFI_STATUS measure(struct tcg2 *self, UINT64 flags, EFI_PHYSICAL_ADDRESS bytes,
                          UINT64 size_bytes, struct tcg2_event *event)
{
    static uint64_t calls;
    uint64_t number;
    (void)self;
    calls++;
    if (plan_has(&stage.plan, "measure-fails-at", &number) && number == calls)
        return EFI_DEVICE_ERROR;
    say("measured pcr=%u type=%u flags=%llu header=%u,%u size=%llu crc=%08x: %.*s", event->pcr[0],
        event->type[0], flags, event->header_size_bytes, event->header_version, size_bytes,
        crc32_update(0, (const void *)bytes, size_bytes),
        (int)event->size_bytes - EVENT_FIXED_BYTES, event->text);
    return plan_has(&stage.plan, "log-full-at", &number) && number == calls ? EFI_VOLUME_FULL
                                                                            : EFI_SUCCESS;
}

void measurements_install(void)
{
    static struct tcg2 fake = {get_capability, NULL, measure, NULL};
    EFI_HANDLE handle = NULL;
    if (!plan_has(&stage.plan, "fake-tpm", NULL) && !plan_has(&stage.plan, "fake-tpm-gone", NULL))
        return;
    if (EFI_ERROR(
            stage.firmware->InstallProtocolInterface(&handle, &guid, EFI_NATIVE_INTERFACE, &fake)))
        say("the TPM cannot be published");
}

/* --- The machine's TPM --- */

static void say_bytes(const char *name, const uint8_t *bytes, size_t size_bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t done = 0; done < size_bytes; done += LINE_BYTES) {
        char text[2 * LINE_BYTES + 1];
        size_t count = size_bytes - done < LINE_BYTES ? size_bytes - done : LINE_BYTES;
        for (size_t i = 0; i < count; i++) {
            text[2 * i] = digits[bytes[done + i] >> 4];
            text[2 * i + 1] = digits[bytes[done + i] & 15];
        }
        text[2 * count] = '\0';
        say("%s %s", name, text);
    }
}

/* TPM2_PCR_Read of one register of the SHA-256 bank (TPM 2.0 Library, part 3, section 22.4). */
static void show_register(struct tcg2 *tpm, unsigned number)
{
    uint8_t command[PCR_READ_BYTES] = {0x80, 1, 0, 0, 0, PCR_READ_BYTES, 0, 0, 1, 0x7e,
                                       0,    0, 0, 1, 0, 0x0b,           3};
    uint8_t response[RESPONSE_BYTES] = {0};
    char name[] = "pcr 00";
    command[17 + number / 8] = (uint8_t)(1u << number % 8);
    name[4] = (char)('0' + number / 10);
    name[5] = (char)('0' + number % 10);
    EFI_STATUS status = tpm->submit(tpm, sizeof command, command, sizeof response, response);
    if (EFI_ERROR(status) || response[5] < 32)
        say("%s cannot be read: %llx", name, status);
    else
        say_bytes(name, response + response[5] - 32, 32);
}

void measurements_show(void)
{
    EFI_PHYSICAL_ADDRESS first;
    EFI_PHYSICAL_ADDRESS last;
    BOOLEAN is_cut = FALSE;
    VOID *found = NULL;
    if (!plan_has(&stage.plan, "show-measurements", NULL))
        return;
    if (EFI_ERROR(stage.firmware->LocateProtocol(&guid, NULL, &found))) {
        say("there is no TPM");
        return;
    }
    struct tcg2 *tpm = found;
    EFI_STATUS status = tpm->get_event_log(tpm, CRYPTO_AGILE_LOG, &first, &last, &is_cut);
    if (EFI_ERROR(status) || first == 0 || is_cut) {
        say("there is no event log: %llx", status);
        return;
    }
    say("the last event is at %llu", last - first);
    say_bytes("log", (const uint8_t *)first, last - first + LAST_EVENT_BYTES);
    for (unsigned number = 0; number < REGISTER_COUNT; number++)
        show_register(tpm, number);
    say("the measurements end");
}
