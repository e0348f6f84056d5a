/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include "json_get.h"
#include "report.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SAMPLES        16       /* the pace is that of the last so many looks */
#define PLAIN_EVERY_US 10000000 /* a line at least so often */
#define PLAIN_PERCENT  10       /* or when it got so much further */
#define NAME_COLUMNS   14
#define TEXT_COLUMNS   50 /* what stands behind a bar */
#define BAR_MIN        8
#define BAR_MAX        40

struct sample {
    gint64 us, served;
};

struct progress {
    FILE *out;
    int columns;
    int lines; /* drawn, to be drawn over */
    struct sample samples[SAMPLES];
    unsigned n_samples;
    gint64 told_us; /* the last plain line */
    int told_percent;
};

int
progress_columns(FILE *out)
{
    struct winsize size;
    if (!isatty(fileno(out)))
        return 0;
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

struct progress *
progress_new(FILE *out, int columns)
{
    struct progress *p = g_new0(struct progress, 1);
    p->out = out;
    p->columns = columns;
    p->told_percent = -PLAIN_PERCENT;
    return p;
}

void
progress_free(struct progress *p)
{
    g_free(p);
}

char *
progress_bar(double fraction, int width)
{
    int inside = MAX(width - 2, 1), full = (int)(CLAMP(fraction, 0, 1) * inside);
    GString *bar = g_string_new("[");
    for (int i = 0; i < inside; i++)
        g_string_append_c(bar, i < full ? '=' : i == full ? '>' : ' ');
    g_string_append_c(bar, ']');
    return g_string_free(bar, FALSE);
}

/* Bytes a second over the samples kept; 0 = not known. */
static double
pace(struct progress *p, gint64 now_us, gint64 served)
{
    const struct sample *oldest = &p->samples[p->n_samples < SAMPLES ? 0 : p->n_samples % SAMPLES];
    double rate = 0;
    if (p->n_samples > 0 && now_us > oldest->us)
        rate = (double)(served - oldest->served) * G_USEC_PER_SEC / (double)(now_us - oldest->us);
    p->samples[p->n_samples++ % SAMPLES] = (struct sample) {now_us, served};
    return rate;
}

static double
share(gint64 part, gint64 whole)
{
    return whole > 0 ? (double)part / (double)whole : 1;
}

/* "1.2 GiB of 2.3 GiB, 210 MiB/s, 5 s left" */
static char *
amounts(gint64 served, gint64 size, double rate, bool with_time)
{
    g_autofree char *done = report_size(served), *all = report_size(size);
    g_autofree char *speed = report_size((gint64)rate);
    if (rate < 1)
        return g_strdup_printf("%s of %s", done, all);
    if (!with_time || served >= size)
        return g_strdup_printf("%s of %s, %s/s", done, all, speed);
    g_autofree char *left = report_duration((double)(size - served) / rate);
    return g_strdup_printf("%s of %s, %s/s, %s left", done, all, speed, left);
}

/* One line, cut at the edge of the terminal: a wrapped one could not be drawn over. */
static void
draw(struct progress *p, const char *name, double fraction, const char *text)
{
    int room = p->columns - NAME_COLUMNS - TEXT_COLUMNS - 9;
    g_autofree char *bar = progress_bar(fraction, CLAMP(room, BAR_MIN, BAR_MAX));
    g_autofree char *line = g_strdup_printf("%-*.*s %s %3d %%  %s", NAME_COLUMNS, NAME_COLUMNS,
                                            name, bar, (int)(100 * CLAMP(fraction, 0, 1)), text);
    g_autofree char *cut = g_utf8_substring(line, 0, MIN(g_utf8_strlen(line, -1), p->columns - 1));
    fprintf(p->out, "\033[2K%s\n", cut);
    p->lines++;
}

static void
draw_files(struct progress *p, JsonObject *root)
{
    JsonArray *files = json_get_array(root, "files");
    gint64 served = 0, size = 0, logs = 0;
    for (guint i = 0; i < json_get_length(files); i++) {
        JsonObject *file = json_get_element(files, i);
        gint64 file_size = json_get_int(file, "size"), file_served = json_get_int(file, "served");
        const char *kind = json_get_string(file, "kind");
        if (strcmp(kind, "database") == 0) {
            g_autofree char *text =
                amounts(file_served, file_size, (double)json_get_int(file, "per_second"), false);
            draw(p, json_get_string(file, "name"), share(file_served, file_size), text);
        } else if (strcmp(kind, "log") == 0) {
            logs++;
            size += file_size;
            served += json_get_bool(file, "complete") ? file_size : file_served;
        }
    }
    g_autofree char *text = amounts(served, size, 0, false);
    g_autofree char *name = g_strdup_printf("%d logs", (int)logs);
    if (logs > 0)
        draw(p, name, share(served, size), text);
}

static void
show_bars(struct progress *p, JsonObject *root, double fraction, const char *text)
{
    if (p->lines > 0)
        fprintf(p->out, "\033[%dA", p->lines);
    p->lines = 0;
    draw_files(p, root);
    draw(p, "total", fraction, text);
}

static void
show_line(struct progress *p, gint64 now_us, double fraction, const char *text)
{
    int percent = (int)(100 * fraction);
    if (percent < p->told_percent + PLAIN_PERCENT && now_us < p->told_us + PLAIN_EVERY_US)
        return;
    g_autofree char *time = events_time(g_get_real_time());
    fprintf(p->out, "%s %d %%, %s\n", time, percent, text);
    p->told_percent = percent;
    p->told_us = now_us;
}

void
progress_show(struct progress *p, JsonObject *root, gint64 now_us)
{
    JsonObject *bytes = json_get_object(root, "bytes");
    gint64 served = json_get_int(bytes, "served"), required = json_get_int(bytes, "required");
    if (bytes == NULL)
        return;
    g_autofree char *text = amounts(served, required, pace(p, now_us, served), true);
    if (p->columns > 0)
        show_bars(p, root, share(served, required), text);
    else
        show_line(p, now_us, share(served, required), text);
    fflush(p->out);
}
