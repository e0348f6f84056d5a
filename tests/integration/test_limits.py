#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each limit of a session is reached for real: the session ends, names it, and the database goes on.

LIMITS_SECONDS (default 1) is the unit of the limits in time.
"""
import errno
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

SECONDS = int(os.environ.get('LIMITS_SECONDS', '1'))


def read_until_error(path):
    """Reads a file round and round until that fails; the errno."""
    try:
        with open(path, 'rb', buffering=0) as f:
            h.wait_for(lambda: f.seek(0) == 0 and f.read(65536) == b'', 'an error while reading')
    except TimeoutError:
        return None
    except OSError as e:
        return e.errno


def warnings_of(status):
    return [e['text'] for e in status['events'] if e.get('kind') == 'warning']


def expect_end(load, mount, name, words):
    """The session is over because of limit `name`; the database is not."""
    code, out = h.run(h.JETFS, 'status', '--wait', mount.path)
    status = mount.status() or {}
    result = status.get('result', {})
    h.ok(code == h.ABORTED_BY_SERVER and result.get('limit') == name, f'{name} ends the session', out)
    h.ok(all(w in result.get('text', '') for w in words), f'{name}: the result says what to raise',
         result)
    limit = {l['name']: l for l in status.get('limits', [])}.get(name, {})
    h.ok(limit.get('used', 0) >= 0.5 * limit.get('limit', 1 << 60), f'{name}: use and limit are told', limit)
    commits = load.status()['commits']
    h.wait_for(lambda: load.status().get('commits', 0) > commits, 'commits after the end')
    h.ok(load.alive(), f'{name}: the database goes on', load.log())
    return status


def age(load, mnt):
    mount = h.Mount(load.dir, mnt, '-o', f'max_age={2 * SECONDS}s')
    failed = read_until_error(mount.path + '/app.edb')
    h.ok(failed == errno.EIO, 'max_age: reads fail with EIO', failed)
    status = expect_end(load, mount, 'max_age', ['maximum age', '-o max_age',
                                                 'JET_paramJetxSessionMaxAge'])
    texts = warnings_of(status)
    h.ok(any('50 %' in t for t in texts) and len(texts) == len(set(texts)) <= 3,
         'max_age: the status has the warnings, each once', texts)
    told = re.findall(r'10001 .*? used (\d+) %', load.log())
    h.ok(told == ['50', '80', '95'] and '10002 BACKUP_SESSION_LIMIT_REACHED' in load.log(),
         'max_age: the owner has it in its event log', load.log())


def idle(load, mnt):
    mount = h.Mount(load.dir, mnt, '-o', f'idle={SECONDS}s')
    expect_end(load, mount, 'idle', ['idle time', '-o idle'])


def preimage(load, mnt):
    mount = h.Mount(load.dir, mnt, '-o', 'preimage=1M')
    h.ok(read_until_error(mount.path + '/app.edb') == errno.EIO, 'preimage: reads fail with EIO')
    status = expect_end(load, mount, 'preimage', ['preimage budget', '1.0', '-o preimage'])
    h.ok(set('opP') & set(status['files'][0]['map']['runs']), 'preimage: the map shows pages preserved',
         status['files'][0]['map'])


def too_tight(load, mnt):
    """The session dies before there is a mount, or at once: the message says of what."""
    os.makedirs(mnt)
    code, out = h.run(h.JETFS, load.dir, mnt, '-o', 'pinned_log=1')
    if code == 0:
        code, out = h.run(h.JETFS, 'umount', mnt)
    h.ok('pinned log budget' in out and '-o pinned_log' in out, 'a limit too tight for a mount is named',
         f'{code} {out}')


def pinned_log(load, mnt):
    mount = h.Mount(load.dir, mnt, '-o', 'pinned_log=1M')
    read_until_error(mount.path + '/app.edb')
    expect_end(load, mount, 'pinned_log', ['pinned log budget', '1.0', '-o pinned_log'])


def hanging_driver(load, mnt, other):
    """The owner needs no help of the driver; and the next session need not wait for it."""
    mount = h.Mount(load.dir, mnt, '-o', f'idle={SECONDS}s')
    pid = mount.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        h.wait_for(lambda: load.log().count('10002 BACKUP_SESSION_LIMIT_REACHED: jetload') == 6,
                   'the end of the session')
        second = h.Mount(load.dir, other)
        h.ok(True, 'a session whose driver hangs dies of idleness, and makes room')
        copy = os.path.join(os.path.dirname(other), 'copy')
        os.makedirs(copy)
        code, out = h.copy_cp(second.path, copy)
        result, ended = second.umount()
        h.ok(code == 0 and result == h.COMPLETE, 'the session after it is complete', out + ended)
    finally:
        os.kill(pid, signal.SIGCONT)
    code, out = h.run(h.JETFS, 'status', '--wait', mount.path)
    h.ok(code == h.ABORTED_BY_SERVER, 'the driver learns of it when it goes on', out)


def looser(load, mnt):
    mount = h.Mount(load.dir, mnt, '-o', 'max_age=30d')
    status = mount.live()
    limit = [l for l in status['limits'] if l['name'] == 'max_age'][0]
    texts = [e['text'] for e in status['events']]
    h.ok(limit['limit'] == 86400, 'a mount cannot make a limit looser', limit)
    h.ok(any('allows only 1 d' in t for t in texts), 'and is told so', texts)
    mount.umount('--abort')


def who_holds_it(load, mnt, other):
    """A second mount says who has the session."""
    mount = h.Mount(load.dir, mnt)
    with open(mount.path + '/app.edb', 'rb') as f:
        f.read()
    os.makedirs(other, exist_ok=True)

    def second():
        code, out = h.run(h.JETFS, load.dir, other)
        return (code, out) if ' 0 % read' not in out and '% read' in out else None
    code, out = h.wait_for(second, 'the progress of the first session at its owner')
    h.ok(code == h.ENVIRONMENT, 'a second mount fails with 1', out)
    wanted = [f'jetfs (pid {mount.pid()})', ' since 2', ' ago', f'mounted at {mount.path}',
              'jetfs status --wait', 'jetfs umount --abort']
    h.ok(all(w in out for w in wanted), 'it names who holds the session, since when, how far, where',
         out)
    h.ok((h.load_json(other + '.status.json') or {}).get('result', {}).get('exit') == h.ENVIRONMENT,
         'its status file says so too')
    mount.umount('--abort')


def bad_options(load, mnt):
    for word in ('max_age=', 'max_age=2w', 'idle=0', 'preimage=101%', 'preimage=-1', 'pinned_log=1X',
                 'idle=99999999999999999999d'):
        code, out = h.run(h.JETFS, load.dir, mnt, '-o', word)
        h.ok(code == h.USAGE and word in out, f'-o {word} is refused', out)


def commits(load, mnt):
    mount = h.Mount(load.dir, mnt)

    def counted():
        c = mount.live()['commits']
        return c if c['during']['count'] > 0 else None
    c = h.wait_for(counted, 'commits during the session')
    h.ok(c['before']['count'] > 0 and
         all(0 < c[w]['p50_us'] <= c[w]['p99_us'] < 60e6 for w in ('before', 'during')),
         'durable commits before and during the session are told', c)
    mount.umount('--abort')


def main():
    h.need_fuse()
    work = h.scratch()
    mnt, other = os.path.join(work, 'mnt'), os.path.join(work, 'other')
    load = h.Load(work, '--accounts', 20000, '--log-kib', 64, '--rate', 1500, '--cache-pages', 64)
    load.wait_ready(200)
    os.makedirs(mnt)
    bad_options(load, mnt)
    # each at a place of its own: a driver may take a moment to go after it has told its result
    for number, case in enumerate((age, idle, preimage, pinned_log, too_tight, looser, commits)):
        case(load, f'{mnt}-{number}')
    hanging_driver(load, mnt + '-h', other)
    who_holds_it(load, mnt + '-w', other)
    h.ok(load.stop() == 0, 'the database ends in order', load.log())
    good, out = h.check(load.dir, load.ledger)
    h.ok(good, 'nothing was lost', out)
    h.done()


main()
