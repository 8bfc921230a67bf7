/*
 * test_no_execute.c - on which CPUs the firmware may have switched no-execute pages off.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/arch/x86_64/no_execute.h"

/* CPUID leaf 1, EAX, of real CPUs. */
#define BANIAS     0x00000695 /* family 6, model 9 */
#define DOTHAN     0x000006d8 /* family 6, model 13 */
#define NEHALEM    0x000106a5 /* family 6, model 26 */
#define PENTIUM_4  0x00000f43 /* family 15 */
#define PENTIUM    0x00000543 /* family 5 */
#define PRESCOTT_6 0x00000f64

static struct no_execute_facts facts_of(const char *vendor, uint32_t signature, bool has_no_execute)
{
    struct no_execute_facts facts = {{0}, signature, has_no_execute};
    for (size_t i = 0; i < 3; i++)
        memcpy(&facts.vendor[i], vendor + 4 * i, 4);
    return facts;
}

static bool may_be_off(const char *vendor, uint32_t signature)
{
    struct no_execute_facts facts = facts_of(vendor, signature, true);
    assert_false(no_execute_may_be_off(&facts));
    facts.has_no_execute = false;
    return no_execute_may_be_off(&facts);
}

static void test_L5_intel_cpus(void **state)
{
    (void)state;
    assert_true(may_be_off("GenuineIntel", DOTHAN));
    assert_true(may_be_off("GenuineIntel", NEHALEM));
    assert_true(may_be_off("GenuineIntel", PENTIUM_4));
    assert_true(may_be_off("GenuineIntel", PRESCOTT_6));
    assert_false(may_be_off("GenuineIntel", BANIAS));
    assert_false(may_be_off("GenuineIntel", PENTIUM));
    assert_false(may_be_off("GenuineIntel", 0));
}

/* Their MISC_ENABLE does not exist, or it is something else. */
static void test_L5_cpus_of_others(void **state)
{
    (void)state;
    assert_false(may_be_off("AuthenticAMD", NEHALEM));
    assert_false(may_be_off("CentaurHauls", NEHALEM));
    assert_false(may_be_off("GenuineIotel", NEHALEM));
    assert_false(may_be_off("GenuineIntex", NEHALEM));
    assert_false(may_be_off("\0\0\0\0\0\0\0\0\0\0\0\0", NEHALEM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_L5_intel_cpus),
        cmocka_unit_test(test_L5_cpus_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
