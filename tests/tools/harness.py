# SPDX-License-Identifier: MIT
"""What the integration, crash and bench programs share: TAP, a running jetload, a mount.

Every process and mount made here ends with the program, whatever happens. Paths of the programs
under test come from the environment (JETFS, JETLOAD), set by meson.
"""
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

JETFS = os.environ.get('JETFS', 'build/fs/jetfs')
JETLOAD = os.environ.get('JETLOAD', 'build/tests/tools/jetload/jetload')
DEADLINE_S = 60

COMPLETE, ENVIRONMENT, USAGE, INCOMPLETE, ABORTED_BY_SERVER, CORRUPT, DRIVER_DIED, RUNNING = range(8)

_processes = []
_mounts = []
_cases = 0
_failed = 0


def ok(good, name, detail=''):
    """One TAP line; a failure's detail follows as comments."""
    global _cases, _failed
    _cases += 1
    print(f'{"ok" if good else "not ok"} {_cases} - {name}', flush=True)
    if not good:
        _failed += 1
        for line in str(detail).splitlines()[:40]:
            print(f'# {line}', flush=True)
    return good


def skip(name, reason):
    global _cases
    _cases += 1
    print(f'ok {_cases} - {name} # SKIP {reason}', flush=True)


def skip_all(reason):
    print(f'1..0 # SKIP {reason}')
    sys.exit(0)


def done():
    print(f'1..{_cases}', flush=True)
    sys.exit(1 if _failed else 0)


def need_fuse():
    """Mounts are what this is about: without them there is nothing to test here."""
    if not os.path.exists('/dev/fuse'):
        skip_all('no /dev/fuse on this machine')
    if os.geteuid() != 0 and shutil.which('fusermount3') is None:
        skip_all('no fusermount3 and not root')
    probe = subprocess.run(['unshare', '-m', 'true'], capture_output=True, check=False)
    if os.geteuid() == 0 and probe.returncode != 0:
        skip_all('mounting is not permitted here: ' + probe.stderr.decode().strip())


def run(*args, timeout=300, **kw):
    """A command to its end: (exit code, stdout and stderr together)."""
    p = subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, timeout=timeout, check=False, text=True,
                       errors='replace', **kw)
    return p.returncode, p.stdout


def wait_for(condition, what, deadline_s=DEADLINE_S):
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise TimeoutError(f'{what}: not within {deadline_s} s')


def scratch(prefix='jetfs-'):
    """A directory that goes away at the end. JETFS_SCRATCH chooses where (a real disk, not tmpfs)."""
    path = tempfile.mkdtemp(prefix=prefix, dir=os.environ.get('JETFS_SCRATCH'))
    if not os.environ.get('JETFS_KEEP'):
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def load_json(path):
    try:
        with open(path, encoding='utf-8') as f:
            return json.load(f)
    except (FileNotFoundError, json.JSONDecodeError):
        return None


class Load:
    """jetload at work in directory/db with its ledger beside it."""

    def __init__(self, directory, *options, service=True):
        self.dir = os.path.join(directory, 'db')
        self.ledger = os.path.join(directory, 'ledger')
        self.status_file = os.path.join(directory, 'load.json')
        self.log_path = os.path.join(directory, 'jetload.log')
        if os.path.exists(self.status_file):
            os.remove(self.status_file)
        args = [JETLOAD, '--ledger', self.ledger, '--status-file', self.status_file]
        args += ['--service'] if service else []
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(args + [str(o) for o in options] + [self.dir],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        _processes.append(self.process)

    def status(self):
        return load_json(self.status_file) or {}

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as f:
            return f.read()[-4000:]

    def alive(self):
        return self.process.poll() is None

    def wait_ready(self, commits=1):
        """Until it has committed that much since its start."""
        def ready():
            if not self.alive():
                raise RuntimeError(f'jetload ended with {self.process.returncode}:\n{self.log()}')
            return self.status().get('commits', 0) >= commits
        wait_for(ready, f'{commits} commits of jetload')
        return self

    def wait_past(self, position, threads=4):
        """Until the ledger has all commits below a position: each thread has gone on behind it."""
        position = int(position)

        def past():
            with open(self.ledger, 'rb') as f:
                f.seek(max(os.path.getsize(self.ledger) - 65536, 0))
                lines = [line.split() for line in f.read().split(b'\n')[1:-1]]
            behind = {f[1] for f in lines if len(f) == 8 and int(f[0], 16) >= position}
            return len(behind) == threads
        wait_for(past, f'commits behind {position} in the ledger')
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order; its exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=DEADLINE_S)


def check(directory, ledger, *options):
    """jetload --check: (True when lost 0 extra 0, its output)."""
    code, out = run(JETLOAD, '--check', '--ledger', ledger, *options, directory)
    return code == 0 and 'lost 0 extra 0' in out, f'exit {code}\n{out}'


class Mount:
    """jetfs SOURCE MOUNTPOINT. Ends by umount() or at the program's end."""

    def __init__(self, source, mountpoint, *options):
        self.path = mountpoint
        os.makedirs(mountpoint, exist_ok=True)
        self.code, self.out = run(JETFS, source, mountpoint, *options, timeout=DEADLINE_S)
        if self.code != 0:
            raise RuntimeError(f'jetfs {source}: exit {self.code}\n{self.out}')
        _mounts.append(self.path)

    def live(self):
        return load_json(os.path.join(self.path, '.jetfs', 'status'))

    def pid(self):
        return self.live()['driver']['pid']

    def status(self):
        return load_json(self.path + '.status.json')

    def umount(self, *options):
        """jetfs umount: its exit code and output."""
        result = run(JETFS, 'umount', self.path, *options, timeout=DEADLINE_S)
        if not os.path.ismount(self.path) and self.path in _mounts:
            _mounts.remove(self.path)
        return result

    def freeze(self):
        """The position below which commits are in the backup, as jetload takes it."""
        manifest = load_json(os.path.join(self.path, 'backup.json'))
        return freeze_of(manifest)


def freeze_of(manifest):
    return find_key(manifest, 'freezeLgpos')


def find_key(node, key):
    if isinstance(node, dict):
        if key in node:
            return node[key]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            found = find_key(child, key)
            if found is not None:
                return found
    return None


def copy_cp(source, target):
    return run('cp', '-a', source + '/.', target)


def copy_rsync(source, target, *options):
    return run('rsync', '-a', *options, source + '/', target + '/')


def _clean_up():
    for path in list(_mounts):
        run(JETFS, 'umount', '--abort', path)
        if os.path.ismount(path):
            run('umount', '-l', path)
    for process in _processes:
        if process.poll() is None:
            process.kill()
            process.wait()


atexit.register(_clean_up)
