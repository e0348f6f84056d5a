#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""jetfs header and jetfs log say of Windows' files what the independent checkers say, and of damaged
ones what is wrong with them."""
import gzip
import json
import os
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.environ.get('CORPUS_DIR', os.path.join(HERE, '..', '..', '..', 'shared', 'corpus'))
CHECKERS = os.environ.get('CHECKERS_DIR', os.path.join(HERE, '..', '..', '..', 'shared', 'tools'))
GOLDEN = os.path.join(HERE, '..', 'golden')
STATES = {'IncrementalReseedInProgress': 'IncReseed', 'DirtyAndPatchedShutdown': 'DirtyAndPatched',
          'RevertInProgress': 'Revert'}


def header(path):
    code, out = h.run(h.JETFS, 'header', '--json', path)
    return code, json.loads(out[out.index('{'):out.rindex('}') + 1])['files'][0]


# ---- fields as ese_headers.py prints them ----

def pos(p):
    return f'{p["gen"] & 0xffffffff:X}:{p["isec"]:X}:{p["ib"]:X}'


def time(t):
    return '-' if t is None else t[:19]


def sign(s):
    return f'rand={s["random"]} t={time(s["created"])} name={s["computer"]!r}'


def as_database(f, file):
    state = f.get('dbstate_name', f['dbstate'])
    return (f'DB ver={f["ulVersion"]}.{f["ulDaeUpdateMajor"]}.{f["ulDaeUpdateMinor"]}'
            f' create={f["ulCreateVersion"]}.{f["ulCreateUpdate"]} attrib={f["attrib"]}'
            f' state={STATES.get(state, state)} page={f["cbPageSize"] or 4096}'
            f' os={f["dwMajorVersion"]}.{f["dwMinorVersion"]}.{f["dwBuildNumber"]}'
            f' dbtime={f["dbtimeDirtied"]} signDb[{sign(f["signDb"])}]'
            f' consistent={pos(f["lgposConsistent"])}@{time(f["logtimeConsistent"])}'
            f' attach={pos(f["lgposAttach"])}@{time(f["logtimeAttach"])}'
            f' detach={pos(f["lgposDetach"])}@{time(f["logtimeDetach"])}'
            f' signLog[{sign(f["signLog"])}]'
            f' genRequired=0x{f["lGenMinRequired"]:X}-0x{f["lGenMaxRequired"]:X}'
            f' genCommitted=0x{f["lGenMaxCommitted"]:X}'
            f' bkFullPrev={pos(f["bkinfoFullPrev"]["mark"])}@{time(f["bkinfoFullPrev"]["time"])}'
            f' gens {f["bkinfoFullPrev"]["genLow"]:X}-{f["bkinfoFullPrev"]["genHigh"]:X}'
            f' objidLast={f["objidLast"]} efv={f["efvMaxBinAttachDiagnostic"]}'
            f' filetype={f["filetype"]} fmSign.rand={f["signFlushMapHdrFlush"]["random"]}'
            f' xor-header-ok={file["copies"][0]["code"] == 0} shadow-equal={not file["differ"]}')


def as_log(f, file):
    numbers = ','.join(str(f[n]) for n in ('ulSessionsMax', 'ulOpenTablesMax', 'ulVERPagesMax',
                                           'ulCursorsMax', 'ulLogBuffers', 'ulcsecLGFile',
                                           'ulCacheSizeMax'))
    return (f'LOG gen=0x{f["lGeneration"]:X} cbSec={f["cbSec"]} csecHeader={f["csecHeader"]}'
            f' csecLGFile={f["csecLGFile"]} cbPage={f["cbPageSize"]}'
            f' => {f["cbSec"] * f["csecLGFile"]} bytes'
            f' tmCreate={time(f["tmCreate"])} tmPrev={time(f["tmPrevGen"])}'
            f' ver={f["ulMajor"]}.{f["ulMinor"]}.{f["ulUpdateMajor"]}.updMinor={f["ulUpdateMinor"]}'
            f' signLog[{sign(f["signLog"])}] fLG={f["fLGFlags"]}'
            f' ckptAtCreate={pos(f["lgposCheckpoint"])} sysPath={f["szSystemPath"]!r}'
            f' logPath={f["szLogFilePath"]!r} flags={f["fDBMSPARAMFlags"]} dbms={numbers}'
            f' prevLogAllSegCk={f["checksumPrevLogAllSegments"]}'
            f' efv={f["efvEngineCurrentDiagnostic"]} filetype@667={f["filetype"]}'
            f' xor-header-ok={file["copies"][0]["code"] == 0} ')


def as_checkpoint(f, file):
    good = file['copies'][0]['code'] == 0
    return (f'CHK lgposCheckpoint={pos(f["lgposCheckpoint"])}'
            f' lastFullBackupCkpt={pos(f["lgposLastFullBackupCheckpoint"])}'
            f' signLog[{sign(f["signLog"])}] fVersion={int(f["fVersion"], 16)}'
            f' lgposFullBackup={pos(f["lgposFullBackup"])} tFull={time(f["logtimeFullBackup"])}'
            f' lgposInc={pos(f["lgposIncBackup"])}'
            f' lgposDbConsistency={pos(f["lgposDbConsistency"])} sysPath={f["szSystemPath"]!r}'
            f' logPath={f["szLogFilePath"]!r} xor-header-ok={good} copy2-equal={not file["differ"]}')


SHAPES = {'database': as_database, 'log': as_log, 'checkpoint': as_checkpoint}


def same_header(path, name, ese):
    code, file = header(path)
    theirs = ese.show(path).split(' ', 2)[2]
    ours = SHAPES[file['type']](file['fields'], file)
    good = theirs.startswith(ours) if file['type'] == 'log' else theirs == ours
    h.ok(code == h.COMPLETE and good, f'{name}: the header as the checker reads it',
         f'exit {code}\n{theirs}\n{ours}')


def all_bytes_of_a_database(path, name):
    """The fields cover the header without gap or overlap up to 660, as the specification has it."""
    with open(path, 'rb') as f:
        data = f.read(748)
    f = header(path)[1]['fields']
    sizes = {'dbtimeDirtied': 8, 'dbtimeLastScrub': 8, 'qwSortVersion': 8}
    at, wrong = 0, []
    for key, value in f.items():
        if key.endswith('_name') or at >= 640:
            continue
        if isinstance(value, dict):
            at += 8 if 'isec' in value else 28 if 'random' in value else 24
            continue
        if value is None or isinstance(value, str) and value[:2] != '0x':
            at += 8
            continue
        size = sizes.get(key, 4)
        number = int(value, 16) if isinstance(value, str) else value & (1 << 8 * size) - 1
        if number != int.from_bytes(data[at:at + size], 'little'):
            wrong.append((key, at, value))
        at += size
    h.ok(not wrong and at >= 640, f'{name}: every field at its place', f'{at} {wrong}')


# ---- records as log_records.py prints them ----

def brief(r):
    f, n = r['fields'], r['type']
    u64 = (1 << 64) - 1
    if 'dbtimeBefore' in f:
        n += (f' s{f["procid"]} db{f["dbid"]} pg{f["pgno"]} dbt {f["dbtime"] & u64:x}/'
              f'{f["dbtimeBefore"] & u64:x} trx {f["trxBegin0"]:x} lvl {f["level"]}'
              f' il {f["iline"]} fl {int(f["flags"], 16):x}')
    t = r['lrtyp']
    if t in (5, 8):
        n += f' s{f["procid"]} lv {f["clevelsToBegin"] << 4 | f["levelBeginFrom"]:02x}'
    if t == 62:
        n += (f' new {f["pgnoNew"]} right {f["pgnoRight"]} parent {f["pgnoParent"]}'
              f' type {f["splittype"]} oper {f["splitoper"]} ilo {f["ilineOper"]}'
              f' ils {f["ilineSplit"]} clines {f["clines"]} flags {int(f["fPreImage"], 16):x}'
              f' img {f["cbPageBeforeImage"]}')
    if t == 63:
        n += (f' right {f["pgnoRight"]} left {f["pgnoLeft"]} par {f["pgnoParent"]}'
              f' mf {int(f["mergeFlags"], 16):x} mt {f["mergetype"]}'
              f' fl {int(f["fPreImage"], 16):x} img {f["cbPageBeforeImage"]}')
    if t in (11, 12, 13):
        n += f' s{f["procid"]} dbt {f["dbtime"]:x}'
    if t in (6, 7):
        n += f' s{f["procid"]} lv {f.get("levelCommitTo", f.get("levelRollback"))}'
    if t == 9:
        n += f' s{f["procid"]} trx {f["trxCommit0"]:x}'
    if t == 39:
        n += f' oper {f["oper"]} lvl {f["levelUndo"]}'
    if t == 36:
        n += f' oper {f["oper"]} cbData {f["cbData"]}'
    return n


def records(path):
    code, out = h.run(h.JETFS, 'log', '--json', '--records', path)
    lines = [json.loads(line) for line in out.splitlines() if line.startswith('{')]
    return code, [r for r in lines if r['kind'] == 'record'], lines[-1], out


def same_records(path, name, checker):
    code, ours, end, _ = records(path)
    theirs = [(lg, r) for lg, r in checker.recs(path) if r[0] not in (0, 71)]
    wrong = []
    for (lg, r), mine in zip(theirs, ours):
        want = checker.brief(r).split()
        have = brief(mine).split()
        if r[0] in (67, 68, 73):  # its lengths of these are those of the body
            want = have = [mine['type']]
        name_differs = want[1:] != have[1:] or mine['lrtyp'] != r[0]
        if name_differs or lg != (mine['lgpos']['isec'], mine['lgpos']['ib']) or len(r) != mine['cb']:
            wrong.append((lg, want, have))
    h.ok(code == 0 and len(theirs) == len(ours) > 0 and not wrong,
         f'{name}: {len(ours)} records as the checker reads them',
         f'exit {code}, {len(theirs)} and {len(ours)}\n{wrong[:5]}')
    counted = sum(t['records'] for t in end['types'].values())
    h.ok(counted == len(ours) and end['code'] == 0, f'{name}: the sums', end)


def corpus():
    if not os.path.isdir(CORPUS) or not os.path.isdir(CHECKERS):
        h.skip('corpus', 'the corpus or the checkers are not beside the checkout')
        return
    sys.path.insert(0, CHECKERS)
    import ese_headers
    import log_records
    work = h.scratch()
    for folder, _, names in sorted(os.walk(CORPUS)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            short = os.path.relpath(path, CORPUS)
            if name.endswith('.gz'):
                code, file = header(path)
                h.ok(code == h.ENVIRONMENT and 'compressed' in file['problem'],
                     f'{short}: is said to be compressed', file)
                with gzip.open(path) as packed, open(os.path.join(work, 'large.edb'), 'wb') as out:
                    out.write(packed.read(2 << 16))
                path = os.path.join(work, 'large.edb')
            if name.endswith('.jfm'):
                code, file = header(path)
                h.ok(code == h.ENVIRONMENT and 'flush map' in file['problem'],
                     f'{short}: is said to be a flush map', file)
            elif not name.endswith('.md'):
                same_header(path, short, ese_headers)
            if name.endswith(('.edb', '.mdb', '.sdb', '.dat', '.db')):
                all_bytes_of_a_database(path, short)
    same_records(os.path.join(CORPUS, 'logs', 'edb.log'), 'logs/edb.log', log_records)


# ---- what is wrong with a file ----

def damaged(source, work, name, change, want_code, word, error=None):
    path = os.path.join(work, 'damaged')
    shutil.copyfile(source, path)
    with open(path, 'r+b') as f:
        change(f)
    code, file = header(path)
    text = h.run(h.JETFS, 'header', path)[1]
    good = code == want_code and word in file['problem'] and word in text
    good = good and (error is None or file['copies'][0]['error'] == error)
    h.ok(good, f'header: {name}', f'exit {code}\n{file}\n{text}')


def flip(*places):
    def change(f):
        for at in places:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 4]))
    return change


def put(at, data):
    def change(f):
        f.seek(at)
        f.write(data)
    return change


def cut(size):
    return lambda f: f.truncate(size)


def headers_damaged(db, log):
    work = h.scratch()
    damaged(db, work, 'one flipped bit', flip(100), h.CORRUPT, 'second one is shown',
            'JET_errReadVerifyFailure')
    damaged(db, work, 'the second copy', flip(4096 + 100), h.CORRUPT, 'second copy')
    damaged(db, work, 'both copies', flip(100, 4196), h.CORRUPT, 'both copies')
    damaged(db, work, 'no magic in the first copy', put(0, bytes(64)), h.CORRUPT, 'second one')
    damaged(db, work, 'a cut end', cut(5 * 4096 + 7), h.CORRUPT, 'cut off')
    damaged(db, work, 'zeros', put(0, bytes(65536)), h.ENVIRONMENT, 'all zeros')
    damaged(db, work, 'rubbish', put(0, os.urandom(65536)), h.ENVIRONMENT, 'encrypted')
    damaged(db, work, 'nothing', cut(0), h.ENVIRONMENT, 'empty')
    damaged(db, work, 'a few bytes', cut(100), h.ENVIRONMENT, 'too short')
    damaged(db, work, 'gzip', put(0, b'\x1f\x8b\x08\0'), h.CORRUPT, 'second one')
    damaged(db, work, 'SQLite', lambda f: (f.truncate(0), f.seek(0), f.write(
        b'SQLite format 3\0' + bytes(8000))), h.ENVIRONMENT, 'SQLite')
    damaged(log, work, 'a flipped bit of a log', flip(50), h.CORRUPT, 'damaged',
            'JET_errLogFileCorrupt')
    damaged(log, work, 'a short log', cut(8192), h.CORRUPT, 'its header says',
            'JET_errLogFileSizeMismatch')

    def seal(f, at, value):
        f.seek(0)
        d = list(struct.unpack('<1024I', f.read(4096)))
        d[at // 4] = value
        d[0] = 0x89ABCDEF
        for v in d[1:]:
            d[0] ^= v
        f.seek(0)
        f.write(struct.pack('<1024I', *d))
    damaged(log, work, 'an older log', lambda f: seal(f, 32, 7), h.CORRUPT, 'older',
            'JET_errBadLogVersion')
    damaged(log, work, 'a newer log', lambda f: seal(f, 40, 999), h.CORRUPT, 'newer')
    damaged(db, work, 'an older database', lambda f: seal(f, 8, 0x500), h.CORRUPT, 'differ')
    code, out = h.run(h.JETFS, 'header', os.path.join(work, 'none'))
    h.ok(code == h.ENVIRONMENT and 'JET_errFileNotFound' in out, 'header: no such file', out)
    code, out = h.run(h.JETFS, 'header', db, log, os.path.join(work, 'none'))
    h.ok(code == h.ENVIRONMENT and 'dbstate' in out and 'lGeneration' in out,
         'header: the good ones of several files are shown', out)


def log_damaged(directory, name, change, want_code, words, *options):
    copy = os.path.join(h.scratch(), 'logs')
    shutil.copytree(directory, copy)
    change(copy)
    code, out = h.run(h.JETFS, 'log', copy, *options)
    h.ok(code == want_code and all(w in out for w in words), f'log: {name}', f'exit {code}\n{out}')


def edit(name, change):
    def run(directory):
        with open(os.path.join(directory, name), 'r+b') as f:
            change(f)
    return run


def logs_damaged(logs):
    names = sorted(n for n in os.listdir(logs) if len(n) == 12)
    first, second = names[0], names[1]
    gen = int(second[3:8], 16)
    h.ok(len(names) >= 3, f'{len(names)} archived logs', names)
    code, out = h.run(h.JETFS, 'log', logs)
    h.ok(code == 0 and out.count('records') > 3 and f'{second}: generation {gen} ' in out,
         'log: a directory, whole', out)
    code, out = h.run(h.JETFS, 'log', '--json', '-g', f'{gen}-0x{gen + 1:x}', logs)
    found = [json.loads(line)['generation'] for line in out.splitlines() if '"log"' in line[:20]]
    h.ok(code == 0 and found == [gen, gen + 1], 'log: a range of generations', out)
    code, out = h.run(h.JETFS, 'log', '-g', '9-7', logs)
    h.ok(code == h.USAGE, 'log: a range that is none', out)
    code, out = h.run(h.JETFS, 'log', '-g', '99999', logs)
    h.ok(code == h.ENVIRONMENT and 'no such logs' in out, 'log: a generation that is not there', out)
    log_damaged(logs, 'two flipped bits in a segment', edit(second, flip(5 * 4096 + 99, 5 * 4096 + 2222)),
                h.CORRUPT, [second, f'(0x{gen:X},5,0)', f'byte {5 * 4096}', 'JET_errLogFileCorrupt'])
    log_damaged(logs, 'one flipped bit is corrected', edit(second, flip(5 * 4096 + 99)), 0,
                ['1 with one bit corrected'])
    log_damaged(logs, 'its header', edit(second, flip(44)), h.CORRUPT, [second, 'damaged'])
    log_damaged(logs, 'a missing one', lambda d: os.remove(os.path.join(d, second)), h.CORRUPT,
                [names[2], 'missing'])
    log_damaged(logs, 'a cut one', edit(second, cut(8 * 4096)), h.CORRUPT, [second, 'its header says'])
    log_damaged(logs, 'swapped names',
                lambda d: (os.rename(f'{d}/{first}', f'{d}/x'), os.rename(f'{d}/{second}', f'{d}/{first}'),
                           os.rename(f'{d}/x', f'{d}/{second}')), h.CORRUPT, ['the generation in the name'])
    log_damaged(logs, 'a lost end', edit(second, put(6 * 4096, bytes(58 * 4096))), h.CORRUPT,
                ['checksum of all its segments'])


def main():
    corpus()
    work = h.scratch()
    load = h.Load(work, '--log-kib', '256', '--rate', '400', service=False)
    load.wait_ready(3000)
    db = next(os.path.join(load.dir, n) for n in os.listdir(load.dir) if n.endswith('.edb'))
    code, file = header(db)
    h.ok(code == 0 and file['fields']['dbstate_name'] == 'DirtyShutdown', 'header: of a live database', file)
    code, out = h.run(h.JETFS, 'log', load.dir)
    h.ok(code == 0 and 'edb.log' in out, 'log: of a live instance', f'exit {code}\n{out[-2000:]}')
    load.stop()
    code, file = header(db)
    h.ok(code == 0 and file['fields']['dbstate_name'] == 'CleanShutdown', 'header: after its end', file)
    code, out = h.run(h.JETFS, 'log', db)
    h.ok(code == h.ENVIRONMENT and 'no log' in out, 'log: of a database', out)
    logs = os.path.join(work, 'logs')
    os.makedirs(logs)
    for name in os.listdir(load.dir):
        if name.endswith('.log'):
            shutil.copyfile(os.path.join(load.dir, name), os.path.join(logs, name))
    headers_damaged(db, os.path.join(logs, 'edb.log'))
    logs_damaged(logs)
    h.done()


main()
