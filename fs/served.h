/* SPDX-License-Identifier: MIT */
/*
 * Which bytes of a file a session has delivered: a set of disjoint byte ranges.
 *
 * Invariants: ranges are sorted, not empty, do not touch each other and lie within [0, size). A
 * reader that goes straight through keeps one range, n readers n ranges; so the set stays small
 * whatever the size of the file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct served;

/* A new empty set for a file of `size` bytes. Owned by the caller: served_free(). */
struct served *served_new(uint64_t size);
void served_free(struct served *s);

/* Marks [off, off + len) as delivered; what lies beyond the file's end is ignored. Any thread. */
void served_add(struct served *s, uint64_t off, uint64_t len);

/* The number of different bytes delivered so far. Any thread. */
uint64_t served_bytes(struct served *s);

/* True when every byte of the file was delivered; an empty file is complete at once. Any thread. */
bool served_complete(struct served *s);

/* The first byte that was not delivered yet; the file's size when it is complete. Any thread. */
uint64_t served_first_gap(struct served *s);

enum cover { COVER_NONE, COVER_PART, COVER_ALL };

/*
 * How much of each of the n stretches [from + i * step, from + (i + 1) * step), of which the last
 * is cut at `end`, was delivered. Any thread.
 */
void served_cover(struct served *s, uint64_t from, uint64_t step, uint64_t end, uint32_t n,
                  uint8_t *cover);
