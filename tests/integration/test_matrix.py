#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The matrix of copy tools: each copies a mount of one live database, and the copy is restored and
compared with the ledger of that database, exactly. A table of all of them stands at the end.

Second runs of tools that know what they have must skip the logs of the run before, and still be
complete. JETFS_MATRIX_RATE is the load in transactions a second (500), JETFS_MATRIX_MIB the size
of the database at its start (4), JETFS_MATRIX a regular expression that chooses tools.
"""
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

RATE = float(os.environ.get('JETFS_MATRIX_RATE', '500'))
FILL_MIB = int(os.environ.get('JETFS_MATRIX_MIB', '4'))
ATTEMPTS = 10
CHOSEN = re.compile(os.environ.get('JETFS_MATRIX', ''))


def shell(script):
    """A copy by a few words of shell: $1 the mount, $2 an empty or older copy, $3 a repository."""
    def copy(mnt, target, store):
        return h.run('sh', '-euc', script, 'sh', mnt, target, store)
    return copy


def each_file(command):
    return shell(f'cd "$1"; for f in *; do {command}; done')


class Tool:
    """One row: how it copies the mount, and for a repository how it gives the copy back.

    again: the row before with the same target or repository, which this one goes on from.
    skips: logs that the run before has are not read again.
    """

    def __init__(self, name, copy, fetch=None, again='', skips=False, program=''):
        self.name = name
        self.copy = copy
        self.fetch = fetch
        self.again = again
        self.skips = skips
        self.program = program or re.split('[ ,]', name)[0]


RESTIC = 'restic -r "$3" --no-cache -q '
BORG = 'export BORG_BASE_DIR="$3.borg" BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes; '
BUP = 'export BUP_DIR="$3"; '
RSYNC = 'rsync --archive '
OUT_RESTIC = shell(RESTIC + 'restore latest --target "$2"')
OUT_BORG = shell(BORG + 'cd "$2"; borg extract "$3::$(borg list --last 1 --short "$3")"')
OUT_BUP = shell(BUP + 'bup restore -q -C "$2" "all/latest$1/."')
OUT_CASYNC = shell('casync extract --with=2sec-time "$3/index.caidx" "$2"')

TOOLS = [
    Tool('cp -a', shell('cp -a "$1/." "$2"')),
    Tool('cp --sparse=always', shell('cp -r --sparse=always "$1/." "$2"')),
    Tool('rsync', shell(RSYNC + '"$1/" "$2"')),
    Tool('rsync, again', shell(RSYNC + '--delete "$1/" "$2"'), again='rsync', skips=True),
    Tool('rsync -W, again', shell(RSYNC + '-W --delete "$1/" "$2"'), again='rsync', skips=True),
    Tool('rsync delta, again', shell(RSYNC + '--no-W --delete "$1/" "$2"'), again='rsync', skips=True),
    Tool('rsync -c, again', shell(RSYNC + '-c --delete "$1/" "$2"'), again='rsync'),
    Tool('rsync --inplace, again', shell(RSYNC + '--inplace --no-W --delete "$1/" "$2"'),
         again='rsync', skips=True),
    Tool('tar', shell('tar cf - -C "$1" . | tar xf - -C "$2"')),
    Tool('tar --sparse', shell('tar cSf - -C "$1" . | tar xf - -C "$2"')),
    Tool('cpio', shell('cd "$1"; find . -type f | cpio -o -H newc --quiet | '
                          '(cd "$2"; cpio -idm --quiet)')),
    Tool('dd bs=512', each_file('dd if=$f of="$2/$f" status=none')),
    Tool('dd bs=10000', each_file('dd if=$f of="$2/$f" bs=10000 status=none')),
    Tool('dd bs=64K', each_file('dd if=$f of="$2/$f" bs=64K status=none')),
    Tool('dd bs=4M', each_file('dd if=$f of="$2/$f" bs=4M status=none')),
    Tool('dd bs=1M direct', each_file('dd if=$f of="$2/$f" bs=1M iflag=direct status=none')),
    Tool('cat', each_file('cat $f > "$2/$f"')),
    Tool('sha256sum', shell('cd "$1"; sha256sum * >"$3"; cp * "$2"; cd "$2"; sha256sum --quiet -c "$3"')),
    Tool('restic', shell(RESTIC + 'init; ' + RESTIC + 'backup "$1"'), OUT_RESTIC),
    Tool('restic, again', shell(RESTIC + 'backup "$1"'), OUT_RESTIC, again='restic', skips=True),
    Tool('borg', shell(BORG + 'borg init -e none "$3"; cd "$1"; borg create "$3::1" .'), OUT_BORG),
    Tool('borg, again', shell(BORG + 'cd "$1"; borg create "$3::{utcnow}" .'), OUT_BORG, again='borg',
         skips=True),
    Tool('rclone', shell('rclone sync --config /dev/null "$1" "$2"')),
    Tool('rclone, again', shell('rclone sync --config /dev/null "$1" "$2"'), again='rclone', skips=True),
    Tool('casync', shell('mkdir "$3"; casync make --with=2sec-time "$3/index.caidx" "$1"'), OUT_CASYNC),
    Tool('bup', shell(BUP + 'bup init 2>&1; bup index "$1"; bup save -q -n all "$1"'), OUT_BUP),
]


class Row:
    """What came of one tool."""

    def __init__(self, tool):
        self.tool = tool
        self.version = ''
        self.seconds = 0.0
        self.status = {}
        self.verdict = 'mismatch'
        self.problem = ''

    def known_logs(self):
        return [f for f in self.status.get('files', ()) if f.get('carried')]

    def skipped_logs(self):
        return sum(not f['served'] for f in self.known_logs())

    def line(self):
        mib = self.status.get('bytes', {}).get('delivered', 0) / (1 << 20)
        return (f'{self.tool.name:<24} {self.version:<10} {self.seconds:>7.2f} {mib:>7.1f} '
                f'{self.skipped_logs():>7}  {self.verdict}')


def version_of(program):
    _, out = h.run(program, 'version' if program in ('restic', 'rclone') else '--version')
    found = re.search(r'\d+(\.\d+)*', out.replace(program, ''))
    return found.group() if found else '?'


class Matrix:
    def __init__(self, work):
        self.work = work
        self.load = h.Load(work, '--accounts', 300, '--log-kib', 256, '--rate', RATE, '--hold', 20,
                           '--fill-mib', FILL_MIB).wait_ready(300)
        self.rows = {}

    def place(self, tool, kind):
        return os.path.join(self.work, f'{kind}-{re.sub("[^a-z0-9]+", "-", tool.name)}')

    def copy(self, row, target):
        """Mount, copy, unmount: the freeze position, None when that failed."""
        tool = row.tool
        first = self.rows[tool.again].tool if tool.again else tool
        store = self.place(first, 'store')
        os.makedirs(target, exist_ok=True)
        mount = h.Mount(self.load.dir, os.path.join(self.work, 'mnt'))
        freeze = mount.freeze()
        start = time.monotonic()
        code, out = tool.copy(mount.path, target, store)
        row.seconds = time.monotonic() - start
        result, ended = mount.umount()
        row.status = mount.status()
        if code == 0 and tool.fetch:
            code, out = tool.fetch(mount.path, target, store)
        if code != 0 or result != h.COMPLETE:
            row.problem = f'{tool.name}: exit {code}, umount {result}\n{out[-2000:]}\n{ended}'
            return None
        return freeze

    def compare(self, row, copy, freeze):
        """Verified, restored and equal to the ledger?"""
        target = copy + '-restored'
        for args in (('verify', copy), ('restore', copy, target)):
            code, out = h.run(h.JETFS, *args)
            if code != 0:
                row.problem = f'jetfs {args[0]}: exit {code}\n{out}'
                return False
        self.load.wait_past(freeze)
        ledger = copy + '-ledger'
        shutil.copy(self.load.ledger, ledger)
        good, row.problem = h.check(target, ledger, '--freeze', freeze)
        shutil.rmtree(target)
        return good

    def run(self, tool):
        row = self.rows[tool.name] = Row(tool)
        row.version = version_of(tool.program)
        target = self.place(tool, 'copy')
        if tool.again and not tool.fetch:
            target = self.place(self.rows[tool.again].tool, 'copy')
        freeze = self.copy(row, target)
        for _ in range(ATTEMPTS):  # when no log was there before: the long transaction just ended
            if freeze is None or not tool.skips or row.known_logs():
                break
            if tool.fetch:
                shutil.rmtree(target, ignore_errors=True)
            freeze = self.copy(row, target)
        good = freeze is not None and self.compare(row, holder(target), freeze)
        if good and tool.skips and not row.skipped_logs() == len(row.known_logs()) > 0:
            good = False
            row.problem = f'{row.skipped_logs()} of {len(row.known_logs())} known logs were skipped'
        row.verdict = 'exact' if good else 'mismatch'
        h.ok(good, f'{tool.name}: complete, verified, restored, equal to the ledger', row.problem)
        if tool.fetch:
            shutil.rmtree(target, ignore_errors=True)


def holder(directory):
    """The directory under this one that holds the manifest: some tools keep the whole path."""
    for root, _, files in os.walk(directory):
        if 'backup.json' in files:
            return root
    return directory


def print_table(rows):
    print(f'# {"tool":<24} {"version":<10} {"seconds":>7} {"MiB":>7} {"skipped":>7}  verdict')
    for row in rows:
        print('# ' + row.line())
    wrong = sum(row.verdict != 'exact' for row in rows)
    print(f'# {len(rows)} tools, {wrong} mismatches (skipped: logs that were not read again)', flush=True)


def main():
    h.need_fuse()
    work = h.scratch()
    os.environ.update(HOME=work, RESTIC_PASSWORD='matrix', BUP_FORCE_TTY='0')
    matrix = Matrix(work)
    for tool in TOOLS:
        if not CHOSEN.search(tool.name):
            continue
        if shutil.which(tool.program) is None:
            h.skip(tool.name, f'{tool.program} is not installed: scripts/setup --tests')
        elif tool.again and matrix.rows.get(tool.again) is None:
            h.skip(tool.name, f'needs the run of {tool.again}')
        else:
            matrix.run(tool)
    h.ok(matrix.load.stop() == 0, 'jetload ended in order', matrix.load.log())
    good, out = h.check(matrix.load.dir, matrix.load.ledger)
    h.ok(good, 'the live database holds every acknowledged commit', out)
    print_table(list(matrix.rows.values()))
    h.done()


main()
