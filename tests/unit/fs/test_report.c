/* SPDX-License-Identifier: MIT */
/* HTML and metrics of statuses that anybody may have written. */
#include "html.h"
#include "prometheus.h"
#include "report.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const char *const nonsense[] = {
    "{}",
    "{\"bytes\": {}, \"files\": {}, \"events\": 1, \"limits\": \"x\", \"commits\": []}",
    "{\"bytes\": {\"served\": \"x\"}, \"files\": [1, null, {}, {\"kind\": \"database\", \"map\": "
    "[]},"
    " {\"kind\": \"log\"}], \"events\": [2, {\"time\": \"never\"}], \"limits\": [[], {}],"
    " \"begin\": \"yesterday\", \"end\": 7, \"result\": []}",
    "{\"bytes\": {\"required\": -5}, \"seconds\": -3, \"begin\": \"2026-01-01T00:00:00Z\","
    " \"freeze\": {\"us\": -1}, \"files\": [{\"kind\": \"database\", \"size\": -1,"
    " \"map\": {\"pages\": 5, \"cell\": 1, \"runs\": \"5=\"}, \"bad_pages\": [{}]}]}",
};

static void
test_any_status_makes_a_page_and_metrics(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(nonsense); i++) {
        g_autoptr(JsonNode) root = json_from_string(nonsense[i], NULL);
        g_autofree char *page = html_page(json_node_get_object(root));
        g_autofree char *metrics = prometheus_text(json_node_get_object(root));
        assert_true(g_str_has_suffix(page, "</html>\n"));
        assert_true(g_str_has_prefix(metrics, "# HELP jetfs_"));
    }
}

static void
test_texts_are_escaped(void **state)
{
    static const char text[] =
        "{\"mountpoint\": \"/a\\\"b\\\\c\\n<script>\", \"result\": {\"text\":"
        " \"<script>&\"}, \"bytes\": {}}";
    g_autoptr(JsonNode) root = json_from_string(text, NULL);
    g_autofree char *page = html_page(json_node_get_object(root));
    g_autofree char *metrics = prometheus_text(json_node_get_object(root));
    assert_null(strstr(page, "<script"));
    assert_non_null(strstr(page, "&lt;script&gt;&amp;"));
    assert_non_null(
        strstr(metrics, "jetfs_session_result{mountpoint=\"/a\\\"b\\\\c\\n<script>\"} 0\n"));
}

static void
test_numbers_for_people(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } durations[] = {{0, "0.0 s"},      {1.25, "1.2 s"},  {59, "59 s"},
                     {187, "3:07 min"}, {3600, "1:00 h"}, {90061, "25:01 h"}};
    for (size_t i = 0; i < G_N_ELEMENTS(durations); i++) {
        g_autofree char *text = report_duration(durations[i].seconds);
        assert_string_equal(text, durations[i].text);
    }
    g_autofree char *us = report_latency(999), *ms = report_latency(2440);
    assert_string_equal(us, "999 µs");
    assert_string_equal(ms, "2.4 ms");
    assert_true(report_time("2026-11-23T03:00:00.500Z") - 1795402800.5 < 0.001);
    assert_true(report_time("soon") < 0.001);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_status_makes_a_page_and_metrics),
        cmocka_unit_test(test_texts_are_escaped),
        cmocka_unit_test(test_numbers_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
