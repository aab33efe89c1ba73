import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { childrenOf, cpuMs, memoryOf, pidListeningOn } from '../../../bench/processes';

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('the cost of processes', () => {
  it('counts CPU time that a process used', () => {
    const self = { name: 'self', pid: process.pid };
    const before = cpuMs(self);
    const end = Date.now() + 10_000;
    while (cpuMs(self) < before + 50 && Date.now() < end) {
      Math.sqrt(Math.random());
    }
    expect(cpuMs(self)).toBeGreaterThanOrEqual(before + 50);
  });

  it('knows memory now and at its peak', () => {
    const { nowMb, peakMb = 0 } = memoryOf({ name: 'self', pid: process.pid });
    expect(nowMb).toBeGreaterThan(10);
    expect(peakMb).toBeGreaterThanOrEqual(nowMb - 1);
  });

  it('finds children, and nothing of a process that is gone', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const pid = child.pid ?? 0;
    expect(childrenOf(process.pid)).toContain(pid);
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill();
    });
    expect(childrenOf(process.pid)).not.toContain(pid);
    expect(cpuMs({ name: 'gone', pid })).toBe(0);
  });

  it('finds who listens on a port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(pidListeningOn(port)).toBe(process.pid);
    await new Promise((resolve) => server.close(resolve));
    expect(pidListeningOn(port)).toBeUndefined();
  });
});
