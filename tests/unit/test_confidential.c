/*
 * test_confidential.c - which facts about a CPU mean a confidential guest. No such guest runs in
 * the tests, so every combination is decided here.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/arch/x86_64/confidential.h"

#define FEATURE_SME UINT32_C(1)
#define FEATURE_SEV UINT32_C(2)
#define FEATURE_ES  UINT32_C(8)

static void fill_tdx_name(struct confidential_facts *facts, const char *name)
{
    for (size_t i = 0; i < 3; i++)
        memcpy(&facts->tdx_name[i], name + 4 * i, 4);
}

static void assert_technology(const struct confidential_facts *facts, const char *expected)
{
    const char *technology = confidential_technology(facts);
    if (expected == NULL)
        assert_null(technology);
    else
        assert_string_equal(technology, expected);
}

static void test_L4_ordinary_machine(void **state)
{
    (void)state;
    struct confidential_facts facts = {{0}, 0, 0};
    assert_technology(&facts, NULL);
    fill_tdx_name(&facts, "GenuineIntel");
    assert_technology(&facts, NULL);
}

/* The three registers together are the name. */
static void test_L4_tdx(void **state)
{
    (void)state;
    struct confidential_facts facts = {{0}, 0, 0};
    fill_tdx_name(&facts, "IntelTDX    ");
    assert_technology(&facts, "Intel TDX");
    for (size_t i = 0; i < 3; i++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            struct confidential_facts other = facts;
            other.tdx_name[i] ^= UINT32_C(1) << bit;
            assert_technology(&other, NULL);
        }
    }
}

/* The highest of the active technologies is named. Other bits of SEV_STATUS change nothing. */
static void test_L4_every_sev_status(void **state)
{
    (void)state;
    static const char *const NAMES[8] = {NULL,          "AMD SEV",     "AMD SEV-ES",
                                         "AMD SEV-ES",  "AMD SEV-SNP", "AMD SEV-SNP",
                                         "AMD SEV-SNP", "AMD SEV-SNP"};
    for (unsigned features = 0; features < 32; features++) {
        for (unsigned status = 0; status < 8; status++) {
            struct confidential_facts facts = {{0}, features, status};
            bool has_status = (features & FEATURE_SEV) != 0;
            assert_int_equal(confidential_has_status(features), has_status);
            assert_technology(&facts, has_status ? NAMES[status] : NULL);
            facts.sev_status |= UINT64_C(0xfffffffffffffff8);
            assert_technology(&facts, has_status ? NAMES[status] : NULL);
        }
    }
}

/* A host that could run such guests is an ordinary machine. */
static void test_L4_host_with_the_features(void **state)
{
    (void)state;
    struct confidential_facts facts = {{0}, FEATURE_SME | FEATURE_SEV | FEATURE_ES, 0};
    assert_technology(&facts, NULL);
}

static void test_L4_tdx_has_precedence(void **state)
{
    (void)state;
    struct confidential_facts facts = {{0}, FEATURE_SEV, 7};
    fill_tdx_name(&facts, "IntelTDX    ");
    assert_technology(&facts, "Intel TDX");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_L4_ordinary_machine),
        cmocka_unit_test(test_L4_tdx),
        cmocka_unit_test(test_L4_every_sev_status),
        cmocka_unit_test(test_L4_host_with_the_features),
        cmocka_unit_test(test_L4_tdx_has_precedence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
