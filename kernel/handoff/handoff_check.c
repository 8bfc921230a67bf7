#include "kernel/handoff/handoff_check.h"

#include "kernel/handoff/handoff_data.h"
#include "kernel/handoff/handoff_framebuffer.h"
#include "kernel/handoff/handoff_modules.h"
#include "kernel/handoff/handoff_ownership.h"
#include "kernel/handoff/handoff_validation.h"
#include "kernel/handoff/handoff_regions.h"
#include "kernel/handoff/handoff_structure.h"
#include "kernel/handoff/handoff_tables.h"

/* The steps before the tables in force can be read. */
static enum handoff_check_status begin(struct virt_addr address, const struct entry_state *state,
                                       struct handoff_validation *validation)
{
    static const struct handoff_step STEPS[] = {{handoff_structure_check}, {handoff_tables_check}};
    *validation = (struct handoff_validation){.state = state};
    enum handoff_check_status status = handoff_structure_find(validation, address);
    if (status != HANDOFF_CHECK_OK)
        return status;
    return handoff_validation_run(validation, STEPS, sizeof(STEPS) / sizeof(STEPS[0]));
}

enum handoff_check_status handoff_check(struct virt_addr address, const struct entry_state *state,
                                        struct handoff_view *ret_view)
{
    static const struct handoff_step STEPS[] = {
        {handoff_data_check_block}, {handoff_regions_check}, {handoff_data_check},
        {handoff_ownership_check},  {handoff_modules_check},
    };
    struct handoff_validation validation;
    enum handoff_check_status status = begin(address, state, &validation);
    if (status == HANDOFF_CHECK_OK)
        status = handoff_validation_run(&validation, STEPS, sizeof(STEPS) / sizeof(STEPS[0]));
    if (status != HANDOFF_CHECK_OK)
        return status;
    validation.view.framebuffer_status =
        handoff_framebuffer_check(&validation, &validation.view.framebuffer);
    *ret_view = validation.view;
    return HANDOFF_CHECK_OK;
}

bool handoff_check_screen(struct virt_addr address, const struct entry_state *state,
                          struct handoff_framebuffer *ret_framebuffer)
{
    struct handoff_validation validation;
    struct handoff_framebuffer framebuffer;
    if (begin(address, state, &validation) != HANDOFF_CHECK_OK ||
        handoff_framebuffer_check_mapping(&validation, &framebuffer) != HANDOFF_FRAMEBUFFER_OK)
        return false;
    *ret_framebuffer = framebuffer;
    return true;
}
