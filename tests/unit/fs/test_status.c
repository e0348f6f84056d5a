/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

static struct status
failed_start(struct events *events)
{
    return (struct status) {
        .state = "done",
        .result = EXIT_ENVIRONMENT,
        .code = JET_errBackupInProgress,
        .text = "it says \"why\"",
        .source = "/data",
        .mountpoint = "/mnt",
        .status_file = "/mnt.status.json",
        .mode = "frozen",
        .cache = "window",
        .end_us = 1,
        .events = events,
    };
}

static void
test_what_is_written_is_read_back(void **state)
{
    struct events *events = events_new("test");
    struct status status = failed_start(events);
    g_autofree char *text = status_to_text(&status);
    struct status_summary summary;

    assert_true(status_parse(text, &summary));
    assert_string_equal(summary.state, "done");
    assert_int_equal(summary.result, EXIT_ENVIRONMENT);
    assert_string_equal(summary.result_name, "failed");
    assert_string_equal(summary.text, "it says \"why\"");
    assert_string_equal(summary.status_file, "/mnt.status.json");
    assert_int_equal(summary.pid, getpid());
    assert_int_equal(summary.start_ticks, status_process_start(getpid()));
    status_summary_clear(&summary);
    events_free(events);
}

static void
test_replaced_result_keeps_the_rest(void **state)
{
    struct events *events = events_new("test");
    struct status status = failed_start(events);
    status.state = "running";
    g_autofree char *text = status_to_text(&status);
    struct status_summary summary;

    assert_true(status_parse(text, &summary));
    g_autofree char *changed = status_with_result(&summary, EXIT_DRIVER_DIED, "killed");
    status_summary_clear(&summary);
    assert_true(status_parse(changed, &summary));
    assert_string_equal(summary.state, "done");
    assert_string_equal(summary.result_name, "driver-died");
    assert_string_equal(summary.mountpoint, "/mnt");
    status_summary_clear(&summary);
    events_free(events);
}

static void
test_what_is_no_status_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"state\": 1, \"result\": {}, \"driver\": {}}",
        "{\"state\": \"done\", \"result\": [], \"driver\": {}}",
        "{\"state\": {}, \"result\": {}, \"driver\": {}}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct status_summary summary;
        bool parsed = status_parse(texts[i], &summary);
        if (parsed)
            fail_msg("taken for a status: %s", texts[i]);
        status_summary_clear(&summary);
    }
}

static void
test_process_that_is_not_there_has_no_start(void **state)
{
    assert_int_equal(status_process_start(0), 0);
    assert_int_equal(status_process_start(-1), 0);
    assert_int_equal(status_process_start(1 << 30), 0);
    assert_true(status_process_start(getpid()) > 0);
}

static void
test_events_are_bounded(void **state)
{
    struct events *events = events_new("test");
    g_autoptr(JsonBuilder) builder = json_builder_new();

    events_to_syslog(events);
    for (int i = 0; i < 250; i++)
        events_add(events, "event %d", i);
    json_builder_begin_object(builder);
    events_to_json(events, builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    JsonArray *array = json_object_get_array_member(json_node_get_object(root), "events");
    assert_int_equal(json_array_get_length(array), 100);
    assert_string_equal(
        json_object_get_string_member(json_array_get_object_element(array, 99), "text"),
        "event 249");
    events_free(events);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_replaced_result_keeps_the_rest),
        cmocka_unit_test(test_what_is_no_status_is_refused),
        cmocka_unit_test(test_process_that_is_not_there_has_no_start),
        cmocka_unit_test(test_events_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
