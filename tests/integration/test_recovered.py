#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""-o recovered: what it serves is what recovery gives, page for page, and evidence stays untouched.

Compared with `jetfs restore` of the same frozen session, with a restore rolled forward to a live
view's freeze, and with the engine's own recovery of files that a kill left; pages but for the times
in the header, rows by two independent readers.
"""
import glob
import hashlib
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKERS = os.environ.get('CHECKERS_DIR', os.path.join(HERE, '..', '..', '..', 'shared', 'tools'))
PAGE = 4096


def content(path):
    with open(path, 'rb') as f:
        return f.read()


def digests(directory):
    return {os.path.basename(p): hashlib.sha256(content(p)).hexdigest()
            for p in glob.glob(os.path.join(directory, '*')) if os.path.isfile(p)}


def pages(path):
    """The pages behind the header, without the counter of changes, the checksum and the count of
    writes: how often a page was written on the way is no part of what it holds."""
    data = content(path)
    found = []
    for at in range(2 * PAGE, len(data), PAGE):
        page = bytearray(data[at:at + PAGE])
        page[0:16] = bytes(16)
        page[0x25] &= 0x7f
        page[0x26] &= 0xfe
        found.append(bytes(page))
    return found


def export(path, work):
    """All tables as esedbexport reads them: {table: text}."""
    target = os.path.join(work, 'tables')
    code, out = h.run('esedbexport', '-m', 'tables', '-t', target, path)
    tables = {os.path.basename(p): content(p) for p in glob.glob(target + '.export/*')}
    shutil.rmtree(target + '.export', ignore_errors=True)
    return tables if code == 0 and tables else out


def rows(path):
    script = os.path.join(CHECKERS, 'edb_rows.py')
    code, out = h.run('python3', script, path)
    return out.replace(path, '') if code == 0 else f'exit {code}\n{out}'


def same(name, one, other, work):
    a, b = pages(one), pages(other)
    bad = [i + 1 for i, (x, y) in enumerate(zip(a, b)) if x != y]
    h.ok(a and len(a) == len(b) and not bad, f'{name}: {len(a)} pages are the same',
         f'{len(a)} and {len(b)} pages, different: {bad[:20]}')
    a, b = export(one, work), export(other, work)
    h.ok(isinstance(a, dict) and a == b, f'{name}: esedbexport reads the same', (len(a), len(b)))
    if not os.path.exists(os.path.join(CHECKERS, 'edb_rows.py')):
        h.skip(f'{name}: edb_rows.py', 'the checkers are not beside the checkout')
        return
    a, b = rows(one), rows(other)
    h.ok(a == b and "'rows': " in a, f'{name}: edb_rows.py reads the same, keys fit', a + b)


class Case:
    """Directories of one comparison."""

    def __init__(self, work):
        self.work = work
        self.mnt = os.path.join(work, 'mnt')

    def path(self, *names):
        return os.path.join(self.work, *names)

    def copy(self, source, name, *options):
        """A mount of `source`, copied to `name`: its freeze."""
        os.makedirs(self.path(name))
        mount = h.Mount(source, self.mnt, *options)
        freeze = mount.live()['freeze']['lgpos']
        code, out = h.copy_cp(mount.path, self.path(name))
        result, ended = mount.umount()
        if code != 0 or result != h.COMPLETE:
            raise RuntimeError(f'{name}: cp {code}, umount {result}\n{out}{ended}')
        return freeze


def of_a_copy(case):
    """The same frozen session, once recovered in the mount and once restored."""
    before = digests(case.path('frozen'))
    case.copy(case.path('frozen'), 'view', '-o', 'recovered')
    h.ok(digests(case.path('frozen')) == before, 'a copy: stays as it was')
    code, out = h.run(h.JETFS, 'restore', case.path('frozen'), case.path('restored'))
    h.ok(code == 0, 'a copy: restored', out)
    same('a copy', case.path('view', 'app.edb'), case.path('restored', 'app.edb'), case.work)


def of_a_live_one(case, load):
    """A view of the running database, and an older copy rolled forward to the view's freeze."""
    freeze = case.copy(load.dir, 'live', '-o', 'recovered')
    code, out = h.run(h.JETFS, 'restore', case.path('frozen'), case.path('rolled'), '--logs', load.dir,
                      '--lgpos', freeze)
    h.ok(code == 0, 'live: rolled forward', out)
    same('live', case.path('live', 'app.edb'), case.path('rolled', 'app.edb'), case.work)
    load.wait_past(freeze)
    ledger = case.path('ledger-live')
    shutil.copy(load.ledger, ledger)
    good, out = h.check(case.path('live'), ledger, '--freeze', freeze)
    h.ok(good, 'live: exactly the commits before its freeze', out)


