/*
 * sbat.c - the section .sbat, by which shim and firmware can revoke old versions of this loader
 * (SBAT.md of the shim project). The second number of each line is the generation. It grows by one
 * with the release that closes a hole of the loader.
 */
#define SBAT_TEXT                                                                                  \
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"                \
    "handoff,1,Handoff,handoff," HANDOFF_VERSION_TEXT ",file:docs/SECURE-BOOT.md\n"

/* Without a NUL. */
__attribute__((used, section(".sbat"))) static const char sbat[sizeof(SBAT_TEXT) - 1] = SBAT_TEXT;
