#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What jetfs status shows of sessions that run, end well, end badly: bars, a page, metrics."""
import html.parser
import os
import pty
import re
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

VOID = {'meta', 'br', 'hr', 'img', 'input', 'link'}


class Page(html.parser.HTMLParser):
    """Tags are closed in order; nothing is fetched and nothing is run."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.text = [], [], []
        self.feed(text)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag, attrs):
        if tag in ('script', 'link', 'img', 'iframe', 'object', 'base'):
            self.wrong.append(tag)
        self.wrong += [a for a in attrs if a[0].startswith('on') or a[0] in ('src', 'href')]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append('/' + tag)

    def handle_data(self, data):
        self.text.append(data)


def page_of(mount, work, name):
    path = os.path.join(work, name + '.html')
    code, out = h.run(h.JETFS, 'status', '--html', path, mount.path)
    with open(path, encoding='utf-8') as f:
        text = f.read()
    page = Page(text)
    bad = page.wrong + re.findall(r'url\(|@import|https?:', text)
    h.ok(not bad, f'{name}: the page is well formed and needs nothing from elsewhere', bad)
    return code, out, text


def metrics_of(mount):
    """Prometheus' text format, read strictly: {(name, labels): value}."""
    code, out = h.run(h.JETFS, 'status', '--prometheus', '-', mount.path)
    found, typed, helped = {}, set(), set()
    label = r'[a-z_][a-z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
    for line in out.splitlines():
        comment = re.fullmatch(r'# (HELP|TYPE) (jetfs_[a-z0-9_]+) (.+)', line)
        sample = re.fullmatch(r'(jetfs_[a-z0-9_]+)\{(' + label + '(?:,' + label + r')*)\} (\S+)', line)
        if comment:
            seen = helped if comment[1] == 'HELP' else typed
            assert comment[2] not in seen, line
            seen.add(comment[2])
        else:
            assert sample and sample[1] in typed and sample[1] in helped, line
            labels = frozenset(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', sample[2]))
            assert (sample[1], labels) not in found, line
            found[sample[1], labels] = float(sample[3])
    return code, found


def value(metrics, name, **labels):
    hits = [v for (n, have), v in metrics.items() if n == 'jetfs_' + name and labels.items() <= set(have)]
    return hits[0] if len(hits) == 1 else hits


class Terminal:
    """jetfs status --watch on a terminal of its own."""

    def __init__(self, path):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([h.JETFS, 'status', '--watch', path], stdin=subprocess.DEVNULL,
                                        stdout=slave, stderr=slave)
        os.close(slave)
        self.seen = b''
        self.thread = threading.Thread(target=self.collect)
        self.thread.start()

    def collect(self):
        try:
            while data := os.read(self.master, 65536):
                self.seen += data
        except OSError:  # EIO: the last one has closed it
            pass

    def end(self):
        code = self.process.wait(timeout=h.DEADLINE_S)
        self.thread.join()
        os.close(self.master)
        return code, self.seen.decode()


def good_session(load, work):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    terminal = Terminal(mount.path)
    with open(mount.path + '/app.edb', 'rb') as f:
        f.read(1 << 20)
    code, _, text = page_of(mount, work, 'running')
    h.ok(code == h.RUNNING and '>running</b>' in text and 'svg' in text and 'first read' in text,
         'the page of a running session', text[:600])
    code, m = metrics_of(mount)
    h.ok(code == h.RUNNING and value(m, 'session_running') == 1 and
         0 < value(m, 'served_bytes') < value(m, 'required_bytes') and
         value(m, 'limit', limit='max_age') == 86400 and value(m, 'freeze_seconds') > 0,
         'metrics of a running session', m)
    h.wait_for(lambda: b'total' in terminal.seen, 'bars on a terminal')
    plain = subprocess.Popen([h.JETFS, 'status', '--watch', mount.path], stdout=subprocess.PIPE, text=True)
    copy = os.path.join(work, 'copy')
    os.makedirs(copy)
    copied, out = h.copy_cp(mount.path, copy)
    result, ended = mount.umount()
    h.ok(copied == 0 and result == h.COMPLETE, 'the session is complete', out + ended)
    lines, _ = plain.communicate(timeout=h.DEADLINE_S)
    h.ok(plain.returncode == h.COMPLETE and '\033' not in lines and 'complete' in lines,
         '--watch elsewhere: plain lines, and the result', lines)
    code, seen = terminal.end()
    h.ok(code == h.COMPLETE and 'app.edb' in seen and '\033[2K' in seen and ': complete:' in seen,
         '--watch on a terminal: bars, and the result', seen)
    return mount


def after_a_good_session(mount, work):
    code, _, text = page_of(mount, work, 'complete')
    h.ok(code == h.COMPLETE and '>complete</b>' in text and 'end: complete' in text,
         'the page of a complete session')
    code, m = metrics_of(mount)
    h.ok(code == h.COMPLETE and value(m, 'session_result') == 0 and value(m, 'session_running') == 0 and
         value(m, 'served_bytes') == value(m, 'required_bytes') and
         value(m, 'last_complete_timestamp_seconds') == value(m, 'session_end_timestamp_seconds') and
         value(m, 'commits', phase='before') > 0 and value(m, 'logs') == value(m, 'logs_complete'),
         'metrics of a complete session', m)
    path = os.path.join(work, 'jetfs.prom')
    h.run(h.JETFS, 'status', '--prometheus', path, mount.path)
    h.ok(os.stat(path).st_mode & 0o777 == 0o644, 'the metrics are readable by the collector')
    code, out = h.run(h.JETFS, 'status', mount.path + '.status.json')
    h.ok(code == h.COMPLETE and ': complete:' in out, 'a status file can be named itself', out)
    code, out = h.run(h.JETFS, 'status', path)
    h.ok(code == h.ENVIRONMENT and 'no status file' in out, 'another file is none', out)
    code, out = h.run(h.JETFS, 'status', '--html', os.path.join(work, 'no', 'such'), mount.path)
    h.ok(code == h.ENVIRONMENT and 'such' in out, 'a report that cannot be written is an error', out)
    status = mount.status()
    h.ok(status['files'][0]['map']['runs'].strip('0123456789') in ('=', 'P') or
         set(re.sub(r'\d', '', status['files'][0]['map']['runs'])) <= set('=P'),
         'the map says that all was served', status['files'][0]['map'])
    h.ok(len(open(mount.path + '.status.json', encoding='utf-8').read()) < 100000, 'the status is small')


def damaged_file(load, work):
    """Two bad pages of a database that nobody owns, read on past the errors."""
    path = os.path.join(work, 'bad.edb')
    shutil.copy(os.path.join(load.dir, 'app.edb'), path)
    with open(path, 'r+b') as f:
        for pgno in (20, 40):
            f.seek((pgno + 1) * 4096 + 1000)
            f.write(os.urandom(64))
    mount = h.Mount(path, os.path.join(work, 'mnt-bad'))
    h.run('dd', f'if={mount.path}/bad.edb', 'of=/dev/null', 'bs=4k', 'conv=noerror')
    code, out = mount.umount()
    status = mount.status()
    h.ok(code == h.CORRUPT and status['files'][0].get('bad_pages') == [20, 40], 'each bad page is told',
         f'{code} {out}\n{status["files"]}')
    h.ok(status['files'][0]['map']['runs'].startswith('19=1!19=1!'), 'and is in the map',
         status['files'][0]['map'])
    code, _, text = page_of(mount, work, 'corrupt')
    h.ok(code == h.CORRUPT and 'Bad pages: 20, 40' in text and 'class="k6"' in text,
         'and in the page', text[-3000:])
    _, m = metrics_of(mount)
    h.ok(value(m, 'file_bad_pages', file='bad.edb') == 2, 'and in the metrics', m)


def main():
    h.need_fuse()
    work = h.scratch()
    load = h.Load(work, '--accounts', 5000, '--log-kib', 256, '--rate', 1000).wait_ready(200)
    mount = good_session(load, work)
    after_a_good_session(mount, work)
    h.ok(load.stop() == 0, 'the database ends in order', load.log())
    damaged_file(load, work)
    h.done()


main()
