#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A good backup is damaged in every way we could think of, one at a time: verify and restore refuse
each with the documented code, name the file, and leave nothing behind that looks restored.

What cannot be seen is in the table too, with the reason; restoring it has to give the good rows all
the same, or those that the remark tells. The table is printed at the end. MUTILATIONS=word runs only
the cases whose name holds the word.
"""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402
import mutilate as m  # noqa: E402

BACKUPSET = os.environ.get('BACKUPSET', 'build/tests/tools/backupset/backupset')
ONLY = os.environ.get('MUTILATIONS', '')
P = m.PAGE
CODE = re.compile(r'\((JET_\w+|error \S+), (-?\d+)\)')

GOOD = 'good'          # accepted, and the rows of the good set come back
EARLIER = 'earlier'    # accepted, and other rows come back


class Case:
    def __init__(self, name, change, code, names='', remark='', restore=None, user=None):
        self.name = name
        self.change = change
        self.code = code                 # of verify: GOOD, EARLIER or a JET_err
        self.restore = restore or code   # of restore
        self.names = names               # the file that the message has to name
        self.remark = remark
        self.user = user


def own_logs(directory):
    return sorted(n for n in os.listdir(directory) if n.endswith('.log'))


# ---- the table ----

HEADER_FIELDS = [
    ('checksum', 0), ('version', 8), ('dbtime', 16), ('signDb', 24), ('state', 52),
    ('lgposConsistent', 56), ('lgposAttach', 80), ('signLog', 108), ('bkinfoFullCur', 184),
    ('objidLast', 212), ('page size', 236), ('genMinRequired', 296), ('genMaxRequired', 300),
    ('genMaxCommitted', 416), ('filetype', 667), ('unused bytes', 3000)]

PAGE_FIELDS = [
    ('checksum', 0), ('dbtime', 8), ('pgnoPrev', 16), ('pgnoNext', 20), ('objid', 24),
    ('cbFree', 28), ('ibMicFree', 32), ('tag count', 34), ('flags', 36), ('body', 200),
    ('tag array', P - 8)]

TRAILER_FIELDS = [
    ('checksum', 0), ('mark', 40), ('genLow', 56), ('genHigh', 60), ('signDb', 64),
    ('signLog', 92), ('unused bytes', 2000)]


def header_cases(s):
    for field, at in HEADER_FIELDS:
        yield Case(f'header, both copies: {field}', m.flip('a.edb', at, P + at),
                   'JET_errDatabaseCorrupted', 'a.edb')
    yield Case('header, both copies: magic', m.flip('a.edb', 4, P + 4),
               'JET_errDatabaseCorrupted', 'a.edb', 'known for a database by the manifest')
    yield Case('header, both copies: zeroed', m.put('a.edb', 0, bytes(2 * P)),
               'JET_errDatabaseCorrupted', 'a.edb', 'known for a database by the manifest')
    for which, offset in (('first', 0), ('second', P)):
        for field, at in (('signDb', 24), ('state', 52), ('unused bytes', 3000)):
            yield Case(f'header, {which} copy: {field}', m.flip('a.edb', offset + at),
                       'JET_errReadVerifyFailure', 'a.edb')
        yield Case(f'header, {which} copy: zeroed', m.put('a.edb', offset, bytes(P)),
                   'JET_errReadVerifyFailure', 'a.edb')
    yield Case('header of an earlier run, both copies', m.page_from(s.first, 'a.edb', -1, 0),
               'JET_errFileNotFound', remark='asks for logs that run had')
    yield Case('header of an earlier run, first copy', m.page_from(s.first, 'a.edb', -1),
               'JET_errFileNotFound', remark='asks for logs that run had')
    yield Case('header of an earlier run, second copy', m.page_from(s.first, 'a.edb', 0),
               'JET_errDatabasePatchFileMismatch', 'a.edb')
    yield Case('header of a later run, both copies', m.page_from(s.later, 'a.edb', -1, 0),
               'JET_errDatabasePatchFileMismatch', 'a.edb')
    yield Case('header of another instance, both copies', m.page_from(s.other, 'a.edb', -1, 0),
               'JET_errFileNotFound', remark='asks for logs that instance had')
    yield Case('header without the marks of a backup, both copies',
               m.forge('a.edb', 0, 184, bytes(24), copies=2),
               'JET_errRestoreOfNonBackupDatabase', 'a.edb')


def page_cases(s):
    at = (s.leaf + 1) * P
    for field, offset in PAGE_FIELDS:
        yield Case(f'page, two bits: {field}', m.flip('a.edb', at + offset),
                   'JET_errReadVerifyFailure', 'a.edb')
    for field, offset in (('dbtime', 8), ('body', 200), ('tag array', P - 8)):
        yield Case(f'page, one bit: {field}', m.flip('a.edb', at + offset, bits=4),
                   'JET_errReadVerifyFailure', 'a.edb')
    yield Case('page of the catalog, two bits', m.flip('a.edb', 5 * P + 300),
               'JET_errReadVerifyFailure', 'a.edb')
    yield Case('last page of the other database, two bits', m.flip('b.edb', at + 900),
               'JET_errReadVerifyFailure', 'b.edb')
    yield Case('half of a page is another one\'s',
               lambda d: m.put('a.edb', at + P // 2,
                               m.read(d, 'a.edb')[at - P // 2:at])(d),
               'JET_errReadVerifyFailure', 'a.edb')
    yield Case('two pages swapped', m.swap_pages('a.edb', s.leaf, s.cold),
               'JET_errReadVerifyFailure', 'a.edb')
    yield Case('page of the other database, same number', m.page_from(s.other, 'a.edb', s.leaf),
               'JET_errDbTimeTooOld', 'a.edb', 'its dbtime does not fit the logs')
    yield Case('page zeroed (lost write), the logs change it',
               m.put('a.edb', (s.hot + 1) * P, bytes(P)), 'JET_errPageNotInitialized', 'a.edb')
    yield Case('older version of a page (lost flush), the logs change it',
               m.page_from(s.first, 'a.edb', s.hot), 'JET_errDbTimeTooOld', 'a.edb')
    yield Case('newer version of a page, the logs change it',
               m.page_from(s.later, 'a.edb', s.hot), GOOD,
               remark='already has what redo would do: redo passes it over')
    yield Case('page zeroed (lost write), the logs do not name it',
               m.put('a.edb', (s.cold + 1) * P, bytes(P)), *s.cold_zero)
    yield Case('older version of a page (lost flush), the logs do not name it',
               m.page_from(s.first, 'a.edb', s.cold), EARLIER,
               remark='a good page of this number: only the manifest could know, and it has no sums')


def trailer_cases(s):
    for field, offset in TRAILER_FIELDS:
        yield Case(f'trailer: {field}', m.flip('a.edb', -P + offset), 'JET_errBadPatchPage',
                   'a.edb')
    yield Case('trailer zeroed', m.put('a.edb', -P, bytes(P)), 'JET_errBadPatchPage', 'a.edb')
    for field, offset, size in (('mark', 40, 8), ('signDb', 64, 28), ('signLog', 92, 28)):
        yield Case(f'trailer, forged: {field}', m.forge('a.edb', -P, offset, b'\1' * size),
                   'JET_errDatabasePatchFileMismatch', 'a.edb')
    yield Case('trailer, forged: genHigh beyond the logs',
               m.forge('a.edb', -P, 60, b'\xff\xff\0\0'), 'JET_errEndingRestoreLogTooLow', 'a.edb')
    for which, other in (('an earlier run', s.first), ('a later run', s.later),
                         ('another instance', s.other)):
        yield Case(f'trailer of {which}', m.trailer_from(other, 'a.edb'),
                   'JET_errDatabasePatchFileMismatch', 'a.edb')
    yield Case('trailer of the other database', lambda d: m.write(
        d, 'a.edb', m.read(d, 'a.edb')[:-P] + m.read(d, 'b.edb')[-P:]),
        'JET_errDatabasePatchFileMismatch', 'a.edb')


def length_cases(s):
    for what, change in (('by a page', m.cut('a.edb', -P)), ('by 100 bytes', m.cut('a.edb', -100)),
                         ('by half', m.cut('a.edb', 128 * P)), ('to its headers', m.cut('a.edb', 2 * P)),
                         ('extended by a page', m.extend('a.edb', P)),
                         ('extended by a byte', m.extend('a.edb', 1))):
        yield Case(f'database shortened {what}'.replace('shortened extended', 'extended'), change,
                   'JET_errBadPatchPage', 'a.edb')
    yield Case('database of no length', m.cut('a.edb', 0), 'JET_errDatabaseCorrupted', 'a.edb')
    yield Case('database of 100 bytes', m.cut('a.edb', 100), 'JET_errDatabaseCorrupted', 'a.edb')
    for what, change in (('shortened by a segment', m.cut(s.middle, -P)),
                         ('shortened by a byte', m.cut(s.middle, -1)),
                         ('cut behind its header', m.cut(s.middle, P)),
                         ('extended by a segment', m.extend(s.middle, P))):
        yield Case(f'log {what}', change, 'JET_errLogFileSizeMismatch', s.middle)
    yield Case('log of no length', m.cut(s.middle, 0), 'JET_errLogFileCorrupt', s.middle)


def log_cases(s):
    logs = s.logs
    yield Case('two logs swapped', m.swap(logs[1], logs[2]), 'JET_errLogGenerationMismatch', logs[1])
    yield Case('a log under the name of another', m.copy_of(logs[1], logs[2]),
               'JET_errLogGenerationMismatch', logs[2])
    yield Case('a log under a further name behind the last',
               m.copy_of(logs[1], s.next_log), 'JET_errLogGenerationMismatch', s.next_log)
    yield Case('first log is missing', m.remove(logs[0]), 'JET_errFileNotFound', logs[0])
    yield Case('a log in the middle is missing', m.remove(s.middle), 'JET_errFileNotFound', s.middle)
    yield Case('last log of the full backup is missing', m.remove(s.last_full),
               'JET_errFileNotFound', s.last_full)
    yield Case('last log of the full backup and all behind are missing',
               m.remove(*logs[logs.index(s.last_full):]), 'JET_errEndingRestoreLogTooLow', 'a.edb')
    yield Case('every log is missing', m.remove(*logs), 'JET_errFileNotFound', logs[0])
    yield Case('last log of the last incremental backup is missing', m.remove(logs[-1]), EARLIER,
               remark='a whole backup, as of the log before: nothing tells that there was a newer one')
    yield Case('log of another instance, same generation',
               m.forge(s.middle, 0, 44, os.urandom(28)), 'JET_errBadLogSignature', s.middle)
    yield Case('log of another instance, the first one',
               m.forge(logs[0], 0, 44, os.urandom(28)), 'JET_errBadLogSignature', logs[0])
    yield Case('log of another instance, other generation',
               m.from_set(s.other, s.other_log, s.middle), 'JET_errLogGenerationMismatch', s.middle)
    yield Case('log of another run of the same instance',
               m.forge(s.middle, 0, 24, os.urandom(8)), 'JET_errGivenLogFileIsNotContiguous',
               s.middle)
    yield Case('log of a newer version', m.forge(s.middle, 0, 40, b'\xe7\3\0\0'),
               'JET_errBadLogVersion', s.middle)
    for field, at in (('checksum', 0), ('generation', 4), ('file size', 12), ('time', 16),
                      ('signature', 44), ('list of databases', 700), ('unused bytes', 3500)):
        yield Case(f'log header: {field}', m.flip(s.middle, at), 'JET_errLogFileCorrupt', s.middle)
    used = m.used_segments(m.read(s.good, s.middle))
    spots = (('first', used[0]), ('middle', used[len(used) // 2]))
    for what, isec in spots:
        yield Case(f'segment, {what}: two bits', m.flip(s.middle, isec * P + 100),
                   'JET_errLogCorruptDuringHardRestore', s.middle)
        yield Case(f'segment, {what}: header, two bits', m.flip(s.middle, isec * P + 12),
                   'JET_errLogCorruptDuringHardRestore', s.middle)
        yield Case(f'segment, {what}: one bit', m.flip(s.middle, isec * P + 100, bits=4),
                   'JET_errLogReadVerifyFailure', s.middle)
        yield Case(f'segment, {what}: zeroed', m.put(s.middle, isec * P, bytes(P)),
                   'JET_errLogCorruptDuringHardRestore', s.middle)
        yield Case(f'segment, {what}: torn', m.put(s.middle, isec * P + P // 2, bytes(P // 2)),
                   'JET_errLogCorruptDuringHardRestore', s.middle)
    isec = spots[1][1]
    yield Case('segment of another log', lambda d: m.put(
        s.middle, isec * P, m.read(s.good, logs[0])[isec * P:(isec + 1) * P])(d),
        'JET_errLogCorruptDuringHardRestore', s.middle)
    last = m.used_segments(m.read(s.good, s.last_full))[-1]
    yield Case('segment, last of a log that others follow: zeroed',
               m.put(s.last_full, last * P, bytes(P)), 'JET_errLogSequenceChecksumMismatch',
               s.last_full)
    yield Case('segment, behind the end of a log: a bit', m.flip(s.last_full, -3 * P + 80, bits=1),
               'JET_errLogCorruptDuringHardRestore', s.last_full)
    last = m.used_segments(m.read(s.good, logs[-1]))[-1]
    yield Case('segment, last of the newest log: two bits', m.flip(logs[-1], last * P + 60),
               'JET_errLogCorruptDuringHardRestore', logs[-1])
    yield Case('segment, last of the newest log: zeroed', m.put(logs[-1], last * P, bytes(P)),
               EARLIER, remark='the log might have ended there: the sum of a log stands in the next')


def mixed_cases(s):
    yield Case('database of an earlier session', m.from_set(s.first, 'a.edb'),
               'JET_errFileNotFound', remark='the logs it needs are not there')
    yield Case('both databases of an earlier session, and its logs',
               m.both(m.from_set(s.first, 'a.edb'), m.from_set(s.first, 'b.edb'),
                      m.from_set(s.first, s.first_log)), 'JET_errFileNotFound',
               remark='a log between the sessions is missing')
    yield Case('database of a later session', m.from_set(s.later, 'a.edb'),
               'JET_errEndingRestoreLogTooLow', 'a.edb')
    yield Case('database of a later session, with its logs',
               m.both(m.from_set(s.later, 'a.edb'), m.from_set(s.later, s.later_log)),
               'JET_errDatabasePatchFileMismatch', 'a.edb', 'known by the manifest')
    yield Case('database of a later session, with its logs, no manifest',
               m.both(m.from_set(s.later, 'a.edb'), m.from_set(s.later, s.later_log),
                      m.remove('backup.json')), GOOD,
               remark='not wrong: the logs bring both databases to the same moment')
    yield Case('manifest of an earlier session', m.from_set(s.first, 'backup.json'),
               'JET_errDatabasePatchFileMismatch', 'a.edb')
    yield Case('manifest of another instance', m.from_set(s.other, 'backup.json'),
               'JET_errBadDbSignature', 'a.edb')
    yield Case('database of another instance', m.from_set(s.other, 'a.edb'),
               'JET_errFileNotFound', remark='the logs it needs are not there')
    yield Case('databases under each other\'s name', m.swap('a.edb', 'b.edb'),
               'JET_errBadDbSignature', 'a.edb')
    yield Case('one database twice', m.copy_of('a.edb', 'b.edb'), 'JET_errDatabaseSignInUse',
               'b.edb')
    yield Case('live database instead of its copy', m.from_set(s.live, 'a.edb'),
               'JET_errRestoreOfNonBackupDatabase', 'a.edb')
    yield Case('a database is missing', m.remove('b.edb'), 'JET_errMissingFileToBackup', 'b.edb')
    yield Case('every database is missing', m.remove('a.edb', 'b.edb'), 'JET_errFileNotFound')


def extra_cases(s):
    logs = s.logs
    yield Case('foreign files', m.both(m.add('README'), m.add('notes.txt'), m.add('.hidden')), GOOD,
               remark='told by their content; passed over')
    yield Case('a foreign directory', lambda d: os.mkdir(os.path.join(d, 'sub')), GOOD,
               remark='passed over')
    yield Case('a leftover checkpoint', m.add('edb.chk', b'x' * 8192), GOOD,
               remark='a restore trusts no checkpoint')
    yield Case('a temporary file of a copy broken off',
               lambda d: m.write(d, '.a.edb.Xy12z', m.read(d, 'a.edb')[:40 * P]),
               'JET_errDatabaseSignInUse', '.a.edb.Xy12z')
    yield Case('a log with a gap before it', m.from_set(s.later, s.later_log, 'edb0FFFF.log'),
               'JET_errFileNotFound', s.next_log)
    yield Case('an older log than any that is needed', m.from_set(s.first, s.first_log), GOOD,
               remark='not needed, not read')
    yield Case('the next logs of the stream', m.from_set(s.later, s.later_log), GOOD,
               remark='not wrong: a further incremental backup')
    yield Case('the same log with 8 digits',
               lambda d: m.write(d, 'edb000' + logs[0][3:], m.read(d, logs[1])), GOOD,
               remark='the name of 5 digits comes first, this one is not read')


def manifest_cases(s):
    yield Case('manifest missing', m.remove('backup.json'), GOOD,
               remark='an external backup has none; the files say enough of themselves')
    yield Case('manifest of no length', m.cut('backup.json', 0), 'JET_errInvalidBackup',
               'backup.json')
    yield Case('manifest cut', m.cut('backup.json', 300), 'JET_errInvalidBackup', 'backup.json')
    yield Case('manifest malformed', m.put('backup.json', 0, b'['), 'JET_errInvalidBackup',
               'backup.json')
    yield Case('manifest of binary rubbish', m.add('backup.json', bytes(range(256)) * 4),
               'JET_errInvalidBackup', 'backup.json')
    yield Case('manifest of another version',
               m.manifest(lambda c: c.update(version=2)), 'JET_errInvalidBackup', 'backup.json')
    yield Case('manifest of another format',
               m.manifest(lambda c: c.update(format='other')), 'JET_errInvalidBackup',
               'backup.json')
    yield Case('manifest with a wrong size of a database',
               m.manifest(lambda c: c['files'][0].update(size=c['files'][0]['size'] + P)),
               'JET_errMissingFileToBackup', 'a.edb')
    yield Case('manifest with a wrong size of a log',
               m.manifest(lambda c: c['files'][2].update(size=1)), 'JET_errMissingFileToBackup',
               logs_of(s)[2])
    yield Case('manifest names a file more', m.manifest(lambda c: c['files'].append(
        dict(c['files'][0], name='c.edb'))), 'JET_errMissingFileToBackup', 'c.edb')
    for name in ('../a.edb', '/etc/passwd', '..', '.', 'sub/a.edb', ''):
        yield Case(f'manifest with the name "{name}"',
                   m.manifest(lambda c, n=name: c['files'][0].update(name=n)),
                   'JET_errInvalidBackup', 'backup.json')
    yield Case('manifest with an unknown kind', m.manifest(lambda c: c['files'][0].update(kind='x')),
               'JET_errInvalidBackup', 'backup.json')
    yield Case('manifest with other paths of origin', m.manifest(
        lambda c: [f.update(path='/../../tmp/evil') for f in c['files']]), GOOD,
        remark='where a file came from is information only: nothing is written there')
    yield Case('manifest with members we do not know', m.manifest(lambda c: c.update(more=1)), GOOD,
               remark='ignored, so that later versions can add some')


def logs_of(s):
    with open(os.path.join(s.good, 'backup.json'), encoding='utf-8') as f:
        return [entry['name'] for entry in json.load(f)['files']]


def kind_cases(s):
    for name in ('a.edb', s.middle):
        yield Case(f'symbolic link in place of {name}', lambda d, n=name: m.replace(
            n, lambda path: os.symlink(os.path.join(s.good, n), path))(d),
            'JET_errFileInvalidType', name)
        yield Case(f'dangling link in place of {name}', m.replace(
            name, lambda path: os.symlink('nowhere', path)), 'JET_errFileInvalidType', name)
        yield Case(f'directory in place of {name}', m.replace(name, os.mkdir),
                   'JET_errFileInvalidType', name)
        yield Case(f'fifo in place of {name}', m.replace(name, os.mkfifo),
                   'JET_errFileInvalidType', name)
        if os.geteuid() == 0:
            yield Case(f'device in place of {name}', m.replace(
                name, lambda path: os.mknod(path, 0o20666, os.makedev(1, 5))),
                'JET_errFileInvalidType', name)
        yield Case(f'unreadable: {name}', lambda d, n=name: m.both(
            m.copy_of(n, n), lambda d: os.chmod(os.path.join(d, n), 0))(d),
            'JET_errFileAccessDenied', name, user=65534)
    yield Case('fifo in place of the manifest', m.replace('backup.json', os.mkfifo),
               'JET_errFileInvalidType', 'backup.json')
    yield Case('symbolic link in place of the manifest', m.replace(
        'backup.json', lambda path: os.symlink('/etc/passwd', path)),
        'JET_errFileInvalidType', 'backup.json')


# ---- running them ----

class Sets:
    """The good backup, others to mix it with, and pages of a kind."""

    def __init__(self, work):
        self.work = work
        code, out = h.run(BACKUPSET, os.path.join(work, 'sets'))
        if code != 0:
            raise RuntimeError(f'backupset: exit {code}\n{out}')
        for name in ('first', 'good', 'later', 'other', 'live'):
            setattr(self, name, os.path.join(work, 'sets', name))
        self.logs = own_logs(self.good)
        self.first_log, self.later_log, self.other_log = (
            own_logs(d)[0] for d in (self.first, self.later, self.other))
        manifest = h.load_json(os.path.join(self.good, 'backup.json'))
        self.last_full = f'edb{manifest["genHigh"]:05X}.log'
        self.middle = self.logs[2]
        self.next_log = f'edb{int(self.logs[-1][3:8], 16) + 1:05X}.log'
        self.restored = os.path.join(work, 'restored')
        h.ok(h.run(h.JETFS, 'verify', self.good)[0] == 0, 'the good set is verified')
        code, out = h.run(h.JETFS, 'restore', self.good, self.restored)
        h.ok(code == 0, 'the good set is restored', out)
        self.rows = digest(self.restored)
        self.pick_pages()

    def pick_pages(self):
        """hot: the logs change it; cold: changed since first, but not by the logs; leaf: any."""
        old, good, new = (m.read(d, 'a.edb') for d in (self.first, self.good, self.restored))
        times = [(m.dbtime(new, p), p) for p in range(20, 200)
                 if m.dbtime(old, p) not in (0, m.dbtime(good, p))]
        self.cold, self.hot = min(times)[1], max(times)[1]
        self.leaf = self.hot
        self.cold_zero = (EARLIER, '', 'looks as a page that was never used')


def digest(directory):
    code, out = h.run(BACKUPSET, '--digest', os.path.join(directory, 'a.edb'),
                      os.path.join(directory, 'b.edb'))
    return out if code == 0 else f'exit {code}: {out}'


def jetfs(case, *args):
    """Exit code and output; a fifo must not hold it up."""
    extra = {'user': case.user, 'extra_groups': []} if case.user and os.geteuid() == 0 else {}
    try:
        return h.run(h.JETFS, *args, timeout=60, **extra)
    except subprocess.TimeoutExpired:
        return -1, 'it hangs'


def code_of(exit_code, out):
    found = CODE.search(out)
    return found.group(1) if found else 'good' if exit_code == 0 else f'exit {exit_code}'


def expected_exit(case, code):
    if code == 'JET_errFileNotFound' and not case.names and not case.remark:
        return h.ENVIRONMENT  # it is not known what is missing
    if code in (GOOD, EARLIER):
        return h.COMPLETE
    return h.ENVIRONMENT if code == 'JET_errFileAccessDenied' else h.CORRUPT


def check_refusal(case, verb, wanted, exit_code, out, problems):
    got = code_of(exit_code, out)
    if got != (GOOD if wanted in (GOOD, EARLIER) else wanted):
        problems.append(f'{verb}: {got}, expected {wanted}\n{out}')
    elif exit_code != expected_exit(case, wanted):
        problems.append(f'{verb}: exit {exit_code}, expected {expected_exit(case, wanted)}\n{out}')
    elif wanted not in (GOOD, EARLIER):
        if case.names and case.names not in out:
            problems.append(f'{verb} does not name {case.names}:\n{out}')
        if sum(line.startswith('jetfs: ') for line in out.splitlines()) < 2:
            problems.append(f'{verb} does not say what to do:\n{out}')
    return got


def run_case(s, case):
    copy, target = os.path.join(s.work, 'copy'), os.path.join(s.work, 'target')
    os.mkdir(copy)
    os.mkdir(target)
    os.chown(target, case.user or os.geteuid(), -1)
    for name in os.listdir(s.good):
        os.link(os.path.join(s.good, name), os.path.join(copy, name))
    case.change(copy)
    problems = []
    verified = check_refusal(case, 'verify', case.code, *jetfs(case, 'verify', copy), problems)
    restored = check_refusal(case, 'restore', case.restore,
                             *jetfs(case, 'restore', copy, target), problems)
    left = os.listdir(target)
    if case.restore not in (GOOD, EARLIER):
        if left:
            problems.append(f'left in the target: {left}')
    elif not problems and (digest(target) == s.rows) != (case.restore == GOOD):
        problems.append(f'restored rows, {case.restore}:\n{digest(target)}{s.rows}')
    h.ok(not problems, f'{case.name}: {verified}', '\n'.join(problems))
    for path in (copy, target):
        shutil.rmtree(path)
    return case.name, shown(case.code, verified), shown(case.restore, restored), case.remark


def several_directories(s):
    """The logs of the incremental backups in a directory of their own, whole and with a gap."""
    full, more = (os.path.join(s.work, name) for name in ('full', 'more'))
    os.mkdir(full)
    os.mkdir(more)
    later = s.logs[s.logs.index(s.last_full) + 1:]
    for name in os.listdir(s.good):
        os.link(os.path.join(s.good, name), os.path.join(more if name in later else full, name))
    code, out = h.run(h.JETFS, 'verify', full, more)
    h.ok(code == h.COMPLETE and f'{len(s.logs)} logs' in out, 'two directories are verified as one',
         out)
    os.remove(os.path.join(more, later[1]))
    code, out = h.run(h.JETFS, 'verify', full, more)
    h.ok(code == h.CORRUPT and f'{later[1]} ' in out and 'JET_errFileNotFound' in out,
         'and a gap in the second one is found', out)
    code, out = h.run(h.JETFS, 'verify', full, os.path.join(s.work, 'nowhere'))
    h.ok(code == h.ENVIRONMENT and 'no such directory' in out, 'a directory that is not there', out)


def shown(wanted, got):
    """In the table: what could not be seen is told from what is good."""
    return 'not seen' if wanted == EARLIER and got == GOOD else got


def print_table(rows):
    width = max(len(row[0]) for row in rows)
    print(f'# {"mutilation":{width}}  {"verify":34}  {"restore":34}  remark')
    for name, verified, restored, remark in rows:
        print(f'# {name:{width}}  {verified:34}  {restored:34}  {remark}')


def main():
    work = h.scratch()
    os.chmod(work, 0o755)
    s = Sets(work)
    rows = []
    for group in (header_cases, page_cases, trailer_cases, length_cases, log_cases, mixed_cases,
                  extra_cases, manifest_cases, kind_cases):
        for case in group(s):
            if ONLY in case.name:
                rows.append(run_case(s, case))
    several_directories(s)
    code, out = h.run(h.JETFS, 'verify', s.good)
    h.ok(code == 0, 'after all that the good set is as good as before', out)
    print_table(rows)
    h.done()


main()
