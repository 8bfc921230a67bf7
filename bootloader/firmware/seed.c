#include "bootloader/firmware/seed.h"

#include "bootloader/arch.h"
#include "shared/memory.h"

static bool seed_from_firmware(uint8_t seed[SEED_SIZE_BYTES])
{
    static const EFI_GUID guid = EFI_RNG_PROTOCOL_GUID;
    EFI_RNG_PROTOCOL *generator = firmware_service(&guid);
    return generator != NULL &&
           !EFI_ERROR(generator->GetRNG(generator, NULL, SEED_SIZE_BYTES, seed));
}

/* Some CPUs always return the same number after a suspend. Equal neighbours reveal this. */
static bool seed_from_cpu(uint8_t seed[SEED_SIZE_BYTES])
{
    uint64_t words[SEED_SIZE_BYTES / sizeof(uint64_t)];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!arch_random(&words[i]) || (i > 0 && words[i] == words[i - 1]))
            return false;
    }
    memcpy(seed, words, sizeof(words));
    return true;
}

enum handoff_seed_source seed_gather(uint8_t ret_seed[SEED_SIZE_BYTES])
{
    if (seed_from_firmware(ret_seed))
        return HANDOFF_SEED_EFI_RNG;
    if (seed_from_cpu(ret_seed))
        return HANDOFF_SEED_CPU;
    memset(ret_seed, 0, SEED_SIZE_BYTES); /* a generator that failed may have written a part */
    return HANDOFF_SEED_NONE;
}