def of_a_crash(case, load):
    """What a kill left: by the mount, elsewhere, and by the program's own recovery, in its place."""
    load.kill()
    evidence = case.path('evidence')
    os.rename(load.dir, evidence)  # the log has the old path: there nothing of the evidence is left
    before = digests(evidence)
    h.ok(os.path.exists(evidence + '/edb.backup'), 'a crash: the socket of the dead owner is there')
    case.copy(evidence, 'crash', '-o', 'recovered')
    raw = case.copy(evidence, 'raw')
    h.ok(digests(evidence) == before, 'a crash: the evidence stays as it was', raw)
    changed = [n for n, d in before.items() if digests(case.path('raw')).get(n) != d and
               (n.startswith('edb0') or n in ('app.edb', 'edb.log'))]
    h.ok(not changed, 'a crash: without recovery the files come as they lie', changed)
    shutil.copytree(evidence, load.dir, ignore=shutil.ignore_patterns('edb.backup'))
    good, out = h.check(load.dir, load.ledger)
    h.ok(good, 'a crash: the program recovers and has all it acknowledged', out)
    same('a crash', case.path('crash', 'app.edb'), os.path.join(load.dir, 'app.edb'), case.work)
    return evidence


def refused(case, source, name, *words):
    before = digests(os.path.dirname(source) if os.path.isfile(source) else source)
    code, out = h.run(h.JETFS, source, case.mnt, '-o', 'recovered')
    after = digests(os.path.dirname(source) if os.path.isfile(source) else source)
    h.ok(code == h.ENVIRONMENT and all(word in out for word in words) and
         not os.path.ismount(case.mnt), f'{name}: refused, and the message says what to do', out)
    h.ok(before == after, f'{name}: left as it was')


def without_logs(case, evidence):
    os.makedirs(case.path('alone'))
    shutil.copy2(evidence + '/app.edb', case.path('alone'))
    words = ('not shut down cleanly', 'logs', 'leave out -o recovered')
    refused(case, case.path('alone', 'app.edb'), 'a dirty file', *words)
    refused(case, case.path('alone'), 'a dirty file in a directory', *words)
    refused(case, evidence + '/app.edb', 'a dirty file beside its logs', 'directory that holds both')
    newest = max(n for n in os.listdir(evidence) if n.startswith('edb0'))
    for name, missing in (('a gap in the logs', newest), ('no current log', 'edb.log')):
        target = case.path(missing + '-missing')
        shutil.copytree(evidence, target, ignore=shutil.ignore_patterns('edb.backup', missing))
        refused(case, target, name, 'log', 'missing', 'leave out -o recovered')
    code, out = h.run(h.JETFS, 'restore', case.path('raw'), case.path('none'))
    h.ok(code != 0 and 'mounted with -o recovered' in out,
         'restore of files that a crash left says what to do', out)
    left = [n for n in os.listdir(os.environ['TMPDIR']) if n.startswith('jetfs-recovered')]
    h.ok(not left, 'no private copy is left', left)


def main():
    h.need_fuse()
    work = h.scratch()
    os.environ['TMPDIR'] = os.path.join(work, 'tmp')
    os.makedirs(os.environ['TMPDIR'])
    load = h.Load(work, '--accounts', 300, '--log-kib', 128, '--rate', 1500, '--hold', 60)
    load.wait_ready(500)
    case = Case(work)
    case.copy(load.dir, 'frozen')
    of_a_copy(case)
    of_a_live_one(case, load)
    evidence = of_a_crash(case, load)
    without_logs(case, evidence)
    h.done()


main()
