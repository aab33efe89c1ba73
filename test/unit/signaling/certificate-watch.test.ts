import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { X509Certificate } from 'node:crypto';
import pino from 'pino';
import { makeTestAuthority } from '../../../src/embedded/tls/test-authority';
import { CertificateWatch, dueAlarm } from '../../../src/signaling/teams/certificate-watch';
import { settle } from '../../support/manual-clock';

const DAY = 86_400_000;

describe('the alarm of a certificate that expires', () => {
  it.each([
    [31, undefined],
    [30, 30],
    [15, 30],
    [14, 14],
    [3.5, 14],
    [3, 3],
    [0.1, 3],
    [0, 0],
    [-5, 0],
  ])('with %d days left: %s', (days, alarm) => {
    expect(dueAlarm(days)).toBe(alarm);
  });

  it('is logged once for each step, and the days are counted; a new certificate starts anew', async () => {
    const authority = await makeTestAuthority({ directory: mkdtempSync(path.join(tmpdir(), 'sk-cert-')) });
    const { cert } = await authority.issue(['sbc1.example.com']);
    const certificate = new X509Certificate(cert);
    const end = Date.parse(certificate.validTo);
    let now = end - 40 * DAY;
    const lines: string[] = [];
    const days: number[] = [];
    const watch = new CertificateWatch({
      log: pino(
        { level: 'warn' },
        { write: (line: string) => lines.push((JSON.parse(line) as { event: string }).event) },
      ),
      metrics: { certificateDays: (_name, left) => days.push(left), certificateGone: () => undefined },
      now: () => now,
      address: () => ({ host: '127.0.0.1', port: 1 }),
      fetch: () => Promise.resolve(certificate),
    });
    watch.load(['sbc1.example.com']);
    for (const left of [40, 29, 28, 10, 2, 1, -1, 60]) {
      now = end - left * DAY;
      await watch.look();
    }
    watch.close();
    expect(lines).toEqual(Array(4).fill('certificate_expires'));
    expect(days.slice(-3)).toEqual([1, -1, 60]);
  });

  it('a name that is not in the certificate is told', async () => {
    const authority = await makeTestAuthority({ directory: mkdtempSync(path.join(tmpdir(), 'sk-cert-')) });
    const { cert } = await authority.issue(['*.sbc.example.com']);
    const lines: string[] = [];
    const watch = new CertificateWatch({
      log: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }),
      metrics: { certificateDays: () => undefined, certificateGone: () => undefined },
      now: () => Date.now(),
      address: () => ({ host: '127.0.0.1', port: 1 }),
      fetch: () => Promise.resolve(new X509Certificate(cert)),
    });
    watch.load(['cust1.sbc.example.com', 'a.b.sbc.example.com']);
    await watch.look();
    watch.close();
    const told = lines.filter((line) => line.includes('certificate_name_missing'));
    expect(told.some((line) => line.includes('a.b.sbc.example.com'))).toBe(true);
    expect(told.some((line) => line.includes('cust1.'))).toBe(false);
  });

  it('a name that is not used any more is no longer told of, also when its certificate comes late', async () => {
    const authority = await makeTestAuthority({ directory: mkdtempSync(path.join(tmpdir(), 'sk-cert-')) });
    const { cert } = await authority.issue(['*.example.com']);
    const told = new Map<string, number>();
    const shown: (() => void)[] = [];
    const watch = new CertificateWatch({
      log: pino({ level: 'silent' }),
      metrics: {
        certificateDays: (name, left) => told.set(name, left),
        certificateGone: (name) => told.delete(name),
      },
      now: () => Date.now(),
      address: () => ({ host: '127.0.0.1', port: 1 }),
      fetch: () =>
        new Promise((resolve) => {
          shown.push(() => {
            resolve(new X509Certificate(cert));
          });
        }),
    });
    const show = async (): Promise<void> => {
      shown.shift()?.();
      await settle();
    };
    watch.load(['old.example.com']);
    await show();
    expect([...told.keys()]).toEqual(['old.example.com']);
    watch.load(['new.example.com']);
    expect([...told.keys()]).toEqual([]);
    watch.load(['newer.example.com']);
    await show();
    await show();
    expect([...told.keys()]).toEqual(['newer.example.com']);
    watch.close();
  });
});
