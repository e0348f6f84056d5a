/* SPDX-License-Identifier: MIT */
/* ledger: see ledger.h for the format. */
#include "ledger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
append(int fd, const char *line, int size)
{
    ssize_t n = write(fd, line, (size_t)size);
    if (n == size)
        return 0;
    return n < 0 ? -errno : -EIO;
}

int
ledger_append_accounts(int fd, int accounts)
{
    char line[64];
    return append(fd, line, snprintf(line, sizeof line, "accounts %d\n", accounts));
}

int
ledger_append_run(int fd, int thread, int64_t seq)
{
    char line[64];
    return append(fd, line, snprintf(line, sizeof line, "run %d %lld\n", thread, (long long)seq));
}

int
ledger_append_commit(int fd, uint64_t commit_id, int thread, int64_t seq, bool durable,
                     const struct effect *e)
{
    char line[160];
    return append(fd, line,
                  snprintf(line, sizeof line, "%016llx %d %lld %c %c %lld %lld %lld\n",
                           (unsigned long long)commit_id, thread, (long long)seq,
                           durable ? 'D' : 'L', (char)e->kind, (long long)e->a, (long long)e->b,
                           (long long)e->amount));
}

int
ledger_append_end(int fd)
{
    return append(fd, "end\n", 4);
}

static GArray *
thread_entries(struct ledger *l, int thread)
{
    if (thread < 0 || thread >= THREADS_MAX)
        return NULL;
    if (l->entries[thread] == NULL)
        l->entries[thread] = g_array_new(FALSE, TRUE, sizeof(struct ledger_entry));
    l->threads = MAX(l->threads, thread + 1);
    return l->entries[thread];
}

/*
 * A new run knows what survived: later entries were lost lazily, one more was never acknowledged.
 * What survived is durable by then.
 */
static bool
read_run(struct ledger *l, int thread, long long seq)
{
    GArray *entries = thread_entries(l, thread);
    if (entries == NULL || seq < 0 || seq > (long long)entries->len + 1)
        return false;
    g_array_set_size(entries, (guint)seq);
    for (guint i = 0; i < entries->len; i++)
        g_array_index(entries, struct ledger_entry, i).durable = true;
    return true;
}

static bool
read_commit(struct ledger *l, const char *line)
{
    unsigned long long id;
    long long seq;
    long long a;
    long long b;
    long long amount;
    int thread;
    char durable;
    char kind;
    if (sscanf(line, "%16llx %d %lld %c %c %lld %lld %lld", &id, &thread, &seq, &durable, &kind, &a,
               &b, &amount) != 8)
        return false;
    GArray *entries = thread_entries(l, thread);
    if (entries == NULL || seq != (long long)entries->len + 1)
        return false;
    struct ledger_entry entry = {
        .commit_id = id,
        .durable = durable == 'D',
        .effect = {.kind = (enum kind)kind, .a = a, .b = b, .amount = amount},
    };
    g_array_append_val(entries, entry);
    return true;
}

static bool
read_line(struct ledger *l, const char *line)
{
    int thread;
    long long seq;
    l->ended = false;
    if (sscanf(line, "accounts %d", &l->accounts) == 1)
        return true;
    if (sscanf(line, "run %d %lld", &thread, &seq) == 2)
        return read_run(l, thread, seq);
    if (strcmp(line, "end") == 0)
        return l->ended = true;
    return read_commit(l, line);
}

bool
ledger_read(struct ledger *l, const char *path)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    *l = (struct ledger) {0};
    if (!g_file_get_contents(path, &text, NULL, &error)) {
        fprintf(stderr, "jetload: %s\n", error->message);
        return false;
    }
    int number = 1;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, number++) {
        *end = '\0';
        if (!read_line(l, line)) {
            fprintf(stderr, "jetload: %s:%d: not a ledger line: %s\n", path, number, line);
            ledger_free(l);
            return false;
        }
    }
    return true;
}

void
ledger_free(struct ledger *l)
{
    for (int i = 0; i < THREADS_MAX; i++)
        if (l->entries[i] != NULL)
            g_array_unref(l->entries[i]);
    *l = (struct ledger) {0};
}
