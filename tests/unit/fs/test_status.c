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
        .end = {.wall_us = 1},
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

#define S ((gint64)G_USEC_PER_SEC)

static JsonObject *
object_in(JsonObject *object, const char *name)
{
    return json_object_get_object_member(object, name);
}

/* Ten seconds, of which two were read in; the clock on the wall was set by `jump` meanwhile. */
static void
check_durations(gint64 jump)
{
    struct events *events = events_new("test");
    struct status status = failed_start(events);
    struct backup_file file = {.name = "edb00001.log", .path = "/x", .kind = FILE_LOG};
    struct backup backup = {.files = g_ptr_array_new(), .delivered_bytes = 40 << 20};
    struct status_summary summary;

    g_mutex_init(&file.lock);
    file.size = 4 << 20;
    file.served = served_new(file.size);
    file.delivered = 4 << 20;
    file.first_us = 1001 * S;
    file.last_us = 1003 * S;
    g_ptr_array_add(backup.files, &file);
    status.backup = &backup;
    status.begin = (struct moment) {1800000000 * S, 1000 * S};
    status.end = (struct moment) {1800000010 * S + jump, 1010 * S};
    g_autofree char *text = status_to_text(&status);
    assert_true(status_parse(text, &summary));

    JsonObject *root = json_node_get_object(summary.root);
    JsonObject *first =
        json_array_get_object_element(json_object_get_array_member(root, "files"), 0);
    assert_true(json_object_get_double_member(root, "seconds") == 10.0);
    assert_int_equal(json_object_get_int_member(object_in(root, "bytes"), "per_second"), 4 << 20);
    assert_int_equal(json_object_get_int_member(first, "per_second"), 2 << 20);
    assert_string_equal(json_object_get_string_member(first, "first_read"),
                        "2027-01-15T08:00:01.000Z");
    g_autofree char *end = events_time(1800000010 * S + jump);
    assert_string_equal(json_object_get_string_member(root, "end"), end);
    status_summary_clear(&summary);
    served_free(file.served);
    g_mutex_clear(&file.lock);
    g_ptr_array_unref(backup.files);
    events_free(events);
}

static void
test_durations_when_the_clock_is_set_are_as_they_were(void **state)
{
    check_durations(0);
    check_durations(3600 * S);
    check_durations(-3600 * S);
}

static void
test_a_moment_that_has_not_come_is_now(void **state)
{
    struct moment begin = moment_now(), never = {0}, end = {begin.wall_us - S, begin.boot_us + S};

    assert_in_range(moment_between(&begin, &never), 0, 10 * S);
    assert_int_equal(moment_between(&begin, &end), S);
    assert_int_equal(moment_between(&end, &begin), 0);
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
        cmocka_unit_test(test_durations_when_the_clock_is_set_are_as_they_were),
        cmocka_unit_test(test_a_moment_that_has_not_come_is_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
