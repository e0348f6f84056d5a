/* SPDX-License-Identifier: MIT */
/*
 * scan: where does the log in this file end, and is what lies before the end whole? (log
 * format, 2.7)
 *
 * Used by the reader only; the rules are told in reader.h.
 */
#pragma once

#include <stdint.h>

#include "log/filehdr.h"
#include "log/reader.h"

/* Scans the image of a file (hdr->segments whole segments). Changes it: repairs single bits and
 * takes a torn segment from its shadow. */
void log_scan_image(uint8_t *image, const struct log_filehdr *hdr, bool last,
                    struct log_scan *scan);
