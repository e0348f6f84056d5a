/* SPDX-License-Identifier: MIT */
/*
 * fuzz: one target of a fuzzer, driven by libFuzzer or by fuzz_main.c.
 *
 * A target takes any bytes and aborts when a promise of the code under test is broken; sanitizers
 * see the rest. Its seeds are good inputs, made by itself, from which mutations start.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Appends seed number i (from 0) to out; false: there is none. */
bool fuzz_seed(unsigned i, GByteArray *out);

/* Unlike g_assert never compiled out, and said so that the input can be found again. */
#define FUZZ_HOLDS(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
