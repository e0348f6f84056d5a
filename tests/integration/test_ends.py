#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every way a session can end leaves the right result, no mount, no pinned thing."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402


def final_status(mount):
    """The status file once the session is over; jetfs status cleans up after a killed driver."""
    h.run(h.JETFS, 'status', '--wait', mount.path)
    status = mount.status() or {}
    return status.get('state'), status.get('result', {}).get('exit'), status


def expect(mount, wanted, name):
    state, code, status = final_status(mount)
    h.ok(state == 'done' and code == wanted, name, f'wanted {wanted}\n{status}')
    h.ok(not os.path.ismount(mount.path), f'{name}: nothing stays mounted')


def again(load, work, name):
    """The next session begins at once and is whole."""
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    copy = os.path.join(work, 'copy-' + name)
    os.makedirs(copy)
    code, out = h.copy_cp(mount.path, copy)
    result, ended = mount.umount()
    h.ok(code == 0 and result == h.COMPLETE, f'{name}: the next session is complete', out + ended)


def runs(pid):
    """It has neither ended nor is it waiting to be buried."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as f:
            return f.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def busy(load, work):
    """A file of it is open at the end: the result is there before the driver is gone."""
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    pid = mount.pid()
    with open(mount.path + '/app.edb', 'rb') as f:
        os.kill(pid, signal.SIGTERM)
        h.wait_for(lambda: mount.status()['state'] == 'done', 'the result')
        early = runs(pid)
        h.run(h.JETFS, 'status', '--wait', mount.path)
        h.ok(early and not runs(pid) and not os.path.ismount(mount.path),
             'status --wait returns when a busy driver is gone', (early, f.name))


def main():
    h.need_fuse()
    work = h.scratch()
    load = h.Load(work, '--accounts', 300, '--log-kib', 256, '--rate', 1000).wait_ready(200)

    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    h.run('head', '-c', '10000', mount.path + '/app.edb')
    code, out = mount.umount()
    h.ok(code == h.INCOMPLETE, 'a part was read: umount says incomplete', out)
    expect(mount, h.INCOMPLETE, 'a part was read')

    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    code, out = mount.umount('--abort')
    expect(mount, h.INCOMPLETE, 'umount --abort')
    again(load, work, 'abort')

    for name, number in (('SIGTERM', signal.SIGTERM), ('SIGINT', signal.SIGINT)):
        mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
        os.kill(mount.pid(), number)
        expect(mount, h.INCOMPLETE, f'{name} to the driver')

    busy(load, work)

    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    os.kill(mount.pid(), signal.SIGKILL)
    h.run(h.JETFS, 'umount', mount.path)
    expect(mount, h.DRIVER_DIED, 'SIGKILL to the driver')
    again(load, work, 'killed')

    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    with open(mount.path + '/app.edb', 'rb') as f:
        f.read(4096)
    load.kill()
    h.run(h.JETFS, 'umount', mount.path)
    expect(mount, h.ABORTED_BY_SERVER, 'SIGKILL to the database')
    good, out = h.check(load.dir, load.ledger)
    h.ok(good, 'the killed database recovers', out)

    load = h.Load(work, '--rate', 1000).wait_ready(100)
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    stopped = load.stop()
    h.ok(stopped == 0, 'JetTerm during a session works', load.log())
    h.run(h.JETFS, 'umount', mount.path)
    expect(mount, h.ABORTED_BY_SERVER, 'JetTerm during a session')
    good, out = h.check(load.dir, load.ledger)
    h.ok(good, 'the database is whole after JetTerm during a session', out)
    h.done()


main()
