import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../../interop/peers/free-ports';
import { installed, peerMode } from '../../interop/peers/installed';
import { readNetstrings, writeNetstring } from '../../interop/peers/netstring';
import { PeerProcess } from '../../interop/peers/peer-process';
import { fill, parseStatistics } from '../../interop/peers/sipp';

describe('a program that may be installed', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sidekick-installed-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('is found on the path if it can be run', () => {
    const file = path.join(folder, 'sipp');
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, 0o644);
    expect(installed('sipp', `/nowhere:${folder}`).file).toBeUndefined();
    chmodSync(file, 0o755);
    expect(installed('sipp', `/nowhere::${folder}`).file).toBe(file);
  });

  it('runs, is skipped with the package to install, or fails where it is required', () => {
    expect(peerMode({ program: 'sipp', file: '/usr/bin/sipp' }, true)).toEqual({ kind: 'run' });
    const missing = { program: 'baresip', file: undefined } as const;
    expect(peerMode(missing, false)).toMatchObject({ kind: 'skip', why: expect.stringContaining('apt-get install') });
    expect(peerMode(missing, true).kind).toBe('fail');
  });
});

describe('a peer process', () => {
  it('keeps what it printed and how it ended', async () => {
    const peer = new PeerProcess('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3'], tmpdir());
    expect(await peer.ended).toEqual({ code: 3, signal: undefined });
    expect(peer.output).toContain('out');
    expect(peer.output).toContain('err');
  });

  it('is ended by its id, again and again', async () => {
    const peer = new PeerProcess('/bin/sleep', ['60'], tmpdir());
    await peer.stop();
    await peer.stop();
    expect(peer.running).toBe(false);
    expect(await peer.ended).toEqual({ code: undefined, signal: 'SIGTERM' });
  });

  it('says so if it cannot be started', async () => {
    const peer = new PeerProcess('/nowhere/sipp', [], tmpdir());
    await expect(peer.ended).rejects.toThrow('ENOENT');
    expect(peer.running).toBe(false);
  });
});

describe('free ports', () => {
  it('start with an even one', async () => {
    expect((await freePorts(4)) % 2).toBe(0);
  });
});

describe('netstrings', () => {
  it('come whole or are waited for', () => {
    const bytes = Buffer.concat([writeNetstring('{"a":"ä"}'), writeNetstring('')]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = readNetstrings(bytes.subarray(0, cut));
      const second = readNetstrings(Buffer.concat([first.rest, bytes.subarray(cut)]));
      expect([...first.texts, ...second.texts]).toEqual(['{"a":"ä"}', '']);
      expect(second.rest).toHaveLength(0);
    }
  });

  it.each(['x:a,', '99999999:a', '1:ab'])('%s is none', (text) => {
    expect(() => readNetstrings(Buffer.from(text))).toThrow('netstring');
  });
});

describe('a sipp scenario', () => {
  it('gets its words, and misses one loudly', () => {
    expect(fill('expects @status@ of @who@', { status: 404, who: 'us' })).toBe('expects 404 of us');
    expect(() => fill('expects @status@')).toThrow('@status@');
  });

  it('is counted by the last line of the statistics', () => {
    const head = 'A;SuccessfulCall(P);SuccessfulCall(C);FailedCall(C);Retransmissions(C)';
    expect(parseStatistics(`${head}\n0;0;1;0;0\n1;0;7;2;4\n`)).toEqual({ succeeded: 7, failed: 2, retransmissions: 4 });
    expect(parseStatistics('')).toBeUndefined();
    expect(() => parseStatistics('A;B\n1;2\n')).toThrow('SuccessfulCall(C)');
  });
});
