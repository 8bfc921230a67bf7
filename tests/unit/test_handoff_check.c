/* The check as a whole: a good handoff, and the report of a refusal. Catalogue group H; each
 * part of the check has a test of its own. */
#include "kernel/handoff/handoff_mismatch.h"
#include "kernel/handoff/handoff_temp_heap.h"
#include "kernel/mm/layout.h"
#include "tests/unit/support/handoff_expect.h"

static void test_good_handoff_is_accepted_and_viewed(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    assert_int_equal(handoff_expect_sealed(sample, &view), HANDOFF_CHECK_OK);
    assert_ptr_equal(view.handoff, sample->handoff);
    assert_int_equal(view.regions.count, SAMPLE_REGION_COUNT);
    assert_int_equal(region_list_at(&view.regions, 4)->type, HANDOFF_REGION_STACK);
    assert_string_equal(view.command_line, "once");
    assert_string_equal(view.log, "");
    assert_ptr_equal(view.efi_map, sample->data + SAMPLE_EFI_MAP_OFFSET);
    assert_string_equal(handoff_view_moment(&view, 1)->name, "a name of 23 characters");
    assert_int_equal(view.framebuffer_status, HANDOFF_FRAMEBUFFER_OK);
    assert_int_equal(handoff_temp_heap_check(&view), HANDOFF_TEMP_HEAP_OK);
}

/* A refusal is shown on the framebuffer if the tables map it, whatever else is wrong. */
static void test_screen_for_a_refusal(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_framebuffer screen;
    sample->handoff->kernel_size_bytes = PAGE_SIZE_BYTES;
    sample->handoff->regions.first = 0;
    handoff_expect_status(sample, HANDOFF_CHECK_REGIONS);
    assert_true(handoff_check_screen(sample->address, &sample->state, &screen));
    assert_memory_equal(&screen, handoff_sample_framebuffer(sample), sizeof(screen));
    handoff_sample_framebuffer(sample)->base = SAMPLE_USABLE_BASE; /* RAM */
    handoff_sample_seal(sample);
    assert_false(handoff_check_screen(sample->address, &sample->state, &screen));
    handoff_sample_framebuffer(sample)->base = SAMPLE_FRAMEBUFFER_BASE;
    sample->handoff->arch.x86_64.page_table_root += PAGE_SIZE_BYTES;
    handoff_sample_seal(sample);
    assert_false(handoff_check_screen(sample->address, &sample->state, &screen));
    assert_false(handoff_check_screen(virt_addr(0), &sample->state, &screen));
}

static void numbers_are(const struct handoff_sample *sample, enum handoff_check_status status,
                        uint64_t handed_over, uint64_t known)
{
    struct handoff_mismatch mismatch;
    assert_true(handoff_mismatch_find(sample->address, &sample->state, status, &mismatch));
    assert_int_equal(mismatch.handed_over, handed_over);
    assert_int_equal(mismatch.known, known);
}

static void test_refusal_of_a_number_names_both(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_mismatch untouched = {1, 2};
    sample->handoff->arch.x86_64.page_table_root = 2;
    sample->handoff->kernel_virtual_base = 3;
    sample->handoff->kernel_size_bytes = 4;
    sample->handoff->kernel_entry = 5;
    sample->handoff->kernel_slide = 7;
    sample->handoff->stack_virtual_base = 6;
    numbers_are(sample, HANDOFF_CHECK_PAGE_TABLE_ROOT, 2, SAMPLE_TABLES_BASE);
    numbers_are(sample, HANDOFF_CHECK_KERNEL_BASE, 3, LAYOUT_KERNEL_IMAGE_BASE);
    numbers_are(sample, HANDOFF_CHECK_KERNEL_SIZE, 4, SAMPLE_KERNEL_SIZE);
    numbers_are(sample, HANDOFF_CHECK_KERNEL_ENTRY, 5, SAMPLE_ENTRY);
    numbers_are(sample, HANDOFF_CHECK_KERNEL_SLIDE, 7, 0);
    numbers_are(sample, HANDOFF_CHECK_STACK_POINTER, 6, sample->state.stack_pointer.value);
    assert_false(handoff_mismatch_find(virt_addr(0), &sample->state, HANDOFF_CHECK_POINTER_NULL,
                                       &untouched));
    assert_int_equal(untouched.handed_over, 1);
    assert_int_equal(untouched.known, 2);
}

static void test_every_reason_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = HANDOFF_CHECK_OK; a <= HANDOFF_CHECK_STRAY_REGION; a++) {
        for (int b = HANDOFF_CHECK_OK; b < a; b++)
            assert_string_not_equal(handoff_check_status_text((enum handoff_check_status)a),
                                    handoff_check_status_text((enum handoff_check_status)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_good_handoff_is_accepted_and_viewed),
        HANDOFF_TEST(test_screen_for_a_refusal),
        HANDOFF_TEST(test_refusal_of_a_number_names_both),
        HANDOFF_TEST(test_every_reason_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
