#include "bootloader/firmware/tpm.h"

#include "shared/memory.h"
#include "shared/text/text.h"

/* gnu-efi has none of these. Names as in the specification, section 6. */
struct tcg2_capability {
    UINT8 size_bytes;
    UINT8 structure_version[2];
    UINT8 protocol_version[2];
    UINT8 padding[3];
    UINT32 hash_algorithms;
    UINT32 logs;
    BOOLEAN is_tpm_present;
    UINT16 command_limit_bytes;
    UINT16 response_limit_bytes;
    UINT32 manufacturer;
    UINT32 bank_count;
    UINT32 active_banks;
};
_Static_assert(offsetof(struct tcg2_capability, is_tpm_present) == 16, "section 6.4.3");

struct __attribute__((packed)) tcg2_event {
    UINT32 size_bytes;
    UINT32 header_size_bytes;
    UINT16 header_version;
    UINT32 pcr;
    UINT32 type;
    char text[TPM_TEXT_LIMIT_BYTES];
};
#define EVENT_FIXED_BYTES    offsetof(struct tcg2_event, text)
#define EVENT_HEADER_BYTES   (EVENT_FIXED_BYTES - sizeof(UINT32))
#define EVENT_HEADER_VERSION 1
/* EV_IPL, which boot loaders use (TCG PC Client Platform Firmware Profile, section 10.4.1). */
#define EVENT_TYPE 0xd
_Static_assert(EVENT_FIXED_BYTES == 18, "section 6.6.3");

struct tcg2_protocol {
    EFI_STATUS(EFIAPI *get_capability)(struct tcg2_protocol *, struct tcg2_capability *);
    void *get_event_log;
    EFI_STATUS(EFIAPI *hash_log_extend_event)
    (struct tcg2_protocol *, UINT64 flags, EFI_PHYSICAL_ADDRESS bytes, UINT64 size_bytes,
     struct tcg2_event *);
};

void tpm_find(struct tpm *ret_tpm)
{
    static const EFI_GUID guid = {
        0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};
    struct tcg2_capability capability = {.size_bytes = sizeof(capability)};
    struct tcg2_protocol *protocol = firmware_service(&guid);
    ret_tpm->protocol = NULL;
    if (protocol != NULL && !EFI_ERROR(protocol->get_capability(protocol, &capability)) &&
        capability.is_tpm_present)
        ret_tpm->protocol = protocol;
}

EFI_STATUS tpm_measure(const struct tpm *tpm, unsigned pcr, const void *bytes, uint64_t size_bytes,
                       const char *text)
{
    static struct tcg2_event event; /* too large for the firmware's stack */
    struct tcg2_protocol *protocol = tpm->protocol;
    size_t text_bytes = text_length(text);
    memcpy(event.text, text, text_bytes);
    event.size_bytes = (UINT32)(EVENT_FIXED_BYTES + text_bytes);
    event.header_size_bytes = EVENT_HEADER_BYTES;
    event.header_version = EVENT_HEADER_VERSION;
    event.pcr = pcr;
    event.type = EVENT_TYPE;
    return protocol->hash_log_extend_event(protocol, 0, (EFI_PHYSICAL_ADDRESS)(uintptr_t)bytes,
                                           size_bytes, &event);
}
