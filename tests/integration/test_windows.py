#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Databases that Windows wrote are mounted, copied and verified, and stay as they are."""
import hashlib
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.environ.get('CORPUS_DIR', os.path.join(HERE, '..', '..', '..', 'shared', 'corpus'))
GOLDEN = os.path.join(HERE, '..', 'golden')
FILES = ('plaso/SystemIdentity.mdb', 'dissect/Current.mdb', 'dissect/SRUDB.dat',
         'ese_parser/decompress_test.edb', 'artemis/win10/qmgr.db')


def digest(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def one(path, name):
    work = h.scratch()
    source = os.path.join(work, 'db', os.path.basename(path))
    os.makedirs(os.path.dirname(source))
    copy = os.path.join(work, 'copy')
    shutil.copyfile(path, source)
    os.makedirs(copy)
    try:
        mount = h.Mount(source, os.path.join(work, 'mnt'))
    except RuntimeError as e:
        h.ok(False, f'{name}: mount', e)
        return
    code, out = h.copy_cp(mount.path, copy)
    same, differences = h.run('diff', '-r', mount.path, copy)
    result, ended = mount.umount()
    h.ok(code == 0 and same == 0 and result == h.COMPLETE, f'{name}: mounted and copied',
         out + differences + ended)
    h.ok(digest(source) == digest(path), f'{name}: the source is as it was')
    code, out = h.run(h.JETFS, 'verify', copy)
    h.ok(code == 0, f'{name}: verified', out)


def main():
    h.need_fuse()
    golden = sorted(n for n in os.listdir(GOLDEN) if n.endswith(('.edb', '.mdb', '.dat', '.db')))
    for name in golden:
        one(os.path.join(GOLDEN, name), 'golden/' + name)
    for name in FILES:
        path = os.path.join(CORPUS, name)
        if os.path.exists(path):
            one(path, name)
        else:
            h.skip(name, 'the corpus is not beside the checkout')
    h.done()


main()
