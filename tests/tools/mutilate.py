# SPDX-License-Identifier: MIT
"""Damage to a copied backup: what test_mutilations.py does to one copy after the other.

A mutilation takes a directory and changes it. Files there may be hard links to those of the good
set, so that a file is always replaced, never written into.
"""
import json
import os
import struct

PAGE = 4096
SEGMENT = 4096
SEED = 0x89ABCDEF


def read(directory, name):
    with open(os.path.join(directory, name), 'rb') as f:
        return bytearray(f.read())


def write(directory, name, data):
    path = os.path.join(directory, name)
    if os.path.lexists(path):
        os.remove(path)
    with open(path, 'wb') as f:
        f.write(data)


def xor_sum(block):
    """Checksum of a header: of a database, a trailer, a log."""
    words = struct.unpack(f'<{len(block) // 4}I', bytes(block))
    total = SEED
    for word in words[1:]:
        total ^= word
    return total


def seal(data, offset):
    """Makes the header at offset good again."""
    struct.pack_into('<I', data, offset, xor_sum(data[offset:offset + PAGE]))


# ---- makers: each returns a mutilation ----

def flip(name, *offsets, bits=0x11):
    """Flips bits of the bytes at offsets; negative ones count from the end."""
    def change(directory):
        data = read(directory, name)
        for offset in offsets:
            data[offset] ^= bits
        write(directory, name, data)
    return change


def put(name, offset, value):
    def change(directory):
        data = read(directory, name)
        start = offset if offset >= 0 else len(data) + offset
        data[start:start + len(value)] = value
        write(directory, name, data)
    return change


def forge(name, header, offset, value, copies=1):
    """Sets bytes in a header, and its checksum so that it holds."""
    def change(directory):
        data = read(directory, name)
        for copy in range(copies):
            start = (header if header >= 0 else len(data) + header) + copy * PAGE
            data[start + offset:start + offset + len(value)] = value
            seal(data, start)
        write(directory, name, data)
    return change


def cut(name, to):
    """Shortens to that many bytes; negative: by as many."""
    def change(directory):
        write(directory, name, read(directory, name)[:to])
    return change


def extend(name, size):
    def change(directory):
        write(directory, name, read(directory, name) + bytes(size))
    return change


def swap(name, other):
    def change(directory):
        a, b = read(directory, name), read(directory, other)
        write(directory, name, b)
        write(directory, other, a)
    return change


def swap_pages(name, one, two):
    def change(directory):
        data = read(directory, name)
        a, b = page_range(one), page_range(two)
        data[a], data[b] = data[b], data[a]
        write(directory, name, data)
    return change


def copy_of(source, name):
    """Another file of the same directory takes the place of name."""
    def change(directory):
        write(directory, name, read(directory, source))
    return change


def from_set(other, name, into=None):
    """The file of another set."""
    def change(directory):
        write(directory, into or name, read(other, name))
    return change


def page_from(other, name, *pages):
    """Pages (by number; -1 and 0 are the headers) of another set's file."""
    def change(directory):
        data, old = read(directory, name), read(other, name)
        for pgno in pages:
            data[page_range(pgno)] = old[page_range(pgno)]
        write(directory, name, data)
    return change


def trailer_from(other, name):
    def change(directory):
        write(directory, name, read(directory, name)[:-PAGE] + read(other, name)[-PAGE:])
    return change


def remove(*names):
    def change(directory):
        for name in names:
            os.remove(os.path.join(directory, name))
    return change


def add(name, content=b'whatever\n'):
    def change(directory):
        write(directory, name, content)
    return change


def replace(name, make):
    """Something else under that name: make(path)."""
    def change(directory):
        path = os.path.join(directory, name)
        os.remove(path)
        make(path)
    return change


def manifest(edit):
    def change(directory):
        content = json.loads(read(directory, 'backup.json'))
        edit(content)
        write(directory, 'backup.json', json.dumps(content).encode())
    return change


def both(*changes):
    def change(directory):
        for one in changes:
            one(directory)
    return change


# ---- looking ----

def page_range(pgno):
    return slice((pgno + 1) * PAGE, (pgno + 2) * PAGE)


def dbtime(data, pgno):
    return struct.unpack_from('<Q', data, (pgno + 1) * PAGE + 8)[0]


def used_segments(data):
    """Numbers of the segments of a log that hold something."""
    return [i for i in range(1, len(data) // SEGMENT)
            if any(data[i * SEGMENT:(i + 1) * SEGMENT])]
