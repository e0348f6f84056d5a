#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second opinion on every file the engine writes: checkers that share no code with it.

A clean database, one killed at work, and a restored backup; databases, logs, checkpoint.
"""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKERS = os.environ.get('CHECKERS_DIR', os.path.join(HERE, '..', '..', '..', 'shared', 'tools'))


def checker(script, files, name):
    path = os.path.join(CHECKERS, script)
    if not os.path.exists(path):
        h.skip(f'{name}: {script}', 'the checkers are not beside the checkout')
        return
    code, out = h.run('python3', path, *files)
    h.ok(code == 0, f'{name}: {script}', out[-3000:])


def check_files(directory, name, clean):
    databases = [os.path.join(directory, 'app.edb')]
    checker('edb_checksum.py', databases, name)
    if clean:
        checker('edb_structure.py', databases, name)
        checker('edb_rows.py', databases, name)
        code, out = h.run('esedbinfo', databases[0])
        h.ok(code == 0 and 'accounts' in out, f'{name}: esedbinfo', out)
    logs = [p for p in glob.glob(os.path.join(directory, 'edb*.log')) if 'tmp' not in p]
    checker('log_structure.py', sorted(logs), name)


def main():
    for pages in (4096, 8192, 16384, 32768):
        work = h.scratch()
        options = ('--accounts', 300, '--log-kib', 256, '--page-size', pages, '--seed', pages)
        load = h.Load(work, *options, '--transactions', 3000, service=False)
        code = load.process.wait(timeout=h.DEADLINE_S)
        if not h.ok(code == 0, f'{pages}: jetload', load.log()):
            continue
        good, out = h.check(load.dir, load.ledger, '--page-size', pages)
        h.ok(good, f'{pages}: clean: ledger', out)
        check_files(load.dir, f'{pages}: clean', True)
        load = h.Load(work, *options, service=False).wait_ready(1500)
        load.kill()
        check_files(load.dir, f'{pages}: killed', False)
        good, out = h.check(load.dir, load.ledger, '--page-size', pages)
        h.ok(good, f'{pages}: recovered: ledger', out)
        check_files(load.dir, f'{pages}: recovered', True)
    h.done()


main()
