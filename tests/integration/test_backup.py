#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A live database is mounted, copied with ordinary tools, unmounted, restored, compared."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402


def copies(mount, work):
    """One copy a tool: {name: directory}."""
    made = {}
    for name in ('cp', 'rsync', 'rsync-checksum', 'tar', 'dd'):
        made[name] = os.path.join(work, 'copy-' + name)
        os.makedirs(made[name])
    results = [
        ('cp -a', h.copy_cp(mount.path, made['cp'])),
        ('rsync -a', h.copy_rsync(mount.path, made['rsync'])),
        ('rsync -ac', h.copy_rsync(mount.path, made['rsync-checksum'], '-c')),
        ('rsync -ac again', h.copy_rsync(mount.path, made['rsync-checksum'], '-c')),
        ('tar', h.run('sh', '-c', 'tar cf - -C "$1" . | tar xf - -C "$2"', 'sh', mount.path,
                      made['tar'])),
    ]
    for name in os.listdir(mount.path):
        results.append((f'dd {name}', h.run('dd', f'if={mount.path}/{name}', 'bs=1M', 'status=none',
                                            f'of={made["dd"]}/{name}')))
    bad = [f'{name}: exit {code}\n{out}' for name, (code, out) in results if code != 0]
    h.ok(not bad, 'cp -a, rsync -a, rsync -ac, tar and dd copy the mount', '\n'.join(bad))
    return made


def recovered(load, work):
    """A copy of the recovered view, which needs no restore, and its freeze position."""
    mount = h.Mount(load.dir, os.path.join(work, 'mnt-recovered'), '-o', 'recovered')
    freeze = mount.live()['freeze']['lgpos']  # the manifest is that of clean files
    copy = os.path.join(work, 'copy-recovered')
    os.makedirs(copy)
    code, out = h.copy_cp(mount.path, copy)
    result, ended = mount.umount()
    h.ok(code == 0 and result == h.COMPLETE, 'the recovered view is mounted and copied',
         out + ended)
    load.wait_ready(load.status()['commits'] + 200)
    return copy, freeze


def main():
    h.need_fuse()
    work = h.scratch()
    load = h.Load(work, '--accounts', 500, '--log-kib', 256, '--rate', 3000).wait_ready(500)
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    freeze = mount.freeze()
    h.ok(freeze is not None, 'the manifest names the freeze position')
    names = sorted(os.listdir(mount.path))
    h.ok('app.edb' in names and 'backup.json' in names and
         any(n.startswith('edb') and n.endswith('.log') for n in names),
         'the mount holds the database, its logs and the manifest', names)
    h.ok('.jetfs' not in names and mount.live()['state'] == 'running',
         '.jetfs/status is found by name only and says running', mount.live())
    h.ok(h.load_json(mount.path + '.status.json')['state'] != 'done',
         'the status file says that the session runs')

    before = load.status()['commits']
    made = copies(mount, work)
    h.ok(load.wait_ready(before + 100) is load, 'jetload commits while the mount is copied')
    for name, path in made.items():
        code, out = h.run('diff', '-r', mount.path, path)
        h.ok(code == 0, f'diff -r of the mount and the copy by {name} is empty', out)
    code, out = h.run(h.JETFS, 'status', mount.path)
    h.ok(code == h.RUNNING, 'jetfs status says running', out)
    code, out = mount.umount()
    status = mount.status() or {}
    h.ok(code == h.COMPLETE and status.get('state') == 'done' and
         status['result']['name'] == 'complete', 'umount ends a complete session', f'{out}\n{status}')
    clean, clean_freeze = recovered(load, work)
    stopped = load.stop()
    h.ok(stopped == 0, 'jetload ended in order', load.log())
    good, out = h.check(clean, load.ledger, '--freeze', clean_freeze)
    h.ok(good, 'the recovered view held exactly the commits before its freeze', out)

    code, out = h.run(h.JETFS, 'verify', made['cp'])
    h.ok(code == 0, 'jetfs verify finds the copy good', out)
    for name in ('cp', 'rsync', 'tar'):
        target = os.path.join(work, 'restored-' + name)
        code, out = h.run(h.JETFS, 'restore', made[name], target)
        h.ok(code == 0, f'jetfs restore of the copy by {name}', out)
        good, out = h.check(target, load.ledger, '--freeze', freeze)
        h.ok(good, f'restored from {name}: exactly the commits before the freeze', out)
    good, out = h.check(load.dir, load.ledger)
    h.ok(good, 'the live database holds every acknowledged commit', out)
    code, out = h.run('esedbexport', '-t', os.path.join(work, 'export'), '-T', 'accounts',
                      os.path.join(work, 'restored-cp', 'app.edb'))
    rows = 0
    for root, _, files in os.walk(os.path.join(work, 'export.export')):
        for name in files:
            with open(os.path.join(root, name), encoding='utf-8', errors='replace') as f:
                rows += sum(1 for line in f if line.strip()) - 1
    h.ok(code == 0 and rows == 500, 'esedbexport reads 500 accounts', f'{rows} rows\n{out}')
    h.done()


main()
