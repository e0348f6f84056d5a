/* SPDX-License-Identifier: MIT */
/* event: an event reaches its file with id, name and inserts; information can be switched off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "instance/event.h"

static char *
event_file(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("jet-event-XXXXXX", &path, NULL);
    assert_true(fd >= 0);
    close(fd);
    return path;
}

static char *
slurp_and_remove(char *path)
{
    char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_unlink(path);
    g_free(path);
    return text;
}

static void
test_report_to_file_holds_id_name_and_inserts(void **state)
{
    char *path = event_file();
    struct events *ev = events_new(
        &(struct event_options) {.source = "app", .instance = "one", .file = path, .level = 100});
    event_report(ev, EVENT_BACKUP_FILE_START, "/d/a.edb", "12 Mb", NULL);
    events_free(ev);
    g_autofree char *text = slurp_and_remove(path);
    assert_non_null(strstr(text, " info 220 BACKUP_FILE_START: app ("));
    assert_non_null(strstr(text, ") one: Backup of file /d/a.edb (12 Mb) begins.\n"));
}

static void
test_information_is_dropped_when_switched_off_errors_are_not(void **state)
{
    char *path = event_file();
    struct events *ev =
        events_new(&(struct event_options) {.file = path, .no_information = true, .level = 100});
    event_report(ev, EVENT_BACKUP_STOP, NULL);
    event_report(ev, EVENT_BACKUP_STOP_ERROR, "-614", NULL);
    events_free(ev);
    g_autofree char *text = slurp_and_remove(path);
    assert_null(strstr(text, "213"));
    assert_non_null(strstr(text, " error 214 "));
    assert_non_null(strstr(text, "error -614."));
}

static void
count_event(void *ctx, enum event_id id, enum event_type type, const char *text)
{
    *(int *)ctx += id == EVENT_BACKUP_STOP && type == EVENT_INFORMATION && text != NULL;
}

static void
test_listener_sees_dropped_events(void **state)
{
    int seen = 0;
    struct events *ev = events_new(&(struct event_options) {.no_information = true});
    event_listen(count_event, &seen);
    event_report(ev, EVENT_BACKUP_STOP, NULL);
    event_listen(NULL, NULL);
    events_free(ev);
    assert_int_equal(seen, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_to_file_holds_id_name_and_inserts),
        cmocka_unit_test(test_information_is_dropped_when_switched_off_errors_are_not),
        cmocka_unit_test(test_listener_sees_dropped_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
