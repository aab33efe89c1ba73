import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { TEAMS_CIPHER_LIST } from '../../../src/lib/tls-suites';
import { readText, readXml, sbcConfig } from './read-config';

const script = path.join(sbcConfig, 'bin/start-drachtio.sh');
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'sidekick-drachtio-'));
  for (const file of ['sbc-key.pem', 'sbc-cert.pem', 'chain.pem']) {
    writeFileSync(path.join(dir, file), '');
  }
  // Stands in for the server: shows what it was started with.
  writeFileSync(path.join(dir, 'server'), '#!/bin/sh\necho "$@"\nenv\n', { mode: 0o755 });
});

afterEach(() => rmSync(dir, { recursive: true }));

const secret = 'f1d2d2f924e986ac86fdf7b3';

function start(change: Record<string, string | undefined> = {}) {
  const env = {
    PATH: process.env['PATH'],
    SIDEKICK_DRACHTIO_SECRET: secret,
    SIDEKICK_SIP_IP: '10.0.0.5',
    SIDEKICK_SBC_FQDN: 'sbc1.example.com',
    SIDEKICK_TLS_DIR: dir,
    SIDEKICK_DRACHTIO_BIN: path.join(dir, 'server'),
    SIDEKICK_DRACHTIO_RUN_DIR: path.join(dir, 'run'),
    ...change,
  };
  const result = spawnSync('sh', [script], { env: env, encoding: 'utf8' });
  return { ...result, rendered: path.join(dir, 'run/drachtio.conf.xml') };
}

test('the template is well-formed and holds what the server reads', () => {
  const { drachtio } = readXml('drachtio.conf.xml');
  expect(drachtio.admin['#text']).toBe('127.0.0.1');
  expect(drachtio.sip.tls['min-tls-version']).toBe('1.2');
  expect(Object.keys(drachtio.sip.tls)).toEqual(['min-tls-version', 'key-file', 'cert-file', 'chain-file']);
  expect(drachtio.sip['session-timers']['default-refresher']).toBe('uas');
  expect(drachtio.sip.contacts.contact).toHaveLength(2);
  expect(drachtio.sip.contacts.contact[0]['#text']).toMatch(/^sip:.*;transport=udp,tcp$/);
  expect(drachtio.sip.contacts.contact[1]['#text']).toMatch(/^sips:.*;transport=tls$/);
});

test('the template keeps SIP messages and with them SRTP keys out of the log', () => {
  expect(readXml('drachtio.conf.xml').drachtio.logging.loglevel).toBe('warning');
});

test('the template has no secret of its own and drops no calls by itself', () => {
  const { drachtio } = readXml('drachtio.conf.xml');
  expect(drachtio.admin.secret).toBe('${SIDEKICK_DRACHTIO_SECRET}');
  expect(drachtio.sip.spammers).toBeUndefined();
  expect(drachtio.sip['outbound-proxy']).toBeUndefined();
  expect(drachtio['request-handlers']).toBeUndefined();
});

test('every name in the template is given a value by the start script', () => {
  const names = new Set([...readText('drachtio.conf.xml').matchAll(/\$\{(SIDEKICK_[A-Z_]+)\}/g)].map((m) => m[1]!));
  expect(names.size).toBeGreaterThan(8);
  const text = readText('bin/start-drachtio.sh');
  for (const name of names) {
    expect(text).toMatch(new RegExp(`export .*\\b${name}\\b`));
  }
});

test.each(['SIDEKICK_DRACHTIO_SECRET', 'SIDEKICK_SIP_IP', 'SIDEKICK_SBC_FQDN'])(
  'without %s nothing is started',
  (name) => {
    for (const value of ['', undefined]) {
      const result = start({ [name]: value });
      expect(result.status).toBe(64);
      expect(result.stderr).toContain(`${name} is not set`);
      expect(result.stdout).toBe('');
    }
  },
);

test.each([
  ['short', { SIDEKICK_DRACHTIO_SECRET: 'cymru' }, 'shorter than 16'],
  ['with characters that break XML', { SIDEKICK_DRACHTIO_SECRET: 'aaaaaaaaaaaaaaaa"&' }, 'letters, digits'],
  ['every address', { SIDEKICK_SIP_IP: '0.0.0.0' }, 'one IPv4 address'],
  ['a name for an address', { SIDEKICK_SIP_IP: 'sbc1.example.com' }, 'one IPv4 address'],
  ['no certificate', { SIDEKICK_TLS_DIR: '/nowhere' }, 'cannot be read'],
])('a wrong value is named: %s', (_title, change, message) => {
  const result = start(change);
  expect(result.status).toBe(64);
  expect(result.stderr).toContain(message);
});

test('what the server gets is filled in, private, and its environment cannot override the file', () => {
  const result = start({
    DRACHTIO_SECRET: 'admin',
    DRACHTIO_ADMIN_ADDRESS: '0.0.0.0',
    SIDEKICK_EXTERNAL_IP: '203.0.113.5',
  });
  expect(result.status).toBe(0);
  expect(result.stdout).toContain(`-f ${result.rendered}`);
  expect(result.stdout).toContain('DRACHTIO_TLS_VERIFY_CLIENT_CERT=1');
  expect(result.stdout).not.toContain('DRACHTIO_SECRET=');
  expect(result.stdout).not.toContain('DRACHTIO_ADMIN_ADDRESS');
  expect(result.stdout).not.toContain(secret);
  expect(statSync(result.rendered).mode & 0o077).toBe(0);

  const text = readFileSync(result.rendered, 'utf8');
  expect(text).not.toMatch(/\$\{SIDEKICK_/);
  expect(text).toContain(`<admin port="9022" secret="${secret}" tcp-keepalive="45">127.0.0.1</admin>`);
  expect(text).toContain('external-ip="203.0.113.5" local-net="10.0.0.5/32">sip:10.0.0.5:5060;transport=udp,tcp<');
  expect(text).toContain('dns-names="sbc1.example.com">sips:10.0.0.5:5061;transport=tls<');
});

test('the server takes the four suites of Teams and no others, unless others are named', () => {
  expect(start().stdout).toContain(`DRACHTIO_TLS_CIPHER_LIST=${TEAMS_CIPHER_LIST}\n`);
  expect(start({ SIDEKICK_TLS_CIPHERS: 'ECDHE-RSA-AES256-SHA' }).stdout).toContain(
    'DRACHTIO_TLS_CIPHER_LIST=ECDHE-RSA-AES256-SHA\n',
  );
});
