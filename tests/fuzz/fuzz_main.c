/* SPDX-License-Identifier: MIT */
/*
 * fuzz_main: drives a target without libFuzzer: its seeds, then a fixed number of mutations of
 * each, the same ones every time. So a short run is a test like any other.
 *
 *   fuzz-NAME                  the test
 *   fuzz-NAME -n N -s SEED     N mutations of each seed, from another beginning
 *   fuzz-NAME -w DIR           writes the seeds to DIR, as a corpus for libFuzzer
 *   fuzz-NAME FILE...          runs these inputs
 *
 * The input at work when the process aborts is left in the file that FUZZ_CRASH names, if it does.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define ROUNDS_DEFAULT 3000

static const uint8_t *current;
static size_t current_len;

static void
on_abort(int sig)
{
    const char *path = getenv("FUZZ_CRASH");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (fd >= 0) {
        if (write(fd, current, current_len) < 0)
            _exit(99);
        close(fd);
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

/* From memory of exactly its length, so that ASan sees the first byte beyond. */
static void
run_one(const uint8_t *data, size_t len)
{
    uint8_t *exact = g_malloc(len ? len : 1);
    if (len)
        memcpy(exact, data, len);
    current = exact;
    current_len = len;
    LLVMFuzzerTestOneInput(exact, len);
    g_free(exact);
}

static void
mutate(GByteArray *input, GRand *rand)
{
    static const uint8_t edges[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x20, 0x1f};
    int changes = g_rand_int_range(rand, 1, 6);
    for (int i = 0; i < changes && input->len > 0; i++) {
        uint32_t at = (uint32_t)g_rand_int_range(rand, 0, (int)input->len);
        /* Lengths and counts stand at the two ends of most things. */
        if (g_rand_int_range(rand, 0, 3) == 0)
            at %= 64;
        else if (g_rand_int_range(rand, 0, 3) == 0)
            at = input->len - 1 - at % MIN(input->len, 64);
        switch (g_rand_int_range(rand, 0, 5)) {
        case 0:
            input->data[at] ^= (uint8_t)(1u << g_rand_int_range(rand, 0, 8));
            break;
        case 1:
            input->data[at] = edges[g_rand_int_range(rand, 0, (int)sizeof(edges))];
            break;
        case 2:
            input->data[at] = (uint8_t)g_rand_int(rand);
            break;
        case 3: { /* a piece from elsewhere */
            uint32_t from = (uint32_t)g_rand_int_range(rand, 0, (int)input->len);
            uint32_t n = 1 + g_rand_int(rand) % 16;
            n = MIN(n, MIN(input->len - from, input->len - at));
            memmove(input->data + at, input->data + from, n);
            break;
        }
        default:
            if (g_rand_int_range(rand, 0, 8) == 0)
                g_byte_array_set_size(input, at + 1);
            else
                input->data[at] = (uint8_t)(input->data[at] + g_rand_int_range(rand, -2, 3));
        }
    }
}

static void
run_mutations(uint32_t start, int rounds)
{
    g_autoptr(GByteArray) seed = g_byte_array_new(), input = g_byte_array_new();
    for (unsigned i = 0; g_byte_array_set_size(seed, 0), fuzz_seed(i, seed); i++) {
        run_one(seed->data, seed->len);
        GRand *rand = g_rand_new_with_seed(start + i);
        for (int round = 0; round < rounds; round++) {
            g_byte_array_set_size(input, 0);
            g_byte_array_append(input, seed->data, seed->len);
            mutate(input, rand);
            run_one(input->data, input->len);
        }
        g_rand_free(rand);
    }
}

static int
write_seeds(const char *dir)
{
    g_autoptr(GByteArray) seed = g_byte_array_new();
    for (unsigned i = 0; g_byte_array_set_size(seed, 0), fuzz_seed(i, seed); i++) {
        g_autofree char *path = g_strdup_printf("%s/seed-%u", dir, i);
        if (!g_file_set_contents(path, (char *)seed->data, (gssize)seed->len, NULL))
            return 1;
    }
    return 0;
}

static int
run_file(const char *path)
{
    g_autofree char *data = NULL;
    size_t len = 0;
    if (!g_file_get_contents(path, &data, &len, NULL))
        return 1;
    run_one((uint8_t *)data, len);
    return 0;
}

int
main(int argc, char **argv)
{
    uint32_t start = 1;
    int rounds = ROUNDS_DEFAULT, opt;
    signal(SIGABRT, on_abort);
    while ((opt = getopt(argc, argv, "n:s:w:")) != -1) {
        if (opt == 'n')
            rounds = atoi(optarg);
        else if (opt == 's')
            start = (uint32_t)atoi(optarg);
        else if (opt == 'w')
            return write_seeds(optarg);
        else
            return 2;
    }
    int failed = 0;
    for (int i = optind; i < argc; i++)
        failed |= run_file(argv[i]);
    if (optind == argc)
        run_mutations(start, rounds);
    return failed;
}
