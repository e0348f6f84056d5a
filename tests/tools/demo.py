#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The demonstration behind scripts/demo: prints what it does, ends in a summary, exits 0 if all held."""
import argparse
import os
import shutil
import sys
import time

import harness as h

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, '..', 'golden')
MIB = 1 << 20

summary = []
failures = []


def step(text):
    print(f'\n\033[1m{text}\033[0m' if sys.stdout.isatty() else f'\n== {text}', flush=True)


def say(text):
    print('   ' + text.rstrip().replace('\n', '\n   '), flush=True)


def must(good, what, detail=''):
    """A thing that has to hold: told either way, counted when it does not."""
    say(f'{"yes" if good else "NO "}  {what}')
    if not good:
        failures.append(what)
        say(str(detail)[-2000:])
    return good


def timed(function, *args):
    start = time.monotonic()
    result = function(*args)
    return time.monotonic() - start, result


def size_of(path):
    return sum(os.path.getsize(os.path.join(path, n)) for n in os.listdir(path))


def rate(size, seconds):
    return f'{size / MIB:.1f} MiB in {seconds:.2f} s, {size / MIB / max(seconds, 1e-6):.0f} MiB/s'


def mount(source, where):
    seconds, mounted = timed(h.Mount, source, where)
    say(f'$ jetfs {source} {where}      ({seconds * 1000:.0f} ms)')
    for name in sorted(os.listdir(where)):
        say(f'{os.path.getsize(os.path.join(where, name)):>12}  {name}')
    return mounted


def copy(tool, function, mounted, target):
    os.makedirs(target)
    size = size_of(mounted.path)
    seconds, (code, out) = timed(function, mounted.path, target)
    must(code == 0, f'{tool}: {rate(size, seconds)}', out)
    code, out = h.run('diff', '-r', mounted.path, target)
    must(code == 0, f'diff -r of the mount and the copy by {tool} is empty', out)
    summary.append((f'copied by {tool}', rate(size, seconds)))


def end(mounted):
    code, out = mounted.umount()
    say(f'$ jetfs umount {mounted.path}')
    say(out)
    status = mounted.status() or {}
    result = status.get('result', {})
    must(code == 0 and result.get('name') == 'complete',
         f'{os.path.basename(mounted.path)}.status.json says "{result.get("name")}"', out)
    return status


def latency_lines(status):
    for mode in ('durable', 'lazy'):
        for when in ('without_backup', 'with_backup'):
            t = status.get('commit_us', {}).get(when, {}).get(mode, {})
            if t.get('n'):
                summary.append((f'{mode} commit {when.replace("_", " ")}',
                                f'p50 {t["p50"]} us, p99 {t["p99"]} us, max {t["max"]} us '
                                f'({t["n"]} commits)'))


def live(work, options):
    step('A live database: transfers, inserts, updates and deletes in 4 threads')
    load = h.Load(work, '--accounts', 1000, '--fill-mib', options.mib, '--log-kib', 1024)
    load.wait_ready()
    time.sleep(options.seconds)
    status = load.status()
    say(f'{load.dir}: {size_of(load.dir) / MIB:.1f} MiB, {status["commits_per_second"]:.0f} commits/s')

    step('Mount a backup session and copy it while the database goes on')
    mounted = mount(load.dir, os.path.join(work, 'mnt'))
    freeze = mounted.freeze()
    before = load.status()['commits']
    copy('cp -a', h.copy_cp, mounted, os.path.join(work, 'copy-cp'))
    copy('rsync -a', h.copy_rsync, mounted, os.path.join(work, 'copy-rsync'))
    time.sleep(options.seconds)
    during = load.status()['commits'] - before
    must(during > 0, f'{during} transactions were committed meanwhile; the copies have none of them')
    status = end(mounted)
    say('$ cat mnt.status.json')
    with open(mounted.path + '.status.json', encoding='utf-8') as f:
        say(f.read()[:1200])
    load.wait_ready(load.status()['commits'] + 200)
    stopped = load.stop()
    must(stopped == 0, 'the database was shut down in order', load.log())
    summary.append(('writers stood still at the freeze',
                    f'{status.get("freeze", {}).get("us", "?")} us'))
    latency_lines(load.status())
    return load, freeze


def restore(work, load, freeze):
    step('Verify and restore the copy')
    copied = os.path.join(work, 'copy-rsync')
    restored = os.path.join(work, 'restored')
    seconds, (code, out) = timed(h.run, h.JETFS, 'verify', copied)
    say(f'$ jetfs verify {copied}\n{out}')
    must(code == 0, f'verified: {rate(size_of(copied), seconds)}')
    seconds, (code, out) = timed(h.run, h.JETFS, 'restore', copied, restored)
    say(f'$ jetfs restore {copied} {restored}\n{out}')
    must(code == 0, f'restored: {rate(size_of(copied), seconds)}')
    summary.append(('restored', rate(size_of(copied), seconds)))
    good, out = h.check(restored, load.ledger, '--freeze', freeze)
    say(out)
    must(good, 'the sum of all accounts holds, and exactly the transactions before the freeze are there')
    good, out = h.check(load.dir, load.ledger)
    must(good, 'the live database has every acknowledged transaction', out)

    step("An outsider's opinion: esedbexport reads the restored database")
    export = os.path.join(work, 'export')
    code, out = h.run('esedbexport', '-T', 'accounts', '-t', export,
                      os.path.join(restored, 'app.edb'))
    rows = [os.path.join(root, n) for root, _, names in os.walk(export + '.export') for n in names]
    lines = []
    if rows:
        with open(rows[0], encoding='utf-8', errors='replace') as f:
            lines = f.read().splitlines()
    say('\n'.join(lines[:4]))
    must(code == 0 and len(lines) == 1001, f'table accounts: {len(lines) - 1} rows', out)


def windows(work):
    step('The same with a database that Windows wrote')
    source = os.path.join(work, 'windows', 'SystemIdentity.mdb')
    os.makedirs(os.path.dirname(source))
    shutil.copyfile(os.path.join(GOLDEN, 'SystemIdentity.mdb'), source)
    mounted = mount(source, os.path.join(work, 'mnt-windows'))
    copied = os.path.join(work, 'copy-windows')
    copy('cp -a of the Windows database', h.copy_cp, mounted, copied)
    end(mounted)
    code, out = h.run(h.JETFS, 'verify', copied)
    say(f'$ jetfs verify {copied}\n{out}')
    must(code == 0, 'verified')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--mib', type=int, default=64, help='size of the database (64)')
    parser.add_argument('--seconds', type=float, default=2, help='time to watch the load (2)')
    parser.add_argument('--keep', action='store_true', help='leave the files where they are')
    options = parser.parse_args()
    if options.keep:
        os.environ['JETFS_KEEP'] = '1'
    if not os.path.exists('/dev/fuse'):
        print('there is no /dev/fuse on this machine: nothing can be mounted here')
        return 1
    work = h.scratch('jetfs-demo-')
    load, freeze = live(work, options)
    restore(work, load, freeze)
    windows(work)
    step('Summary')
    width = max(len(name) for name, _ in summary)
    for name, value in summary:
        say(f'{name:<{width}}  {value}')
    if options.keep:
        say(f'files: {work}')
    print(f'\n{"all of it held" if not failures else f"{len(failures)} DID NOT HOLD: " + "; ".join(failures)}')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
